//! `[service.NAME.breaker]`: when the edges stop asking the origin, and when they ask it again.

use std::ops::RangeInclusive;
use std::time::Duration;

use edge::settings::Section;
use snapshot::manifest::{
    BREAKER_CHANGES, BREAKER_FAILURES, BREAKER_PATHS, BREAKER_PROBE_FIRST_MS,
    BREAKER_PROBE_MOST_MS, BREAKER_SHARE, BREAKER_STEP_MS, BREAKER_VOLUME, BREAKER_WINDOW_MS,
    Thresholds,
};

/// Reads the table; what it does not say stays as it is by default.
pub(super) fn read(mut section: Section<'_, '_>) -> Thresholds {
    let mut read = Thresholds::default();
    for (key, fits, threshold) in [
        ("volume", BREAKER_VOLUME, &mut read.volume),
        ("failures", BREAKER_FAILURES, &mut read.failures),
        ("share", BREAKER_SHARE, &mut read.share),
        ("paths", BREAKER_PATHS, &mut read.paths),
        ("changes", BREAKER_CHANGES, &mut read.changes),
    ] {
        if let Some(number) = number(&mut section, key, &fits) {
            *threshold = number;
        }
    }
    for (key, fits, threshold) in [
        ("window", BREAKER_WINDOW_MS, &mut read.window_ms),
        (
            "probe-first",
            BREAKER_PROBE_FIRST_MS,
            &mut read.probe_first_ms,
        ),
        ("probe-most", BREAKER_PROBE_MOST_MS, &mut read.probe_most_ms),
        ("step", BREAKER_STEP_MS, &mut read.step_ms),
    ] {
        let of = |ms: &u64| Duration::from_millis(*ms);
        if let Some(duration) = section.duration(key, of(fits.start())..=of(fits.end())) {
            *threshold = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        }
    }
    // What is beyond its own bounds was left out above, so this is about two that do not go together.
    if let Err(what) = read.check() {
        let message = format!("{}: {what}", section.name());
        section.problems().add(section.span(), message);
    }
    section.finish();
    read
}

fn number(
    section: &mut Section<'_, '_>,
    key: &'static str,
    fits: &RangeInclusive<u64>,
) -> Option<u32> {
    let number = section.integer(key)?;
    let read = u64::try_from(number.value).ok();
    let read = read.filter(|read| fits.contains(read));
    if read.is_none() {
        let label = format!("expected from {} to {}", fits.start(), fits.end());
        let message = format!("`{key}` is {}", number.value);
        section.problems().add(number.span, message).label(label);
    }
    read.and_then(|read| u32::try_from(read).ok())
}
