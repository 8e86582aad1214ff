//! Checks across sections: every name must lead somewhere, and nothing may contradict itself.

use snapshot::manifest::{Canary, Privacy};
use snapshot::{CollectionName, ServiceName};

use super::problems::Problems;
use super::read::Draft;
use super::section::{At, Section};
use super::{Collection, Route, Source, route};

/// What a collection's privacy asks of its source.
pub(super) fn privacy(
    section: &Section<'_, '_>,
    privacy: Privacy,
    secret: Option<&At<String>>,
    source: Option<&Source>,
) {
    let problems = section.problems;
    if privacy == Privacy::Sealed && secret.is_none() {
        section.missing("secret", "the field that holds each record's capability");
    }
    if let Some(secret) = secret.filter(|_| privacy != Privacy::Sealed) {
        problems.add_with_help(
            secret.span,
            format!(
                "`secret` has no meaning for a {} collection",
                privacy.as_str()
            ),
            "privacy = \"sealed\"",
        );
    }
    if privacy != Privacy::Public && source.is_some_and(Source::is_folder) {
        problems.add(
            section.span,
            format!("{}: files of a folder can only be public", section.name),
        );
    }
}

/// Looks up every name; gives the routes and canaries that are good, and warnings.
pub(super) fn across(draft: &Draft, problems: &Problems) -> (Vec<Route>, Vec<Canary>, Vec<String>) {
    let mut matcher = matchit::Router::new();
    let mut routes = Vec::new();
    let mut folders = Vec::new();
    for route in &draft.routes {
        let service = service(draft, route, problems);
        names(draft, route, problems);
        parameters(route, problems);
        let Some((path, span)) = &route.path else {
            continue;
        };
        let text = path.to_string();
        if text.starts_with("/.holdfast") {
            problems.add(*span, "paths below /.holdfast are the edge's own");
        }
        match matcher.insert(text.clone(), routes.len()) {
            Err(matchit::InsertError::Conflict { with }) => problems.add(
                *span,
                format!("route {text} takes the same paths as {with}"),
            ),
            Err(other) => problems.add(*span, format!("route {text}: {other}")),
            Ok(()) => {}
        }
        if let (Some(folder), index) = (path.folder(), routes.len()) {
            folders.push((folder, index));
        }
        if let Some(resolved) = service.and_then(|service| route.resolved(service)) {
            routes.push(resolved);
        }
    }
    // As on an edge: a folder has an index, unless another route takes its path.
    for (folder, index) in folders {
        matcher.insert(folder, index).ok();
    }
    let mut warnings = Vec::new();
    let mut canaries = Vec::new();
    for canary in &draft.canaries {
        let Some(found) = &canary.canary else {
            continue;
        };
        let path = found.path.split('?').next().unwrap_or_default();
        match matcher.at(path) {
            Err(_) => problems.add(canary.span, format!("no route answers canary {path}")),
            Ok(matched) if !matched.params.is_empty() => {
                if let Some(route) = routes.get(*matched.value)
                    && hides_records(draft, route)
                {
                    warnings.push(format!(
                        "canary {path} on {}: manifests can be read by anyone who reads a \
                         mirror; use a record made for this purpose",
                        route.route.path
                    ));
                }
            }
            Ok(_) => {}
        }
        canaries.push(found.clone());
    }
    if draft.routes.is_empty() {
        warnings.push("no [[route]]: nothing of this site would be answered".to_owned());
    }
    (routes, canaries, warnings)
}

fn hides_records(draft: &Draft, route: &Route) -> bool {
    route
        .route
        .collections
        .iter()
        .filter_map(|name| collection(draft, name))
        .any(|collection| collection.privacy != Privacy::Public)
}

fn collection<'d>(draft: &'d Draft, name: &CollectionName) -> Option<&'d Collection> {
    draft
        .collections
        .iter()
        .map(|(collection, _)| collection)
        .find(|collection| &collection.name == name)
}

fn service(draft: &Draft, route: &route::Draft, problems: &Problems) -> Option<ServiceName> {
    match (&route.service, draft.services.as_slice()) {
        (Some(named), all) => {
            if all.iter().any(|(service, _)| service.name == named.value) {
                return Some(named.value.clone());
            }
            problems.add_with_help(
                named.span,
                format!("service `{}` is not declared", named.value),
                format!("[service.{}]", named.value),
            );
            None
        }
        (None, [(only, _)]) => Some(only.name.clone()),
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
            .any(|(declared, _)| declared.name == component.value)
    {
        problems.add_with_help(
            component.span,
            format!("component `{}` is not declared", component.value),
            format!("[component.{}] with its file", component.value),
        );
    }
    if let Some(assets) = &route.assets {
        match collection(draft, &assets.value) {
            None => undeclared(problems, assets),
            Some(collection) if !collection.source.is_folder() => problems.add(
                assets.span,
                format!(
                    "collection `{}` holds rows: `assets` needs one of a folder",
                    assets.value
                ),
            ),
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

fn undeclared(problems: &Problems, name: &At<CollectionName>) {
    problems.add_with_help(
        name.span,
        format!("collection `{}` is not declared", name.value),
        format!("[collection.{}] with its source", name.value),
    );
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
    if route.urls.is_some() && (route.assets.is_some() || path.params().count() == 0) {
        problems.add(
            *span,
            "`urls` is for components with parameters: the URLs of other routes are known",
        );
    }
}
