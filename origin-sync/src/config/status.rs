//! `[status]`: the pages that tell the public what is down. A site has them without asking, from its
//! component `view`, unless routes of its own take their paths.

use edge::settings::{Placed, Problems, Section, Span};
use snapshot::manifest::{self, Isolation, Privacy, Target};
use snapshot::{CollectionName, ComponentName};

use super::read::Draft;
use super::{Route, STALE_AFTER};

/// The pages and the templates that they begin with; the first is for people.
const PAGES: [(&str, &str); 3] = [
    ("/status.html", "status.html"),
    ("/status.json", "status.json"),
    ("/status.atom", "status.atom"),
];

/// The component that renders them, unless another is named.
const COMPONENT: &str = "view";

/// `[status]` as read.
#[derive(Debug, Default)]
pub(super) struct Status {
    span: Option<Span>,
    /// `serve = false`: the site does without.
    off: bool,
    component: Option<Placed<ComponentName>>,
    templates: Option<Placed<CollectionName>>,
}

pub(super) fn read(mut section: Section<'_, '_>) -> Status {
    let status = Status {
        span: section.span(),
        off: section.flag("serve") == Some(false),
        component: section.parsed("component"),
        templates: section.parsed("templates"),
    };
    section.finish();
    status
}

/// The routes of the pages; what stands in their way is a problem if the site asked for them, and a
/// warning otherwise.
pub(super) fn routes(
    draft: &Draft,
    matcher: &mut matchit::Router<usize>,
    problems: &Problems,
    warnings: &mut Vec<String>,
) -> Vec<Route> {
    let status = &draft.status;
    let Some(service) = draft.services.first().filter(|_| !status.off) else {
        return Vec::new();
    };
    let Some(component) = component(draft, problems, warnings) else {
        return Vec::new();
    };
    let templates = templates(draft, problems);
    let mut routes = Vec::new();
    for (path, template) in PAGES {
        if draft.takes(path) {
            continue;
        }
        // It has no place among the routes of the file.
        if let Err(error) = matcher.insert(path, usize::MAX) {
            warnings.push(format!("no {path}: {error}"));
            continue;
        }
        let route = manifest::Route {
            path: path.to_owned(),
            service: service.name.clone(),
            target: Target::Component(component.clone()),
            collections: templates.iter().cloned().collect(),
            isolation: Isolation::Shared,
            capability: None,
            template: Some(template.to_owned()),
            query: Vec::new(),
            // A program wants to know how old what it reads is.
            now: template == "status.json",
            always: true,
            rewrite: false,
            status: true,
            stale_after_s: STALE_AFTER.as_secs(),
            too_old_after_s: None,
        };
        routes.push(Route { route, urls: None });
    }
    routes
}

fn component(
    draft: &Draft,
    problems: &Problems,
    warnings: &mut Vec<String>,
) -> Option<ComponentName> {
    let named = draft.status.component.as_ref();
    let name = named.map_or(COMPONENT, |named| named.value.as_str());
    let mut declared = draft.components.iter();
    if let Some(found) = declared.find(|component| component.name.as_str() == name) {
        return Some(found.name.clone());
    }
    if let Some(span) = named.map(|named| named.span).or(draft.status.span) {
        problems
            .add(
                span,
                format!("component `{name}`, for status pages, is not declared"),
            )
            .help(format!("[component.{name}] with its file"));
    } else if !PAGES.iter().all(|(path, _)| draft.takes(path)) {
        warnings.push(format!(
            "no status pages: they come from a component `{name}`; declare [component.{name}] with \
             its file, or say that the site does without: [status] serve = false"
        ));
    }
    None
}

/// The collection whose `status.html` takes the place of the component's own.
fn templates(draft: &Draft, problems: &Problems) -> Option<CollectionName> {
    let named = draft.status.templates.as_ref()?;
    let mut declared = draft.collections.iter();
    match declared.find(|collection| collection.name == named.value) {
        Some(collection) if collection.privacy == Privacy::Public => Some(named.value.clone()),
        Some(_) => {
            let message = format!("collection `{}` is not public", named.value);
            problems.add(named.span, message).help("templates are");
            None
        }
        None => {
            let message = format!("collection `{}` is not declared", named.value);
            let added = problems.add(named.span, message);
            added.help(format!("[collection.{}] with its source", named.value));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Site;

    fn site(text: &str) -> Result<Site, String> {
        let text = format!(
            "site = \"x\"\n[collection.pages]\nsource = {{ folder = \"x\" }}\n\
             [[route]]\npath = \"/{{*path}}\"\nassets = \"pages\"\n{text}"
        );
        let read = Site::parse(Path::new("site.toml"), &text);
        read.map_err(|mistakes| mistakes.render(false))
    }

    /// The paths of its status pages.
    fn pages(site: &Site) -> Vec<&str> {
        let routes = site.routes.iter().map(|route| &route.route);
        let status = routes.filter(|route| route.status);
        status.map(|route| route.path.as_str()).collect()
    }

    const VIEW: &str = "[component.view]\nfile = \"view.wasm\"\n";
    const ALL: [&str; 3] = ["/status.html", "/status.json", "/status.atom"];

    #[test]
    fn a_site_with_a_view_has_them_without_asking() {
        let site = site(VIEW).unwrap();
        assert_eq!(pages(&site), ALL);
        assert!(site.warnings.is_empty(), "{:?}", site.warnings);
        for route in site.routes.iter().filter(|route| route.route.status) {
            let route = &route.route;
            assert!(route.always && !route.rewrite && route.collections.is_empty());
            assert_eq!(route.now, route.path == "/status.json");
        }
    }

    #[test]
    fn a_site_without_is_told_and_may_say_that_it_does_without() {
        let told = site("").unwrap();
        assert_eq!(pages(&told), [""; 0]);
        assert!(
            told.warnings[0].starts_with("no status pages: "),
            "{:?}",
            told.warnings
        );
        let off = site("[status]\nserve = false\n").unwrap();
        assert!(pages(&off).is_empty() && off.warnings.is_empty());
        let named = site(&format!("{VIEW}[status]\ncomponent = \"sight\"\n")).unwrap_err();
        assert!(
            named.contains("component `sight`, for status pages"),
            "{named}"
        );
    }

    #[test]
    fn routes_of_its_own_stand() {
        let own = "[[route]]\npath = \"/status.html\"\nassets = \"pages\"\n";
        let site = site(&format!("{VIEW}{own}")).unwrap();
        assert_eq!(pages(&site), ALL[1..]);
    }

    #[test]
    fn templates_are_a_public_collection() {
        let site_with = |name: &str| site(&format!("{VIEW}[status]\ntemplates = \"{name}\"\n"));
        let styled = site_with("pages").unwrap();
        let route = styled.routes.iter().find(|route| route.route.status);
        assert_eq!(route.unwrap().route.collections[0].as_str(), "pages");
        let absent = site_with("nowhere").unwrap_err();
        assert!(
            absent.contains("collection `nowhere` is not declared"),
            "{absent}"
        );
    }

    #[test]
    fn a_route_may_be_a_status_page_of_its_own_making() {
        let own = "[[route]]\npath = \"/state\"\ncomponent = \"view\"\nstatus = true\n";
        let site_of = |more: &str| site(&format!("{VIEW}{own}{more}"));
        let shared = site_of("isolation = \"shared\"\n").unwrap();
        assert_eq!(pages(&shared)[0], "/state");
        let single = site_of("").unwrap_err();
        assert!(
            single.contains("`status` is for shared components"),
            "{single}"
        );
    }
}
