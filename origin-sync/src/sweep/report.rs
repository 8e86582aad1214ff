//! What a sweep did, for people and, as one line of JSON, for scripts.

use std::fmt::Write;

use serde_json::{Value, json};
use snapshot::Sequence;

use crate::exit::Exit;
use crate::mirror::Mirrors;

/// Foreign names that are told; of more only the number is.
const FOREIGN: usize = 5;

/// What a sweep did.
#[derive(Clone, Debug)]
pub struct Swept {
    /// Nothing went: it would have.
    pub dry_run: bool,
    /// Releases that stay.
    pub kept: usize,
    /// Each mirror.
    pub mirrors: Vec<MirrorSwept>,
    /// The publisher's own copy.
    pub own: OwnSwept,
}

/// What went from one mirror.
#[derive(Clone, Debug, Default)]
pub struct MirrorSwept {
    /// Its URL.
    pub url: String,
    /// Releases that went.
    pub releases: Vec<Sequence>,
    /// Objects that went.
    pub objects: u64,
    /// Their bytes at rest.
    pub bytes: u64,
    /// Bytes of objects that stay because a release names them.
    pub held_bytes: u64,
    /// Objects that no release names and that stay for now.
    pub young: u64,
    /// What killed writes left in a folder, and went.
    pub leftovers: u64,
    /// Names that are none of ours, and stay.
    pub foreign: u64,
    /// What a person should look at.
    pub told: Vec<String>,
    /// Why it was not swept, or not to the end.
    pub error: Option<String>,
}

/// What went from the publisher's own copy.
#[derive(Clone, Debug, Default)]
pub struct OwnSwept {
    /// Objects that went.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of objects that stay.
    pub held_bytes: u64,
    /// Why it was not swept to the end.
    pub error: Option<String>,
}

impl MirrorSwept {
    pub(super) const fn gone(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Went and was put back.
    pub(super) const fn back(&mut self, bytes: u64) {
        self.objects = self.objects.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    pub(super) const fn held(&mut self, bytes: u64) {
        self.held_bytes = self.held_bytes.saturating_add(bytes);
    }

    pub(super) fn foreign(&mut self, name: String) {
        self.foreign += 1;
        if self.told.len() < FOREIGN {
            self.told.push(format!("{name} is no name of ours: left"));
        }
    }
}

impl Swept {
    pub(super) fn of(mirrors: &Mirrors, dry_run: bool) -> Self {
        let mirrors = mirrors.all().iter().map(|mirror| MirrorSwept {
            url: mirror.url().to_string(),
            ..MirrorSwept::default()
        });
        Self {
            dry_run,
            kept: 0,
            mirrors: mirrors.collect(),
            own: OwnSwept::default(),
        }
    }

    /// The process's exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.own.error.is_some() {
            Exit::Local
        } else if self.mirrors.iter().any(|mirror| mirror.error.is_some()) {
            Exit::MirrorsMissed
        } else {
            Exit::Done
        }
    }

    /// What a person should know of it even if nobody asked.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mirrors = self.mirrors.iter().flat_map(|mirror| {
            let told = mirror
                .told
                .iter()
                .map(|t| format!("mirror {}: {t}", mirror.url));
            let error = mirror.error.iter();
            told.chain(error.map(|e| format!("not swept to the end: {e}")))
        });
        let own = self.own.error.iter();
        let own = own.map(|e| format!("the publisher's own copy is not swept to the end: {e}"));
        mirrors.chain(own).collect()
    }

    /// One line of JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let mirrors = self.mirrors.iter().map(|mirror| {
            json!({
                "url": mirror.url,
                "releases": mirror.releases.iter().map(|s| s.0).collect::<Vec<_>>(),
                "objects": mirror.objects,
                "bytes": mirror.bytes,
                "held_bytes": mirror.held_bytes,
                "young": mirror.young,
                "leftovers": mirror.leftovers,
                "foreign": mirror.foreign,
                "told": mirror.told,
                "error": mirror.error,
            })
        });
        json!({
            "result": if self.dry_run { "dry-run" } else { "swept" },
            "exit": self.exit() as u8,
            "kept": self.kept,
            "mirrors": mirrors.collect::<Vec<_>>(),
            "own": {
                "objects": self.own.objects,
                "bytes": self.own.bytes,
                "held_bytes": self.own.held_bytes,
                "error": self.own.error,
            },
        })
    }

    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let went = if self.dry_run { "would go" } else { "went" };
        for mirror in &self.mirrors {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{}: {} and {} {went} ({}), {} held{}{}",
                mirror.url,
                count(mirror.releases.len() as u64, "release"),
                count(mirror.objects, "object"),
                size(mirror.bytes),
                size(mirror.held_bytes),
                match mirror.young {
                    0 => String::new(),
                    young => format!(", {} too young to go", count(young, "object")),
                },
                match mirror.leftovers {
                    0 => String::new(),
                    left => format!(", {} of killed writes {went}", count(left, "file")),
                },
            );
        }
        let _ = write!(
            text,
            "own copy: {} {went} ({}), {} held; {} left",
            count(self.own.objects, "object"),
            size(self.own.bytes),
            size(self.own.held_bytes),
            count(self.kept as u64, "release"),
        );
        text
    }
}

/// `1 release`, `2 releases`.
pub(crate) fn count(number: u64, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}
