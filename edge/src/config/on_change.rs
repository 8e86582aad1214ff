//! `[[on_change]]`: programs that are run when something changes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::settings::{Placed, Problems, Section};

/// Most programs of an edge.
pub const PROGRAMS: usize = 8;
/// Most words of a program's command line, itself included.
pub const PROGRAM_WORDS: usize = 64;
/// How long a program may take, unless said otherwise.
pub const PROGRAM_TIME: Duration = Duration::from_secs(10);
/// The longest that may be said.
pub const PROGRAM_TIME_MOST: Duration = Duration::from_secs(600);

/// What a program can be told of.
const KINDS: [&str; 7] = [
    "state",
    "order-accepted",
    "forced-ends",
    "forced-ended",
    "release",
    "alarm-raised",
    "alarm-cleared",
];

/// A program that is run when something changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnChange {
    /// `run`: the program and its arguments, handed over as they are: there is no shell. One that is
    /// named with a `/` is meant from the file's folder. Required.
    pub run: Vec<String>,
    /// `time`: how long it may take before it is killed. Default `"10s"`.
    pub time: Duration,
    /// `only`: the kinds of change that it is told of. Default: all.
    pub only: Vec<String>,
}

/// One `[[on_change]]` as written.
#[derive(Debug)]
pub(super) struct RawOnChange {
    run: Option<Placed<Vec<Placed<String>>>>,
    time: Duration,
    only: Option<Placed<Vec<Placed<String>>>>,
}

impl RawOnChange {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let help = "the program and its arguments: run = [\"/usr/local/bin/page-ops\", \"web\"]";
        let time = section.duration("time", Duration::from_millis(1)..=PROGRAM_TIME_MOST);
        let raw = Self {
            run: section.required("run", help, Section::texts),
            time: time.unwrap_or(PROGRAM_TIME),
            only: section.texts("only"),
        };
        section.finish();
        raw
    }

    pub(super) fn resolve(&self, base: &Path, problems: &Problems) -> Option<OnChange> {
        let only = self.only.iter().flat_map(|only| &only.value);
        for kind in only
            .clone()
            .filter(|kind| !KINDS.contains(&kind.value.as_str()))
        {
            problems
                .add(kind.span, format!("nobody is told of {:?}", kind.value))
                .label(format!("expected one of {}", KINDS.join(", ")));
        }
        let run = self.run.as_ref()?;
        problems.count("run", run, 1..=PROGRAM_WORDS);
        let mut words: Vec<String> = run.value.iter().map(|word| word.value.clone()).collect();
        let (name, placed) = (words.first_mut()?, run.value.first()?);
        if name.contains('/') {
            // Without the dots.
            let path: PathBuf = base.join(&*name).components().collect();
            if !path.is_file() {
                problems
                    .add(
                        placed.span,
                        format!("there is no program {}", path.display()),
                    )
                    .label("it would be run when something changes");
                return None;
            }
            *name = path.to_string_lossy().into_owned();
        }
        Some(OnChange {
            run: words,
            time: self.time,
            only: only.map(|kind| kind.value.clone()).collect(),
        })
    }
}
