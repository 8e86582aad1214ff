//! From TOML to [`Site`]: one pass over the file, then the checks across sections.

use std::path::Path;

use edge::settings::{Mistakes, Placed, Problems, Section};
use snapshot::manifest::{Privacy, Service, Thresholds};
use snapshot::{CollectionName, ComponentName, EdgeVersion, LocalText, ServiceName, SiteName};

use super::{
    Collection, Component, Publish, Retention, Site, breaker, canary, check, preset, resolve,
    route, source, status,
};

/// What the checks across sections look at, with places to point to.
pub(super) struct Draft {
    pub(super) services: Vec<Service>,
    pub(super) collections: Vec<Collection>,
    pub(super) components: Vec<Component>,
    pub(super) routes: Vec<route::Draft>,
    pub(super) canaries: Vec<canary::Draft>,
    pub(super) status: status::Status,
}

impl Draft {
    /// Whether a route of the file takes exactly this path.
    pub(super) fn takes(&self, path: &str) -> bool {
        let mut written = self.routes.iter().filter_map(|route| route.path.as_ref());
        written.any(|(template, _)| template.to_string() == path)
    }
}

pub(super) fn site(file: &Path, text: &str) -> Result<Site, Mistakes> {
    let problems = Problems::default();
    let read = Section::parse(text, &problems).and_then(|root| whole(file, root));
    problems.none_or(read, file, text)
}

fn whole(file: &Path, mut root: Section<'_, '_>) -> Option<Site> {
    let dir = file.parent().unwrap_or(Path::new(""));
    let help = "the site's name: site = \"example\"";
    let name = root.required("site", help, Section::parsed::<SiteName>);
    let min_edge = root.parsed::<EdgeVersion>("min_edge");
    let languages = languages(&mut root);
    let title = local_text(&mut root, "title", &languages);
    let title = title.unwrap_or_else(|| match &name {
        Some(name) => one_text(&languages, name.value.as_str()),
        None => LocalText::default(),
    });
    let presets = preset::read(&mut root, &languages);
    let draft = Draft {
        services: services(&mut root, &languages, &title),
        collections: collections(&mut root, dir),
        components: components(&mut root, dir),
        routes: root
            .list("route")
            .into_iter()
            .map(|section| route::read(section, dir))
            .collect(),
        canaries: root
            .list("canary")
            .into_iter()
            .map(|section| canary::read(section, &languages))
            .collect(),
        status: root.section("status").map(status::read).unwrap_or_default(),
    };
    let publish = match root.section("publish") {
        Some(section) => Publish::read(section, dir),
        None => Publish::default_in(dir),
    };
    let retention = root.section("retention").map(Retention::read);
    let problems = root.problems();
    root.finish();

    let (routes, canaries, warnings) = check::across(&draft, problems);
    Some(Site {
        file: file.to_owned(),
        site: name?.value,
        min_edge: min_edge.map_or(EdgeVersion::FIRST, |version| version.value),
        title,
        languages,
        presets,
        services: draft.services,
        collections: draft.collections,
        components: draft.components,
        routes,
        canaries,
        publish,
        retention: retention.unwrap_or_default(),
        warnings,
    })
}

fn languages(root: &mut Section<'_, '_>) -> Vec<String> {
    let mut languages = Vec::new();
    let problems = root.problems();
    let tags = root.texts("languages").map(|list| list.value);
    for tag in tags.unwrap_or_default() {
        if !is_language(&tag.value) {
            problems
                .add(tag.span, format!("{:?} is not a language", tag.value))
                .label("expected two or three of a-z, as in \"ko\"");
        } else if languages.contains(&tag.value) {
            problems.add(tag.span, format!("language {:?} stands twice", tag.value));
        } else {
            languages.push(tag.value);
        }
    }
    if languages.is_empty() {
        languages.push("en".to_owned());
    }
    languages
}

pub(super) fn is_language(tag: &str) -> bool {
    (2..=3).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_lowercase())
}

fn one_text(languages: &[String], words: &str) -> LocalText {
    languages
        .first()
        .map(|language| (language.as_str(), words))
        .into_iter()
        .collect()
}

