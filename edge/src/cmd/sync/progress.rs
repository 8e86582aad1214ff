//! What `edge sync` shows while it goes on: a bar a site on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::sync::{FetchingStatus, SyncStatus};

/// Of the bytes of a round, how many percent each line is.
const LINE_PERCENT: u64 = 10;

/// What is shown.
#[derive(Debug)]
pub(super) enum Progress {
    /// A bar for each site.
    Bars(MultiProgress, BTreeMap<String, ProgressBar>),
    /// The last line of each site.
    Lines(BTreeMap<String, String>),
}

impl Progress {
    pub(super) fn new() -> Self {
        if std::io::stderr().is_terminal() {
            Self::Bars(MultiProgress::new(), BTreeMap::new())
        } else {
            Self::Lines(BTreeMap::new())
        }
    }

    /// Shows how far each site is.
    pub(super) fn draw(&mut self, sites: &[SyncStatus]) {
        for status in sites {
            match self {
                Self::Bars(all, bars) => {
                    let bar = bars.entry(status.site.clone()).or_insert_with(|| {
                        all.add(ProgressBar::new(0).with_prefix(status.site.clone()))
                    });
                    if let Some(fetching) = &status.fetching {
                        bar.set_style(style("{prefix} {wide_bar} {msg}"));
                        bar.set_length(fetching.bytes_total);
                        bar.set_position(fetching.bytes);
                    } else {
                        bar.set_style(style("{prefix} {msg}"));
                    }
                    bar.set_message(message(status));
                }
                Self::Lines(lines) => {
                    let line = line(status);
                    if lines.get(&status.site) != Some(&line) {
                        eprintln!("{line}");
                        lines.insert(status.site.clone(), line);
                    }
                }
            }
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn end(&self) {
        if let Self::Bars(all, _) = self {
            // A terminal that is gone needs no clearing.
            all.clear().ok();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// What stands beside a bar.
fn message(status: &SyncStatus) -> String {
    match &status.fetching {
        Some(fetching) => format!(
            "{} of {} objects, {} of {} MB, {} kB/s",
            fetching.objects,
            fetching.objects_total,
            fetching.bytes / 1_000_000,
            fetching.bytes_total.div_ceil(1_000_000),
            fetching.bytes_a_second / 1000
        ),
        None => status.doing.clone(),
    }
}

/// The same for a file: not a line for each object.
fn line(status: &SyncStatus) -> String {
    let site = &status.site;
    match &status.fetching {
        Some(fetching) => {
            let mega = fetching.bytes_total.div_ceil(1_000_000);
            let (release, percent) = (fetching.release, percent(fetching));
            format!("{site}: fetching release {release}: {percent} % of {mega} MB")
        }
        None => format!("{site}: {}", status.doing),
    }
}

fn percent(fetching: &FetchingStatus) -> u64 {
    let all = u128::from(fetching.bytes_total.max(1));
    let percent = u128::from(fetching.bytes) * 100 / all;
    let percent = u64::try_from(percent).unwrap_or(100).min(100);
    percent / LINE_PERCENT * LINE_PERCENT
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn status() -> SyncStatus {
        let state = crate::sync::SiteState::new(
            "dasom".parse().unwrap(),
            Vec::new(),
            snapshot::EdgeTime::default(),
            crate::orders::Orders::default(),
        );
        state.sync_status()
    }

    #[test]
    fn a_file_gets_a_line_for_each_tenth() {
        let at = |bytes| SyncStatus {
            fetching: Some(FetchingStatus {
                release: 7,
                objects: 3,
                objects_total: 9,
                bytes,
                bytes_total: 40_000_000,
                bytes_a_second: 800_000,
            }),
            ..status()
        };
        let lines: std::collections::BTreeSet<String> =
            (0..=1000).map(|n| line(&at(n * 40_000))).collect();
        assert_eq!(lines.len(), 11);
        assert!(lines.contains("dasom: fetching release 7: 40 % of 40 MB"));
        let beside = "3 of 9 objects, 20 of 40 MB, 800 kB/s";
        assert_eq!(message(&at(20_000_000)), beside);
    }
}
