//! What a route's component is told: a GET of the route's own path, and the edge's context in
//! header fields that no client can set. Exactly what the route declares, nothing else.

use http::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use serde::Serialize;
use snapshot::manifest::{Isolation, Route, Service};
use snapshot::{Language, LocalText, Manifest, Timestamp};

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
    #[serde(skip_serializing_if = "Option::is_none")]
    texts: Option<Words>,
}

/// The same words in several languages.
type Words = Vec<(Language, String)>;

/// One entry of `holdfast-services`.
#[derive(Serialize)]
struct ServiceHeader {
    name: String,
    title: String,
    meanwhile: String,
    state: &'static str,
    mode: &'static str,
    since: Option<String>,
    back: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    titles: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meanwhiles: Option<Words>,
}

/// What the component of `route` is told whatever is asked: fields and their values.
#[must_use]
pub fn always_told(manifest: &Manifest, route: &Route) -> Vec<(&'static str, String)> {
    let mut told = vec![
        ("holdfast-site", manifest.site.to_string()),
        ("holdfast-route", normal_template(&route.path)),
        ("holdfast-languages", manifest.languages.join(",")),
        ("holdfast-privacy", privacy(manifest, route)),
    ];
    let template = route.template.as_deref();
    told.extend(template.map(|template| ("holdfast-template", encode(template))));
    if route.status {
        told.push(("holdfast-title", json(&manifest.title.0)));
    }
    told
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
        isolation: route.isolation,
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
    for (name, value) in always_told(manifest, route) {
        fields.set(name, &value);
    }
    for (name, value) in &matched.params {
        fields.set(&format!("holdfast-param-{name}"), &encode(value));
    }
    if let (Isolation::Single, Some(capability)) = (route.isolation, &matched.capability) {
        fields.secret("holdfast-capability", &encode(capability.expose()));
    }
    fields.set("holdfast-language", &state.language);
    fields.set(
        "holdfast-as-of",
        &release.release.as_of.floor_minute().rfc3339(),
    );
    fields.set("holdfast-freshness", freshness.as_str());
    fields.set("holdfast-modes", &modes(state));
    fields.set("holdfast-notices", &json(&notices(state, route)));
    fields.set(
        "holdfast-services",
        &json(&services(manifest, state, route)),
    );
    if route.status {
        let release = release.release.sequence.to_string();
        fields.set("holdfast-release", &release);
    }
    if route.now {
        fields.set("holdfast-now", &now.floor_minute().rfc3339());
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

fn notices(state: &PageState, route: &Route) -> Vec<NoticeHeader> {
    let lines = state.newest_notices().into_iter();
    let header = |line: &NoticeLine| NoticeHeader {
        scope: line.scope.to_string(),
        at: line.at.rfc3339(),
        language: line.language.clone(),
        text: line.text.clone(),
        texts: route.status.then(|| line.texts.clone()),
    };
    lines.map(header).collect()
}

fn services(manifest: &Manifest, state: &PageState, route: &Route) -> Vec<ServiceHeader> {
    let every = |service: &ServiceState, words: fn(&Service) -> &LocalText| {
        let declared = manifest.service(&service.name).filter(|_| route.status);
        declared.map(|declared| words(declared).0.clone())
    };
    let header = |service: &ServiceState| ServiceHeader {
        name: service.name.to_string(),
        title: service.title.clone(),
        meanwhile: service.meanwhile.clone(),
        state: source(service.degraded),
        mode: service.mode,
        since: service.since.map(Timestamp::rfc3339),
        back: service.back.map(Timestamp::rfc3339),
        titles: every(service, |declared| &declared.title),
        meanwhiles: every(service, |declared| &declared.meanwhile),
    };
    state.services.iter().map(header).collect()
}

fn privacy(manifest: &Manifest, route: &Route) -> String {
    let collections = route.collections.iter();
    let known = collections.filter_map(|name| manifest.collection(name));
    let members: Vec<String> = known
        .map(|known| format!("{}={}", known.name, known.privacy.as_str()))
        .collect();
    members.join(",")
}

fn json<T: Serialize>(value: &T) -> String {
    // Plain structs of strings cannot fail to be written.
    encode(&serde_json::to_string(value).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use snapshot::Scope;

    use super::super::RequestPath;
    use super::*;
    use crate::fixture;
    use crate::page::{Source, UtcOffset};

    fn state() -> PageState {
        let service = |name: &str, degraded| ServiceState {
            name: name.parse().unwrap(),
            title: "다솜페이".to_owned(),
            meanwhile: String::new(),
            degraded,
            mode: "normal",
            back: None,
            since: degraded.then_some(Timestamp::from_secs(60)),
        };
        PageState {
            site_title: "다솜".to_owned(),
            language: "ko".to_owned(),
            services: vec![service("pay", true), service("club", false)],
            notices: vec![NoticeLine {
                scope: Scope::Site,
                at: Timestamp::from_secs(120),
                language: "ko".to_owned(),
                text: "점검".to_owned(),
                texts: vec![("ko".to_owned(), "점검".to_owned())],
            }],
            source: Source::Origin,
            offset: UtcOffset::default(),
        }
    }

    fn told(route: Route, target: &str) -> GuestRequest {
        let dir = tempfile::tempdir().unwrap();
        let as_of = Timestamp::from_secs(90);
        let release = fixture::loaded(dir.path(), vec![route], &[("k", "v")], as_of);
        let (path, query) = target.split_once('?').unwrap();
        let matched = release.routes.find(&RequestPath::parse(path).unwrap());
        let now = Timestamp::from_secs(150);
        let matched = matched.unwrap();
        request(
            &release,
            &matched,
            Some(query),
            &state(),
            Freshness::Stale,
            now,
        )
        .unwrap()
    }

    #[test]
    fn a_guest_is_told_what_its_route_declares_and_nothing_else() {
        let mut route = fixture::component("/i/{id}/{cap}/", "invitation");
        route.capability = Some("cap".to_owned());
        route.collections = vec!["files".parse().unwrap()];
        route.query = vec!["page".to_owned()];
        let asked = told(route.clone(), "/i/%EA%B0%80/s3cret/?utm=1&page=2");
        assert_eq!(asked.uri, "/i/%EA%B0%80/?page=2");
        assert!(!format!("{:?}", asked.headers).contains("s3cret"));
        let field = |name: &str| asked.headers.get(name).map(|v| v.to_str().unwrap());
        for (name, expected) in [
            ("holdfast-site", "dasom"),
            ("holdfast-route", "/i/{id}/{cap}/"),
            ("holdfast-param-id", "%EA%B0%80"),
            ("holdfast-language", "ko"),
            ("holdfast-languages", "ko,en"),
            ("holdfast-as-of", "1970-01-01T00:01:00Z"),
            ("holdfast-freshness", "stale"),
            ("holdfast-modes", "club=normal,pay=degraded"),
            ("holdfast-privacy", "files=public"),
        ] {
            assert_eq!(field(name), Some(expected), "{name}");
        }
        let notices = super::super::path::decode(field("holdfast-notices").unwrap()).unwrap();
        let notices: serde_json::Value = serde_json::from_str(&notices).unwrap();
        assert_eq!(notices[0]["text"], "점검");
        let services = super::super::path::decode(field("holdfast-services").unwrap()).unwrap();
        let services: serde_json::Value = serde_json::from_str(&services).unwrap();
        assert_eq!(services[0]["since"], "1970-01-01T00:01:00Z");
        assert_eq!(notices[0].get("texts"), None);
        for absent in [
            "holdfast-now",
            "holdfast-capability",
            "holdfast-param-cap",
            "holdfast-title",
            "holdfast-release",
        ] {
            assert_eq!(field(absent), None);
        }

        let status = Route {
            status: true,
            ..route.clone()
        };
        let asked = told(status, "/i/a/s3cret/?");
        let read = |name: &str| -> serde_json::Value {
            let field = asked.headers.get(name).unwrap().to_str().unwrap();
            let json = super::super::path::decode(field).unwrap();
            serde_json::from_str(&json).unwrap()
        };
        assert_eq!(read("holdfast-title")[1][1], "Dasom");
        assert_eq!(read("holdfast-notices")[0]["texts"][0][1], "점검");
        assert_eq!(read("holdfast-services")[0]["titles"][1][1], "Dasom Pay");
        assert_eq!(read("holdfast-services")[0]["mode"], "normal");
        assert_eq!(read("holdfast-release"), 7);

        route.isolation = Isolation::Single;
        route.now = true;
        let asked = told(route, "/i/a/s3cret/?");
        assert_eq!(asked.headers.get("holdfast-capability").unwrap(), "s3cret");
        assert_eq!(
            asked.headers.get("holdfast-now").unwrap(),
            "1970-01-01T00:02:00Z"
        );
        assert!(!format!("{:?}", asked.headers).contains("s3cret"));
    }
}