/// A text in the default language, or a table of texts by language.
fn local_text(
    section: &mut Section<'_, '_>,
    key: &'static str,
    languages: &[String],
) -> Option<LocalText> {
    let value = section.take(key)?;
    if let Some(words) = value.as_str() {
        return Some(one_text(languages, words));
    }
    let (name, problems) = (format!("`{key}` of {}", section.name()), section.problems());
    let table = Section::of(value, section.span(), name, problems)?;
    let mut texts = table.rest_as_texts();
    for (tag, _) in &texts {
        if !languages.contains(&tag.value) {
            problems
                .add(
                    tag.span,
                    format!("{:?} is not one of the site's languages", tag.value),
                )
                .help(format!("languages = {languages:?}"));
        }
    }
    // The default language first, whatever the order in the file: it is what others fall back to.
    let place = |tag: &Placed<String>| languages.iter().position(|l| *l == tag.value);
    texts.sort_by_key(|(tag, _)| place(tag));
    Some(
        texts
            .into_iter()
            .map(|(tag, words)| (tag.value, words.value))
            .collect(),
    )
}

fn services(
    root: &mut Section<'_, '_>,
    languages: &[String],
    site_title: &LocalText,
) -> Vec<Service> {
    let mut services = Vec::new();
    for (name, mut section) in root.named::<ServiceName>("service") {
        let probe = section.text("probe");
        if let Some(probe) = &probe
            && !probe.value.starts_with('/')
        {
            section.problems().add(
                probe.span,
                "`probe` must be a path on the origin, starting with /",
            );
        }
        let service = Service {
            title: local_text(&mut section, "title", languages)
                .unwrap_or_else(|| one_text(languages, name.as_str())),
            meanwhile: local_text(&mut section, "meanwhile", languages).unwrap_or_default(),
            presets: preset::read(&mut section, languages),
            probe: probe.map_or_else(|| "/".to_owned(), |probe| probe.value),
            breaker: section
                .section("breaker")
                .map_or_else(Thresholds::default, breaker::read),
            name,
        };
        section.finish();
        services.push(service);
    }
    // A site that is one thing need not name its parts.
    if services.is_empty()
        && let Ok(name) = "pages".parse()
    {
        let service = Service {
            name,
            title: site_title.clone(),
            meanwhile: LocalText::default(),
            presets: Vec::new(),
            probe: "/".to_owned(),
            breaker: Thresholds::default(),
        };
        services.push(service);
    }
    services
}

fn collections(root: &mut Section<'_, '_>, dir: &Path) -> Vec<Collection> {
    let mut collections = Vec::new();
    for (name, mut section) in root.named::<CollectionName>("collection") {
        check::collection_name(&section, &name);
        let help = "one of { folder = .. }, { ndjson = .., key = .. }, { csv = .., key = .. }, \
                    { sqlite = .., query = .., key = .. }";
        let source = section.required("source", help, Section::section);
        let source = source.and_then(|table| source::read(table, dir));
        let privacy = section.text("privacy");
        let privacy = match privacy {
            None => Privacy::Public,
            Some(text) => Privacy::from_name(&text.value).unwrap_or_else(|| {
                section
                    .problems()
                    .add(text.span, format!("{:?} is not a privacy", text.value))
                    .label("expected public, unlisted or sealed");
                Privacy::Public
            }),
        };
        let secret = section.text("secret");
        check::privacy(&section, privacy, secret.as_ref(), source.as_ref());
        let complete = section.flag("complete").unwrap_or(false);
        section.finish();
        if let Some(source) = source {
            let collection = Collection {
                name,
                source,
                privacy,
                secret: secret.map(|at| at.value),
                complete,
            };
            collections.push(collection);
        }
    }
    collections
}

fn components(root: &mut Section<'_, '_>, dir: &Path) -> Vec<Component> {
    let mut components = Vec::new();
    for (name, mut section) in root.named::<ComponentName>("component") {
        let help = "the .wasm file of the component";
        if let Some(file) = section.required("file", help, Section::text) {
            let file = resolve(dir, &file.value);
            components.push(Component { name, file });
        }
        section.finish();
    }
    components
}
