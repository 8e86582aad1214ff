//! What a route's component is told: a GET of the route's own path, and the edge's context in
//! header fields that no client can set. Exactly what the route declares, nothing else.

use http::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use serde::Serialize;
use snapshot::Timestamp;
use snapshot::manifest::{Isolation, Route};

use super::path::{declared_query, encode};
use super::routes::{Matched, normal_template};
use crate::copy::LoadedRelease;
use crate::host::GuestRequest;
use crate::page::{Freshness, NoticeLine, PageState, ServiceState};

/// One entry of `holdfast-notices`.
#[derive(Serialize)]
struct NoticeHeader {
    scope: String,
    at: String,
    language: String,
    text: String,
}

/// One entry of `holdfast-services`.
#[derive(Serialize)]
struct ServiceHeader {
    name: String,
    title: String,
    meanwhile: String,
    state: &'static str,
    since: Option<String>,
}

/// The request that the component of `matched` gets. `None` when its parts fit no request.
pub(super) fn request(
    release: &LoadedRelease,
    matched: &Matched,
    query: Option<&str>,
    state: &PageState,
    freshness: Freshness,
    now: Timestamp,
) -> Option<GuestRequest> {
    let route = &matched.route;
    let target = match declared_query(query, &route.query) {
        Some(query) => format!("{}?{query}", matched.path),
        None => matched.path.clone(),
    };
    Some(GuestRequest {
        method: Method::GET,
        uri: target.parse::<Uri>().ok()?,
        headers: headers(release, matched, state, freshness, now),
    })
}

fn headers(
    release: &LoadedRelease,
    matched: &Matched,
    state: &PageState,
    freshness: Freshness,
    now: Timestamp,
) -> HeaderMap {
    let route = &matched.route;
    let manifest = &release.manifest;
    let mut fields = Fields(HeaderMap::new());
    fields.set("holdfast-site", manifest.site.as_str());
    fields.set("holdfast-route", &normal_template(&route.path));
    for (name, value) in &matched.params {
        fields.set(&format!("holdfast-param-{name}"), &encode(value));
    }
    if let (Isolation::Single, Some(capability)) = (route.isolation, &matched.capability) {
        fields.secret("holdfast-capability", &encode(capability.expose()));
    }
    fields.set("holdfast-language", &state.language);
    fields.set("holdfast-languages", &manifest.languages.join(","));
    fields.set(
        "holdfast-as-of",
        &rfc3339(release.release.as_of.floor_minute()),
    );
    fields.set("holdfast-freshness", freshness.as_str());
    fields.set("holdfast-modes", &modes(state));
    fields.set("holdfast-notices", &json(&notices(state)));
    fields.set("holdfast-services", &json(&services(state)));
    fields.set("holdfast-privacy", &privacy(release, route));
    if let Some(template) = &route.template {
        fields.set("holdfast-template", &encode(template));
    }
    if route.now {
        fields.set("holdfast-now", &rfc3339(now.floor_minute()));
    }
    // What a stock host would have passed on, in its negotiated form.
    if let Ok(language) = HeaderValue::from_str(&state.language) {
        fields.0.insert(ACCEPT_LANGUAGE, language);
    }
    fields.0
}

fn modes(state: &PageState) -> String {
    let mut modes: Vec<String> = state
        .services
        .iter()
        .map(|service| format!("{}={}", service.name, source(service.degraded)))
        .collect();
    modes.sort_unstable();
    modes.join(",")
}

const fn source(degraded: bool) -> &'static str {
    if degraded { "degraded" } else { "normal" }
}

fn notices(state: &PageState) -> Vec<NoticeHeader> {
    let lines = state.newest_notices().into_iter();
    let header = |line: &NoticeLine| NoticeHeader {
        scope: line.scope.to_string(),
        at: rfc3339(line.at),
        language: line.language.clone(),
        text: line.text.clone(),
    };
    lines.map(header).collect()
}

fn services(state: &PageState) -> Vec<ServiceHeader> {
    let header = |service: &ServiceState| ServiceHeader {
        name: service.name.to_string(),
        title: service.title.clone(),
        meanwhile: service.meanwhile.clone(),
        state: source(service.degraded),
        since: service.since.map(rfc3339),
    };
    state.services.iter().map(header).collect()
}

fn privacy(release: &LoadedRelease, route: &Route) -> String {
    let collections = route.collections.iter();
    let known = collections.filter_map(|name| release.manifest.collection(name));
    let members: Vec<String> = known
        .map(|known| format!("{}={}", known.name, known.privacy.as_str()))
        .collect();
    members.join(",")
}

fn json<T: Serialize>(value: &T) -> String {
    // Plain structs of strings cannot fail to be written.
    encode(&serde_json::to_string(value).unwrap_or_default())
}

fn rfc3339(at: Timestamp) -> String {
    crate::sync::rfc3339(at)
}

struct Fields(HeaderMap);

impl Fields {
    /// Sets a field; what no field can hold is left out.
    fn set(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            self.0.insert(name, value);
        }
    }

    fn secret(&mut self, name: &'static str, value: &str) {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.0.insert(name, value);
        }
    }
}
