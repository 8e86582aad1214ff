//! What is remembered of dumps from one publish to the next: a file for each collection, in the
//! publisher's own copy. See [`crate::source::Lines`].

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use snapshot::manifest::SegmentEntry;
use snapshot::{CollectionName, Digest, Manifest, Store};

use super::program;
use crate::build::{AMENDED, Ask, Built};
use crate::config::{Collection, Site};
use crate::source::{Learned, Lines, forget};

/// The folder, in the own copy.
const DIR: &str = "lines";

/// What one publish knows and learns of dumps.
pub(super) struct Dumps {
    dir: PathBuf,
    scratch: PathBuf,
    /// Another program may make other records of the same lines.
    program: Option<Digest>,
    learned: BTreeMap<CollectionName, Learned>,
}

impl Dumps {
    pub(super) fn of(store: &Store) -> Self {
        Self {
            dir: store.root().join(DIR),
            scratch: store.scratch(),
            program: program::digest(),
            learned: BTreeMap::new(),
        }
    }

    /// Forgets all of them: they name records.
    pub(super) fn forget(store: &Store) -> io::Result<()> {
        match fs_err::remove_dir_all(store.root().join(DIR)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// The lines of which `base` was made.
    pub(super) fn lines(
        &self,
        base: Option<&Manifest>,
        declared: &Collection,
        ask: Ask,
    ) -> Option<Lines> {
        let base = base.filter(|base| ask == Ask::First && is_of_sources(base))?;
        let held = base.collection(&declared.name)?;
        let tag = self.tag(declared, &held.segments)?;
        Lines::open(&self.file(&declared.name), &tag)
    }

    pub(super) fn learn(&mut self, name: &CollectionName, learned: Learned) {
        self.learned.insert(name.clone(), learned);
    }

    /// Keeps what was learned for the release that `built` may become; gives warnings. Blocks.
    pub(super) fn keep(mut self, site: &Site, built: &Built) -> Vec<String> {
        let mut warnings = Vec::new();
        for declared in &site.collections {
            let Some(learned) = self.learned.remove(&declared.name) else {
                continue;
            };
            if let Err(error) = self.keep_one(declared, learned, &built.manifest) {
                warnings.push(format!(
                    "collection {}: its dump cannot be remembered, so the next one takes longer: {error}",
                    declared.name
                ));
            }
        }
        warnings
    }

    fn keep_one(
        &self,
        declared: &Collection,
        learned: Learned,
        manifest: &Manifest,
    ) -> io::Result<()> {
        let path = self.file(&declared.name);
        let held = manifest.collection(&declared.name);
        let held = held.filter(|held| {
            // Where records were left out, or amended by hand, the lines do not make what is held.
            held.records == learned.records() && is_of_sources(manifest)
        });
        match held.and_then(|held| self.tag(declared, &held.segments)) {
            // Every publish counts records with weak secrets, so it has to read them.
            Some(tag) if learned.weak_secrets() == 0 => learned.keep(&path, &tag, &self.scratch),
            _ => forget(&path),
        }
    }

    fn file(&self, name: &CollectionName) -> PathBuf {
        self.dir.join(Path::new(name.as_str()))
    }

    /// One state of one collection, read by one program in one way.
    fn tag(&self, declared: &Collection, segments: &[SegmentEntry]) -> Option<Digest> {
        let program = self.program?;
        let mut words = format!("{program} {declared:?}");
        for segment in segments {
            words.push(' ');
            words.push_str(&segment.id.to_string());
        }
        Some(Digest::of(words.as_bytes()))
    }
}

/// Whether nothing of it was amended by hand.
fn is_of_sources(manifest: &Manifest) -> bool {
    let mut all = manifest.collections.iter();
    !all.any(|collection| collection.name.as_str() == AMENDED)
}
