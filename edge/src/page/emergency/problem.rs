//! The same as a problem document (RFC 9457), for programs.

use serde::Serialize;
use snapshot::Timestamp;

use super::{Kind, Receipt};
use crate::page::catalogue::Tongue;
use crate::page::state::PageState;

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<Down<'a>>,
}

#[derive(Serialize)]
struct Down<'a> {
    name: &'a str,
    title: &'a str,
    meanwhile: &'a str,
    since: Option<String>,
}

pub(super) fn document(kind: Kind, state: &PageState, receipt: Option<&Receipt>) -> String {
    let words = Tongue::of(&state.language).emergency(kind);
    let told = kind.tells_of_the_site();
    let problem = Problem {
        kind: format!("urn:holdfast:problem:{}", kind.as_str()),
        title: words.title,
        status: kind.status().as_u16(),
        detail: words.detail,
        as_of: state.as_of().filter(|_| told).map(minute),
        reference: receipt.map(|receipt| receipt.reference.as_str()),
        at: receipt.map(|receipt| receipt.at.rfc3339()),
        services: state
            .degraded()
            .filter(|_| told)
            .map(|service| Down {
                name: service.name.as_str(),
                title: &service.title,
                meanwhile: &service.meanwhile,
                since: service.since.map(minute),
            })
            .collect(),
    };
    // Strings, numbers and options always serialise.
    serde_json::to_string(&problem).unwrap_or_default()
}

fn minute(at: Timestamp) -> String {
    at.floor_minute().rfc3339()
}
