//! How a request would be answered, told without answering it: the origin is not asked, nothing is
//! counted or logged, and no turn of a recovering service is used up.
//!
//! A URL can hold a capability, and a query anything. So it comes in a body, and of it nothing goes
//! back but the host and the route's template; of the answer's fields only those that say nothing of
//! their address.

mod question;
mod tell;

use http::Response;
use http::header::{
    ACCEPT_RANGES, AGE, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_TYPE, ETAG, HeaderName, REFERRER_POLICY, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http_body::Body as _;
use serde::{Deserialize, Serialize};

pub use question::Question;
pub(super) use tell::Telling;
pub use tell::why;

use super::access::AnsweredBy;
use super::status::ServiceStatus;
use crate::origin::headers::OWN_PREFIX;
use crate::page::AnswerBody;
use crate::sync::OrderStatus;

/// Fields of an answer whose values are told.
const TOLD: [HeaderName; 14] = [
    ACCEPT_RANGES,
    AGE,
    ALLOW,
    CACHE_CONTROL,
    HeaderName::from_static("cache-status"),
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    ETAG,
    REFERRER_POLICY,
    RETRY_AFTER,
    VARY,
    X_CONTENT_TYPE_OPTIONS,
];

/// What stands for the value of any other.
const HIDDEN: &str = "(not shown: it may name the address)";

/// What `POST /why` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// The edge that was asked.
    pub edge: String,
    /// The site, where the host has one.
    pub site: Option<String>,
    /// The template of the route that the path takes.
    pub route: Option<String>,
    /// Who answers for the route's service; named `-` where no route claims the path.
    pub service: Option<ServiceStatus>,
    /// The orders of the site and of the service.
    pub orders: Vec<OrderStatus>,
    /// The release in use.
    pub release: Option<ReleaseFacts>,
    /// The component that answers the route.
    pub component: Option<ComponentFacts>,
    /// The collection whose files answer the route.
    pub collection: Option<String>,
    /// The remembered answer that would be given: always `null`, for an edge remembers none yet.
    pub memo: Option<String>,
    /// What the reader would get; `null` where that is the origin's to say.
    pub answer: Option<Answer>,
    /// What the reader would get if the origin failed; `null` where it would not be asked.
    pub without_origin: Option<Answer>,
    /// How that was found, in order.
    pub steps: Vec<Step>,
}

/// The release in use, by the route's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseFacts {
    /// Its place in the site's history.
    pub sequence: u64,
    /// When it was known to be true.
    pub as_of: String,
    /// Edge time minus that, seconds.
    pub age_s: u64,
    /// `fresh`, `stale` or `too-old` by the route's limits; `null` where no route claims the path.
    pub freshness: Option<String>,
    /// How many of its canaries take the route.
    pub canaries: usize,
}

/// A component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentFacts {
    /// Its name in the manifest.
    pub name: String,
    /// The hash of its bytes, hex.
    pub digest: String,
}

/// An answer that was made and thrown away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who made it: `snapshot` or `edge`.
    pub by: String,
    /// The status.
    pub status: u16,
    /// The fields; of those that may name the address the value is left out.
    pub headers: Vec<(String, String)>,
    /// Bytes of the content, where they are known.
    pub bytes: Option<u64>,
}

/// One step on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its name: `host`, `route`, `service`, `orders`, `release`, `who`, `component`, `memo`, `answer`.
    pub step: String,
    /// What was found, one or more lines.
    pub found: Vec<String>,
    /// How long it took, microseconds; `null` where there was nothing to do.
    pub took_us: Option<f64>,
}

impl Answer {
    /// What of `answer` may be told.
    pub(super) fn of(answer: &Response<AnswerBody>, by: AnsweredBy) -> Self {
        let told = |name: &HeaderName| TOLD.contains(name) || name.as_str().starts_with(OWN_PREFIX);
        let headers = answer.headers().iter().map(|(name, value)| {
            let value = if told(name) {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            } else {
                HIDDEN.to_owned()
            };
            (name.to_string(), value)
        });
        Self {
            by: by.as_str().to_owned(),
            status: answer.status().as_u16(),
            headers: headers.collect(),
            bytes: answer.body().size_hint().exact(),
        }
    }
}
