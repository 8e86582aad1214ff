//! How long an answer may be kept, by whom, and how it explains itself.
//!
//! What depends on a mode must be gone from a CDN seconds after the mode is, so that recovery
//! needs no purge: such answers get five seconds at a shared cache and none at a browser, and
//! nothing permits serving them stale.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

/// `Cache-Control` of pages whose content depends on modes, notices or age.
const PAGE: &str = "public, max-age=0, s-maxage=5";
/// Of what tells of a site's status: so many may ask, and so old it may be.
const STATUS: &str = "public, max-age=10, s-maxage=10";
/// Of files that keep their name when they change.
const ASSET: &str = "public, max-age=60, s-maxage=300";
/// Of files whose name is their hash: one year, RFC 8246.
const HASHED: &str = "public, max-age=31536000, immutable";
/// Of what one reader's credentials opened.
const PRIVATE: &str = "private, no-store";
/// Of every failure.
const NO_STORE: &str = "no-store";

/// How one answer may be kept and what it says of its making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    /// How long it may be kept. Failures are never kept, whatever stands here.
    pub lifetime: Lifetime,
    /// Whether the language was negotiated, so that caches must tell readers apart by it.
    pub negotiated: bool,
    /// Whether the address holds a capability, which no `Referer` may carry on.
    pub below_capability: bool,
    /// How it was made.
    pub status: CacheStatus,
    /// The time since this edge made it.
    pub age: Duration,
}

impl CachePolicy {
    /// For an answer made just now by the edge called `cache`.
    #[must_use]
    pub fn new(lifetime: Lifetime, cache: &str, outcome: CacheOutcome) -> Self {
        Self {
            lifetime,
            negotiated: true,
            below_capability: false,
            status: CacheStatus {
                cache: cache.to_owned(),
                outcome,
                ttl_s: None,
                detail: None,
            },
            age: Duration::ZERO,
        }
    }
}

/// How long an answer may be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// Never, and by nobody but its reader: a `single` route.
    #[default]
    Private,
    /// Never.
    NoStore,
    /// A page: seconds.
    Page,
    /// What tells of a site's status, page or not: ten seconds.
    Status,
    /// A file that is not a page: minutes.
    Asset,
    /// A file named by its hash: for good.
    Hashed,
}

impl Lifetime {
    /// The `Cache-Control` of an answer with `status`. A page never lives as long as a file, for
    /// it carries the banner.
    #[must_use]
    pub fn cache_control(self, status: StatusCode, html: bool) -> &'static str {
        let absent = matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
        let failed = status.is_server_error() || status.is_client_error() && !absent;
        match self {
            Self::Private => PRIVATE,
            _ if failed => NO_STORE,
            Self::NoStore => NO_STORE,
            Self::Status => STATUS,
            Self::Asset | Self::Hashed if html => PAGE,
            Self::Page => PAGE,
            Self::Asset if status.is_success() => ASSET,
            Self::Hashed if status.is_success() => HASHED,
            Self::Asset | Self::Hashed => PAGE,
        }
    }
}

/// One member of `Cache-Status` (RFC 9211), written by [`fmt::Display`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheStatus {
    /// The edge's name.
    pub cache: String,
    /// Where the answer came from.
    pub outcome: CacheOutcome,
    /// How long its data stays fresh, seconds; negative once stale.
    pub ttl_s: Option<i64>,
    /// A word on why: `snapshot`, `breaker-open`, `connect`.
    pub detail: Option<&'static str>,
}

/// Where an answer came from, in RFC 9211's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheOutcome {
    /// From the edge's copy.
    Hit,
    /// From the origin, which was asked for the reason named (section 2.2: `bypass`, `miss`) and
    /// gave this status, if it gave one.
    Forwarded(&'static str, Option<u16>),
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_item(f, &self.cache)?;
        match self.outcome {
            CacheOutcome::Hit => f.write_str("; hit")?,
            CacheOutcome::Forwarded(reason, status) => {
                write!(f, "; fwd={reason}")?;
                if let Some(status) = status {
                    write!(f, "; fwd-status={status}")?;
                }
            }
        }
        if let Some(ttl) = self.ttl_s {
            write!(f, "; ttl={ttl}")?;
        }
        if let Some(detail) = self.detail {
            write!(f, "; detail={detail}")?;
        }
        Ok(())
    }
}

/// A token where the name is one (RFC 9651 section 3.3.4), else a string without what a string
/// cannot hold.
fn write_item(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let token = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&b));
    if token {
        return f.write_str(name);
    }
    let held: String = name
        .chars()
        .filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
        .collect();
    write!(f, "\"{held}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_never_kept_and_pages_never_long() {
        let ok = StatusCode::OK;
        assert_eq!(Lifetime::Page.cache_control(ok, true), PAGE);
        assert_eq!(Lifetime::Asset.cache_control(ok, false), ASSET);
        assert_eq!(Lifetime::Asset.cache_control(ok, true), PAGE);
        assert_eq!(Lifetime::Hashed.cache_control(ok, false), HASHED);
        assert_eq!(
            Lifetime::Asset.cache_control(StatusCode::NOT_FOUND, false),
            PAGE
        );
        for html in [true, false] {
            assert_eq!(Lifetime::Status.cache_control(ok, html), STATUS);
        }
        for lifetime in [
            Lifetime::NoStore,
            Lifetime::Status,
            Lifetime::Page,
            Lifetime::Asset,
            Lifetime::Hashed,
        ] {
            for status in [503, 502, 421, 400, 431].map(|code| StatusCode::from_u16(code).unwrap())
            {
                assert_eq!(lifetime.cache_control(status, true), NO_STORE);
            }
        }
        for status in [ok, StatusCode::SERVICE_UNAVAILABLE] {
            assert_eq!(Lifetime::Private.cache_control(status, true), PRIVATE);
        }
    }

    #[test]
    fn cache_status_is_written_by_rfc_9211() {
        let mut policy = CachePolicy::new(Lifetime::Page, "seoul-1", CacheOutcome::Hit);
        assert_eq!(policy.status.to_string(), "seoul-1; hit");
        policy.status.ttl_s = Some(-30);
        policy.status.detail = Some("snapshot");
        assert_eq!(
            policy.status.to_string(),
            "seoul-1; hit; ttl=-30; detail=snapshot"
        );
        policy.status = CacheStatus {
            cache: "1 \"edge\"\r\n가".to_owned(),
            outcome: CacheOutcome::Forwarded("bypass", Some(200)),
            ttl_s: None,
            detail: None,
        };
        assert_eq!(
            policy.status.to_string(),
            "\"1 edge\"; fwd=bypass; fwd-status=200"
        );
    }
}
