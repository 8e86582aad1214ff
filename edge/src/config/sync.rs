//! `[sync]`: what an edge takes from its sources.

use crate::settings::Section;

/// The lowest cap, bytes a second: below it a poll alone would take minutes.
pub const BANDWIDTH_LEAST: u64 = 16 * 1024;

/// What an edge takes from its sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sync {
    /// `bandwidth`: the most bytes a second of objects, all sites and sources together. Default: no
    /// cap.
    pub bandwidth: Option<u64>,
}

impl Sync {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let bandwidth = bandwidth(&mut section);
        section.finish();
        Self { bandwidth }
    }
}

/// `bandwidth`: bytes a second.
pub(super) fn bandwidth(section: &mut Section<'_, '_>) -> Option<u64> {
    let bandwidth = section.integer("bandwidth")?;
    let bytes = u64::try_from(bandwidth.value).unwrap_or(0);
    if bytes < BANDWIDTH_LEAST {
        let message = format!("`bandwidth` is {} bytes a second", bandwidth.value);
        let problems = section.problems();
        problems
            .add(bandwidth.span, message)
            .label(format!("expected at least {BANDWIDTH_LEAST}"));
        return None;
    }
    Some(bytes)
}
