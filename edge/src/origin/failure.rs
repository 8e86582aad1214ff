//! Whose fault it was, and what follows from it.
//!
//! Only what the origin did may make the snapshot answer in its place; what the reader did is
//! told to the reader. And of the origin's failures only those that say "it is gone" are held
//! against it by the breaker: an error page for one URL is an answer.

use http::StatusCode;

use crate::mode::breaker::Outcome;

/// Why the origin's answer cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection within its limit, or refused.
    #[error("the origin cannot be reached")]
    Connect,
    /// The connection broke before the answer was whole.
    #[error("the origin broke off")]
    Reset,
    /// Nothing came within its limit.
    #[error("the origin did not begin to answer in time")]
    FirstByte,
    /// It began, but did not get to an end within its limit.
    #[error("the origin did not finish its answer in time")]
    TooSlow,
    /// What came is not HTTP, or beyond the limits of a head.
    #[error("the origin's answer cannot be read")]
    Nonsense,
    /// A 5xx.
    #[error("the origin answered {0}")]
    Status(StatusCode),
    /// The reader's own body broke off.
    #[error("the request's body broke off")]
    ReaderGone,
    /// The reader's body is beyond its limit.
    #[error("the request's body is too large")]
    ReaderTooLarge,
}

impl Failure {
    /// True for what the origin did. Only this makes a GET fall back (compare RFC 9111 section
    /// 4.2.4, which allows stale answers only when disconnected from the origin).
    #[must_use]
    pub const fn is_origins(self) -> bool {
        !matches!(self, Self::ReaderGone | Self::ReaderTooLarge)
    }

    /// What the breaker is told, if anything.
    #[must_use]
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Connect | Self::Reset | Self::FirstByte => Some(Outcome::Gone),
            Self::Status(
                StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT,
            ) => Some(Outcome::Gone),
            Self::Status(_) | Self::TooSlow | Self::Nonsense => Some(Outcome::Answered),
            Self::ReaderGone | Self::ReaderTooLarge => None,
        }
    }

    /// Its name in logs, metrics, status and `Cache-Status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Reset => "reset",
            Self::FirstByte => "first-byte-timeout",
            Self::TooSlow => "too-slow",
            Self::Nonsense => "nonsense",
            Self::Status(_) => "origin-5xx",
            Self::ReaderGone => "reader-gone",
            Self::ReaderTooLarge => "reader-too-large",
        }
    }
}
