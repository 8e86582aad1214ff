//! From TOML to [`Site`]: one pass over the file, then the checks across sections.

use std::path::Path;

use snapshot::manifest::{Privacy, Service};
use snapshot::{CollectionName, ComponentName, LocalText, ServiceName, SiteName};

use super::problems::{Problem, Problems};
use super::section::{At, Section};
use super::{Collection, Component, Publish, Site, canary, check, resolve, route, source};

/// What the checks across sections look at, with places to point to.
pub(super) struct Draft {
    pub(super) services: Vec<(Service, toml_span::Span)>,
    pub(super) collections: Vec<(Collection, toml_span::Span)>,
    pub(super) components: Vec<(Component, toml_span::Span)>,
    pub(super) routes: Vec<route::Draft>,
    pub(super) canaries: Vec<canary::Draft>,
}

pub(super) fn site(file: &Path, text: &str) -> Result<Site, Vec<Problem>> {
    let dir = file.parent().unwrap_or(Path::new(""));
    let problems = Problems::default();
    let value = toml_span::parse(text).map_err(|error| {
        vec![Problem {
            span: error.span.into(),
            message: error.to_string(),
            help: Some("this is not TOML; the rest is looked at once it is".to_owned()),
        }]
    })?;
    let Some(mut root) = Section::of(value, "the file", &problems) else {
        return Err(problems.into_sorted());
    };
    root.span = (0..0).into();

    let name: Option<At<SiteName>> = root.parsed("site");
    if name.is_none() && !root.was_written("site") {
        root.missing("site", "the site's name: site = \"example\"");
    }
    let languages = languages(&mut root);
    let title = local_text(&mut root, "title", &languages);
    let title = title.unwrap_or_else(|| match &name {
        Some(name) => one_text(&languages, name.value.as_str()),
        None => LocalText::default(),
    });
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
    };
    let publish = match root.section("publish") {
        Some(section) => Publish::read(section, dir),
        None => Publish::default_in(dir),
    };
    root.finish();

    let (routes, canaries, warnings) = check::across(&draft, &problems);
    let problems = problems.into_sorted();
    let Some(name) = name.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    Ok(Site {
        file: file.to_owned(),
        site: name.value,
        title,
        languages,
        services: draft.services.into_iter().map(|(s, _)| s).collect(),
        collections: draft.collections.into_iter().map(|(c, _)| c).collect(),
        components: draft.components.into_iter().map(|(c, _)| c).collect(),
        routes,
        canaries,
        publish,
        warnings,
    })
}

fn languages(root: &mut Section<'_, '_>) -> Vec<String> {
    let mut languages = Vec::new();
    for tag in root.texts("languages") {
        if !is_language(&tag.value) {
            root.problems.add(
                tag.span,
                format!(
                    "{:?} is not a language: expected two or three of a-z, as in \"ko\"",
                    tag.value
                ),
            );
        } else if languages.contains(&tag.value) {
            root.problems
                .add(tag.span, format!("language {:?} stands twice", tag.value));
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
    let name = format!("`{key}` of {}", section.name);
    let mut table = Section::of(value, name, section.problems)?;
    let mut texts = table.rest_as_texts();
    for (tag, _) in &texts {
        if !languages.contains(&tag.value) {
            section.problems.add_with_help(
                tag.span,
                format!("{:?} is not one of the site's languages", tag.value),
                format!("languages = {languages:?}"),
            );
        }
    }
    // The default language first, whatever the order in the file: it is what others fall back to.
    let place = |tag: &At<String>| languages.iter().position(|l| *l == tag.value);
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
) -> Vec<(Service, toml_span::Span)> {
    let mut services = Vec::new();
    for (name, mut section) in root.named::<ServiceName>("service") {
        let probe = section.text("probe");
        if let Some(probe) = &probe
            && !probe.value.starts_with('/')
        {
            section.problems.add(
                probe.span,
                "`probe` must be a path on the origin, starting with /",
            );
        }
        let service = Service {
            title: local_text(&mut section, "title", languages)
                .unwrap_or_else(|| one_text(languages, name.as_str())),
            meanwhile: local_text(&mut section, "meanwhile", languages).unwrap_or_default(),
            probe: probe.map_or_else(|| "/".to_owned(), |probe| probe.value),
            name,
        };
        let span = section.span;
        section.finish();
        services.push((service, span));
    }
    // A site that is one thing need not name its parts.
    if services.is_empty()
        && let Ok(name) = "pages".parse()
    {
        let service = Service {
            name,
            title: site_title.clone(),
            meanwhile: LocalText::default(),
            probe: "/".to_owned(),
        };
        services.push((service, (0..0).into()));
    }
    services
}

fn collections(root: &mut Section<'_, '_>, dir: &Path) -> Vec<(Collection, toml_span::Span)> {
    let mut collections = Vec::new();
    for (name, mut section) in root.named::<CollectionName>("collection") {
        let span = section.span;
        let source = match section.section("source") {
            Some(table) => source::read(table, dir),
            None => {
                section.missing(
                    "source",
                    "one of { folder = .. }, { ndjson = .., key = .. }, { csv = .., key = .. }, \
                     { sqlite = .., query = .., key = .. }",
                );
                None
            }
        };
        let privacy = section.text("privacy");
        let privacy = match privacy {
            None => Privacy::Public,
            Some(text) => Privacy::from_name(&text.value).unwrap_or_else(|| {
                section.problems.add(
                    text.span,
                    format!(
                        "{:?} is not a privacy: expected public, unlisted or sealed",
                        text.value
                    ),
                );
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
            collections.push((collection, span));
        }
    }
    collections
}

fn components(root: &mut Section<'_, '_>, dir: &Path) -> Vec<(Component, toml_span::Span)> {
    let mut components = Vec::new();
    for (name, mut section) in root.named::<ComponentName>("component") {
        let span = section.span;
        match section.text("file") {
            Some(file) => {
                let file = resolve(dir, &file.value);
                components.push((Component { name, file }, span));
            }
            None => section.missing("file", "the .wasm file of the component"),
        }
        section.finish();
    }
    components
}
