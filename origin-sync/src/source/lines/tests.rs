//! What is remembered, what is passed over for it, and what nothing is remembered of.

use std::path::PathBuf;

use fs_err as fs;
use snapshot::manifest::Privacy;

use super::super::{Read, SourceLimits, read};
use super::*;
use crate::config::{Collection, RowSource, Source};

const TAG: Digest = Digest::from_bytes([7; Digest::LEN]);

struct Bench {
    dir: tempfile::TempDir,
    limits: SourceLimits,
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            limits: SourceLimits::default(),
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("lines/rows")
    }

    fn known(&self) -> Option<Lines> {
        Lines::open(&self.file(), &TAG)
    }

    /// Reads a dump of these values, by what is remembered.
    fn read(&self, dump: &[(&str, u32)]) -> Read {
        let path = self.dir.path().join("rows.ndjson");
        let line = |(id, v): &(&str, u32)| format!("{{\"id\":\"{id}\",\"v\":{v}}}\n");
        fs::write(&path, dump.iter().map(line).collect::<String>()).unwrap();
        let collection = Collection {
            name: "rows".parse().unwrap(),
            source: Source::Rows {
                rows: RowSource::Ndjson { path },
                key: "id".to_owned(),
            },
            privacy: Privacy::Public,
            secret: None,
            complete: true,
        };
        let site = "dasom".parse().unwrap();
        let (limits, scratch) = (self.limits, self.dir.path());
        read(&site, &collection, limits, scratch, self.known()).unwrap()
    }

    /// Reads it, and remembers it.
    fn publish(&self, dump: &[(&str, u32)]) -> Vec<String> {
        let read = self.read(dump);
        let learned = read.learned.unwrap();
        learned.keep(&self.file(), &TAG, self.dir.path()).unwrap();
        let text = |row: Row| match row.content {
            Content::Gone => format!("-{}", row.key),
            _ => row.key.to_string(),
        };
        read.rows.map(|row| text(row.unwrap())).collect()
    }
}

#[test]
fn lines_that_stand_again_are_passed_over_in_any_order() {
    let bench = Bench::new();
    let all = bench.publish(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
    assert_eq!(all, ["a", "b", "c", "d"]);
    // What may be gone is told with what is new: which of them counts, the builder sees.
    let changed = bench.publish(&[("d", 1), ("e", 1), ("b", 2), ("a", 1)]);
    assert_eq!(changed, ["b", "-c", "e"]);
    assert!(
        bench
            .publish(&[("a", 1), ("b", 2), ("d", 1), ("e", 1)])
            .is_empty()
    );
    assert_eq!(bench.publish(&[]), ["-a", "-b", "-d", "-e"]);
    assert_eq!(bench.publish(&[("a", 1)]), ["a"]);
}

#[test]
fn a_line_that_stands_twice_shows_in_the_count() {
    let bench = Bench::new();
    bench.publish(&[("a", 1), ("b", 1)]);
    let read = bench.read(&[("a", 1), ("a", 1), ("b", 1)]);
    assert!(read.rows.is_empty());
    assert_eq!(read.learned.unwrap().records(), 3);
}

#[test]
fn a_damaged_file_or_one_of_another_state_remembers_nothing() {
    let bench = Bench::new();
    bench.publish(&[("a", 1), ("b", 1)]);
    assert!(bench.known().is_some());
    assert!(Lines::open(&bench.file(), &Digest::of(b"another")).is_none());
    let whole = fs::read(bench.file()).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(bench.file(), &damaged).unwrap();
        assert!(bench.known().is_none(), "byte {at}");
        fs::write(bench.file(), &whole[..at]).unwrap();
        assert!(bench.known().is_none(), "cut at {at}");
    }
    fs::write(bench.file(), [whole.as_slice(), b"more"].concat()).unwrap();
    assert!(bench.known().is_none());
    fs::write(bench.file(), whole).unwrap();
    assert!(bench.known().is_some());
}

#[test]
fn of_a_longer_dump_nothing_is_remembered() {
    let mut bench = Bench::new();
    bench.limits.lines = 2;
    bench.publish(&[("a", 1), ("b", 1)]);
    assert!(bench.known().is_some());
    bench.publish(&[("a", 1), ("b", 1), ("c", 1)]);
    assert!(bench.known().is_none());
}
