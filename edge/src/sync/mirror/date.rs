//! How far this machine's clock is from a source's, by the `Date` of its answers (RFC 9110 section
//! 6.6.1). A folder has none.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::UNIX_EPOCH;

use hyper::HeaderMap;
use hyper::header::{AGE, DATE, HeaderName};
use snapshot::Timestamp;

/// Nothing was said yet.
const UNKNOWN: i64 = i64::MIN;

/// What a source's last answer said.
#[derive(Clone, Debug)]
pub(super) struct ClockOff(Arc<AtomicI64>);

impl Default for ClockOff {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(UNKNOWN)))
    }
}

impl ClockOff {
    /// How far this machine's clock is behind, milliseconds.
    pub(super) fn behind_ms(&self) -> Option<i64> {
        let behind = self.0.load(Ordering::Relaxed);
        (behind != UNKNOWN).then_some(behind)
    }

    /// An answer came at `wall`.
    pub(super) fn see(&self, head: &HeaderMap, wall: Timestamp) {
        let text = |name: HeaderName| head.get(name).and_then(|value| value.to_str().ok());
        let date = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
        let Some(date) = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()) else {
            return;
        };
        // A cache on the way shows when the source answered, and how long ago that was.
        let age = text(AGE)
            .and_then(|age| age.parse::<u32>().ok())
            .unwrap_or(0);
        let source = i64::try_from(date.as_millis()).unwrap_or(i64::MAX);
        let source = source.saturating_add(i64::from(age).saturating_mul(1000));
        let wall = i64::try_from(wall.0).unwrap_or(i64::MAX);
        self.0.store(source.saturating_sub(wall), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_compared_with_the_clock_and_a_cache_is_seen_through() {
        let off = ClockOff::default();
        let mut head = HeaderMap::new();
        let wall = Timestamp::from_secs(1_795_323_900);
        off.see(&head, wall);
        assert_eq!(off.behind_ms(), None);
        head.insert(DATE, "Sun, 22 Nov 2026 05:04:30 GMT".parse().unwrap());
        off.see(&head, wall);
        assert_eq!(off.behind_ms(), Some(-30_000));
        head.insert(AGE, "40".parse().unwrap());
        off.see(&head, wall);
        assert_eq!(off.behind_ms(), Some(10_000));
        // What is no date says nothing.
        head.insert(DATE, "yesterday".parse().unwrap());
        off.see(&head, wall);
        assert_eq!(off.behind_ms(), Some(10_000));
    }
}
