//! Checks across sections: every name must lead somewhere, and nothing may contradict itself.

use edge::settings::{Placed, Problems, Section};
use snapshot::manifest::{Canary, Isolation, Privacy};
use snapshot::{CollectionName, ServiceName};

use super::read::Draft;
use super::{Collection, Route, Source, route, status};
use crate::build::AMENDED;

/// One name is this program's own.
pub(super) fn collection_name(section: &Section<'_, '_>, name: &CollectionName) {
    if name.as_str() == AMENDED {
        let message = format!("the collection {AMENDED} holds what `origin-sync amend` changed");
        let problem = section.problems().add(section.span(), message);
        problem.help("another name");
    }
}

/// What a collection's privacy asks of its source.
pub(super) fn privacy(
    section: &Section<'_, '_>,
    privacy: Privacy,
    secret: Option<&Placed<String>>,
    source: Option<&Source>,
) {
    let problems = section.problems();
    if privacy == Privacy::Sealed && secret.is_none() {
        section.missing("secret", "the field that holds each record's capability");
    }
    if let Some(secret) = secret.filter(|_| privacy != Privacy::Sealed) {
        let kind = privacy.as_str();
        problems
            .add(
                secret.span,
                format!("`secret` has no meaning for a {kind} collection"),
            )
            .help("privacy = \"sealed\"");
    }
    if privacy != Privacy::Public && source.is_some_and(Source::is_folder) {
        problems.add(
            section.span(),
            format!("{}: files of a folder can only be public", section.name()),
        );
    }
}

/// Looks up every name; gives the routes and canaries that are good, and warnings.
pub(super) fn across(draft: &Draft, problems: &Problems) -> (Vec<Route>, Vec<Canary>, Vec<String>) {
    let mut matcher = matchit::Router::new();
    // By place in the file; `None` where something of it is wrong.
    let mut routes = Vec::new();
    let mut folders = Vec::new();
    for (at, route) in draft.routes.iter().enumerate() {
        let service = service(draft, route, problems);
        names(draft, route, problems);
        parameters(route, problems);
        routes.push(service.and_then(|service| route.resolved(service)));
        let Some((path, span)) = &route.path else {
            continue;
        };
        let text = path.to_string();
        if text.starts_with("/.holdfast") {
            problems.add(*span, "paths below /.holdfast are the edge's own");
        }
        match matcher.insert(text.clone(), at) {
            Err(matchit::InsertError::Conflict { with }) => {
                problems.add(
                    *span,
                    format!("route {text} takes the same paths as {with}"),
                );
            }
            Err(other) => {
                problems.add(*span, format!("route {text}: {other}"));
            }
            Ok(()) => {}
        }
        folders.extend(path.folder().map(|folder| (folder, at)));
    }
    // As on an edge: a folder has an index, unless another route takes its path.
    for (folder, at) in folders {
        matcher.insert(folder, at).ok();
    }
    let mut warnings = Vec::new();
    let status = status::routes(draft, &mut matcher, problems, &mut warnings);
    let canaries = canaries(draft, &matcher, &routes, problems);
    if draft.routes.is_empty() {
        warnings.push("no [[route]]: nothing of this site would be answered".to_owned());
    }
    let mut routes: Vec<Route> = routes.into_iter().flatten().collect();
    routes.extend(status);
    (routes, canaries, warnings)
}

/// Every canary must have a route, and must not give away what that route hides: a manifest can be
/// read by whoever reads a mirror.
fn canaries(
    draft: &Draft,
    matcher: &matchit::Router<usize>,
    routes: &[Option<Route>],
    problems: &Problems,
) -> Vec<Canary> {
    let mut good = Vec::new();
    for draft_canary in &draft.canaries {
        let Some(canary) = &draft_canary.canary else {
            continue;
        };
        let (path, query) = match canary.path.split_once('?') {
            Some((path, query)) => (path, query),
            None => (canary.path.as_str(), ""),
        };
        match matcher.at(path) {
            Err(_) => {
                let message = format!("no route answers canary {path}");
                problems.add(draft_canary.span, message);
            }
            Ok(matched) => {
                let route = routes.get(*matched.value).and_then(Option::as_ref);
                let names_a_record = !matched.params.is_empty() || !query.is_empty();
                if let Some(route) = route.filter(|_| names_a_record)
                    && let Some(hidden) = hidden(draft, route)
                {
                    problems
                        .add(draft_canary.span, gives_away(canary, route, &hidden))
                        .help(
                            "name a page of a public collection, or one without parameters; the \
                             coverage still asks every private page, and publishes none of them",
                        );
                }
            }
        }
        good.push(canary.clone());
    }
    good
}

