//! The site's plain emergency pages: what a reader gets when there is nothing better.
//!
//! Small, self-contained and made without a guest, the disk or the origin, so that they can
//! always be made. Each says what happened to the request, what is down and what to do. A program
//! that asked for JSON gets the same as a problem document (RFC 9457).

mod html;
mod problem;

use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use snapshot::Timestamp;

use super::draft::Draft;
use super::finish::vary_on;
use super::reader::Reader;
use super::state::PageState;

/// What `Retry-After` says, seconds: about the time in which a breaker closes again.
const RETRY_AFTER_S: u16 = 30;

/// Why there is nothing better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The origin is gone and nothing is held that could answer: 503.
    Unavailable,
    /// The copy does not have it, which does not prove that it does not exist: 503.
    NotInOurCopy,
    /// Proven absent: 404.
    NotFound,
    /// A write that was never sent on, for its service is down: 503.
    WriteRefused,
    /// A write that died on its way: 502, without an invitation to repeat it.
    WriteUnknown,
    /// The guest failed: 503.
    ComponentFailed,
    /// The origin answered nonsense and there is no copy: 502.
    BadGateway,
    /// The origin did not answer in time and there is no copy: 504.
    GatewayTimeout,
    /// The copy is older than the route can stand for: 503.
    TooOld,
    /// More requests than the edge takes on: 503.
    Overloaded,
    /// A host that no site here has: 421.
    Misdirected,
    /// Not a request: 400.
    BadRequest,
    /// A method that the snapshot cannot answer: 405.
    MethodNotAllowed,
    /// A body beyond its limit: 413.
    ContentTooLarge,
    /// A target beyond its limit: 414.
    UriTooLong,
    /// Header fields beyond their limit: 431.
    HeadersTooLarge,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Unavailable,
        Self::NotInOurCopy,
        Self::NotFound,
        Self::WriteRefused,
        Self::WriteUnknown,
        Self::ComponentFailed,
        Self::BadGateway,
        Self::GatewayTimeout,
        Self::TooOld,
        Self::Overloaded,
        Self::Misdirected,
        Self::BadRequest,
        Self::MethodNotAllowed,
        Self::ContentTooLarge,
        Self::UriTooLong,
        Self::HeadersTooLarge,
    ];

    /// Its status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unavailable
            | Self::NotInOurCopy
            | Self::WriteRefused
            | Self::ComponentFailed
            | Self::TooOld
            | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WriteUnknown | Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    /// Its name in logs, metrics and problem documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::NotInOurCopy => "not-in-our-copy",
            Self::NotFound => "not-found",
            Self::WriteRefused => "write-refused",
            Self::WriteUnknown => "write-unknown",
            Self::ComponentFailed => "component-failed",
            Self::BadGateway => "bad-gateway",
            Self::GatewayTimeout => "gateway-timeout",
            Self::TooOld => "too-old",
            Self::Overloaded => "overloaded",
            Self::Misdirected => "misdirected",
            Self::BadRequest => "bad-request",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::ContentTooLarge => "content-too-large",
            Self::UriTooLong => "uri-too-long",
            Self::HeadersTooLarge => "headers-too-large",
        }
    }

    /// Whether the page tells of the site's troubles: not where the mistake is the request's.
    const fn tells_of_the_site(self) -> bool {
        !matches!(
            self,
            Self::Misdirected
                | Self::BadRequest
                | Self::ContentTooLarge
                | Self::UriTooLong
                | Self::HeadersTooLarge
        )
    }
}

/// What a reader may refer to later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Short, and easy to read aloud.
    pub reference: String,
    /// When it was given.
    pub at: Timestamp,
}

/// The page of `kind`, or the problem document, with a link to the site's notice page where it
/// has one.
#[must_use]
pub fn emergency(
    kind: Kind,
    reader: &Reader,
    state: &PageState,
    notice_page: Option<&str>,
) -> Draft {
    with_receipt(kind, reader, state, notice_page, None)
}

/// The same, with what its reader may refer to.
pub(crate) fn with_receipt(
    kind: Kind,
    reader: &Reader,
    state: &PageState,
    notice_page: Option<&str>,
    receipt: Option<&Receipt>,
) -> Draft {
    let mut draft = if reader.wants_json() {
        Draft::new(
            kind.status(),
            "application/problem+json",
            problem::document(kind, state, receipt),
        )
    } else {
        Draft::new(
            kind.status(),
            "text/html; charset=utf-8",
            html::page(kind, state, notice_page, receipt),
        )
    };
    vary_on(&mut draft.headers, "Accept");
    // A write that may have arrived must not be repeated by a machine.
    if kind.status() == StatusCode::SERVICE_UNAVAILABLE || kind == Kind::GatewayTimeout {
        draft
            .headers
            .insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
    }
    if kind == Kind::MethodNotAllowed {
        draft
            .headers
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    draft
}

#[cfg(test)]
mod tests;
