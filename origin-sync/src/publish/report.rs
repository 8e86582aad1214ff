//! What a publish did, for people and, as one line of JSON, for scripts.

use std::fmt::Write;

use serde_json::{Value, json};
use snapshot::{Digest, Sequence, Timestamp};

use super::coverage::Coverage;
use crate::build::Change;
use crate::exit::Exit;
use crate::mirror::Abilities;
use crate::sweep::Swept;

/// One mirror afterwards.
#[derive(Clone, Debug)]
pub struct MirrorReport {
    /// Its URL.
    pub url: String,
    /// Why it does not hold the release now.
    pub missed: Option<String>,
    /// What it was found to do, if that is known.
    pub abilities: Option<Abilities>,
}

impl MirrorReport {
    fn json(&self) -> Value {
        json!({
            "url": self.url,
            "missed": self.missed,
            "create_only": self.abilities.map(|able| able.create.word()),
            "replace_only": self.abilities.map(|able| able.replace.word()),
            "unchanged_reads": self.abilities.map(|able| able.unchanged),
        })
    }
}

/// What a publish did.
#[derive(Clone, Debug)]
pub struct Report {
    /// [`Exit::Done`], [`Exit::NothingNew`] or [`Exit::MirrorsMissed`].
    pub exit: Exit,
    /// Whether the release is a new one.
    pub is_new: bool,
    /// Whether the release that stands got a later time.
    pub is_renewed: bool,
    /// The release's sequence.
    pub sequence: Sequence,
    /// Its manifest.
    pub manifest: Digest,
    /// The time the data is true of.
    pub as_of: Timestamp,
    /// What changed, for each collection.
    pub changes: Vec<Change>,
    /// Objects written, over all mirrors.
    pub objects: u64,
    /// Their bytes at rest.
    pub bytes: u64,
    /// How many mirrors commit.
    pub majority: usize,
    /// Every mirror.
    pub mirrors: Vec<MirrorReport>,
    /// What was swept afterwards, if that was due.
    pub swept: Option<Swept>,
    /// Which URLs answer; `None` when nothing was new.
    pub coverage: Option<Coverage>,
    /// Things a person should know.
    pub warnings: Vec<String>,
}

impl Report {
    /// Whether the mirrors let only one of several publishers have a number.
    #[must_use]
    pub fn keeps_apart(&self) -> bool {
        let able = self.mirrors.iter().filter_map(|mirror| mirror.abilities);
        able.filter(|able| able.keeps_apart()).count() >= self.majority
    }

    /// One line of JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let changes: Vec<Value> = self
            .changes
            .iter()
            .map(|change| {
                json!({
                    "collection": change.collection.as_str(),
                    "records": change.records,
                    "upserts": change.upserts,
                    "removed": change.removed,
                    "segments": change.segments,
                })
            })
            .collect();
        let mirrors: Vec<Value> = self.mirrors.iter().map(MirrorReport::json).collect();
        json!({
            "result": self.exit.word(),
            "exit": self.exit as u8,
            "new": self.is_new,
            "renewed": self.is_renewed,
            "sequence": self.sequence.0,
            "manifest": self.manifest.to_string(),
            "as_of_ms": self.as_of.0,
            "collections": changes,
            "objects": self.objects,
            "bytes": self.bytes,
            "mirrors": mirrors,
            "publishers": if self.keeps_apart() { "several" } else { "one" },
            "swept": self.swept.as_ref().map(Swept::json),
            "coverage": self.coverage.as_ref().map(Coverage::json),
            "warnings": self.warnings,
        })
    }

    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(coverage) = &self.coverage {
            text.push_str(&coverage.text());
            text.push('\n');
        }
        for change in self.changes.iter().filter(|_| self.is_new) {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  {:<16} {:>9} records  +{} -{}  in {} segment{}",
                change.collection.as_str(),
                change.records,
                change.upserts,
                change.removed,
                change.segments,
                if change.segments == 1 { "" } else { "s" },
            );
        }
        for mirror in self.mirrors.iter().filter(|_| self.is_new) {
            if let Some(abilities) = mirror.abilities {
                let _ = writeln!(text, "  {}: {}", mirror.url, abilities.text());
            }
        }
        if self.is_new {
            text.push_str(if self.keeps_apart() {
                "  so several publishers may publish: only one of them gets a number\n"
            } else {
                "  so there may be one publisher: two at once can take the same number\n"
            });
        }
        for mirror in &self.mirrors {
            if let Some(missed) = &mirror.missed {
                let _ = writeln!(text, "missed: {}: {missed}", mirror.url);
            }
        }
        if let Some(swept) = &self.swept {
            let _ = writeln!(text, "swept {}", swept.text().replace('\n', "\nswept "));
        }
        let short = self.manifest.short();
        let held = self.mirrors.iter().filter(|m| m.missed.is_none()).count();
        let on = format!("on {held} of {} mirrors", self.mirrors.len());
        if self.is_new {
            let _ = write!(
                text,
                "release {} published {on} ({} objects, {} written, manifest {short})",
                self.sequence,
                self.objects,
                size(self.bytes),
            );
        } else {
            let _ = write!(
                text,
                "nothing new: release {} stands {on}{} (manifest {short})",
                self.sequence,
                if self.is_renewed {
                    ", its time was renewed"
                } else {
                    ""
                },
            );
        }
        text
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}