fn gives_away(canary: &Canary, route: &Route, hidden: &str) -> String {
    format!(
        "canary {} in {} would publish {hidden}: manifests can be read by whoever reads a mirror",
        route.route.path, canary.language
    )
}

/// The secret that a path of `route` holds, in words.
fn hidden(draft: &Draft, route: &Route) -> Option<String> {
    if let Some(capability) = &route.route.capability {
        return Some(format!("the capability `{capability}`"));
    }
    let used = route.route.collections.iter();
    let mut declared = used.filter_map(|name| collection(draft, name));
    let private = declared.find(|collection| collection.privacy != Privacy::Public)?;
    Some(format!(
        "the secret id of a record of `{}`, which is {}",
        private.name,
        private.privacy.as_str()
    ))
}

fn collection<'d>(draft: &'d Draft, name: &CollectionName) -> Option<&'d Collection> {
    draft
        .collections
        .iter()
        .find(|collection| &collection.name == name)
}

fn service(draft: &Draft, route: &route::Draft, problems: &Problems) -> Option<ServiceName> {
    match (&route.service, draft.services.as_slice()) {
        (Some(named), all) => {
            if all.iter().any(|service| service.name == named.value) {
                return Some(named.value.clone());
            }
            problems
                .add(
                    named.span,
                    format!("service `{}` is not declared", named.value),
                )
                .help(format!("[service.{}]", named.value));
            None
        }
        (None, [only]) => Some(only.name.clone()),
        (None, _) => {
            problems.add(
                route.span,
                "this route needs `service`: the site has several",
            );
            None
        }
    }
}

fn names(draft: &Draft, route: &route::Draft, problems: &Problems) {
    if let Some(component) = &route.component
        && !draft
            .components
            .iter()
            .any(|declared| declared.name == component.value)
    {
        let name = &component.value;
        problems
            .add(
                component.span,
                format!("component `{name}` is not declared"),
            )
            .help(format!("[component.{name}] with its file"));
    }
    if let Some(assets) = &route.assets {
        match collection(draft, &assets.value) {
            None => undeclared(problems, assets),
            Some(collection) if !collection.source.is_folder() => {
                let name = &assets.value;
                problems
                    .add(assets.span, format!("collection `{name}` holds rows"))
                    .label("`assets` needs one of a folder");
            }
            Some(_) => {}
        }
        if let Some(first) = route.collections.first() {
            problems.add(first.span, "`collections` is for components");
        }
        if let Some(template) = &route.template {
            problems.add(template.span, "`template` is for components");
        }
        if let Some(capability) = &route.capability {
            problems.add(capability.span, "`capability` is for components");
        }
    }
    for name in &route.collections {
        if collection(draft, &name.value).is_none() {
            undeclared(problems, name);
        }
    }
}

fn undeclared(problems: &Problems, name: &Placed<CollectionName>) {
    problems
        .add(
            name.span,
            format!("collection `{}` is not declared", name.value),
        )
        .help(format!("[collection.{}] with its source", name.value));
}

fn parameters(route: &route::Draft, problems: &Problems) {
    let Some((path, span)) = &route.path else {
        return;
    };
    let has_rest = path.rest().is_some();
    if route.component.is_some() && has_rest {
        problems.add(*span, "a `{*rest}` parameter is for assets");
    }
    if route.assets.is_some() && path.params().count() != usize::from(has_rest) {
        problems.add(
            *span,
            "an assets route has one parameter, `{*path}` at its end, or none",
        );
    }
    if let Some(capability) = &route.capability
        && !path.params().any(|param| param == capability.value)
    {
        problems.add(
            capability.span,
            format!("{path} has no parameter `{}`", capability.value),
        );
    }
    if route.status && (route.component.is_none() || route.isolation != Some(Isolation::Shared)) {
        let message = "`status` is for shared components: component = .., isolation = \"shared\"";
        problems.add(route.span, message);
    }
    if route.urls.is_some() && (route.assets.is_some() || path.params().count() == 0) {
        problems.add(
            *span,
            "`urls` is for components with parameters: the URLs of other routes are known",
        );
    }
}
