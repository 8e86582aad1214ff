//! Which keys of a collection two releases may tell otherwise, at the cost of what they do not share.

use std::cmp::Ordering;

use snapshot::manifest::{Collection, SegmentEntry};
use snapshot::{Key, NodeCache, SiteName, Store, Value};

use super::{BuildError, open};

/// Memory for verified inner nodes while two stacks are compared, bytes.
const CACHE_BYTES: u64 = 8 << 20;

/// Tells `each` every key of a collection that has another value in `after` than in `before`, and
/// both values. Costs what the two stacks do not share. Blocks.
pub(crate) fn compare(
    store: &Store,
    site: &SiteName,
    before: &Collection,
    after: &Collection,
    mut each: impl FnMut(&Key, Option<Value>, Option<Value>),
) -> Result<(), BuildError> {
    let cache = NodeCache::new(CACHE_BYTES);
    let old = open(store, &cache, site, &after.name, &before.segments)?;
    let new = open(store, &cache, site, &after.name, &after.segments)?;
    let mut failed = Ok(());
    changed_keys(store, site, before, after, |key| {
        if failed.is_ok() {
            // A key that a segment names need not differ: the layers below have the last word.
            failed = old.get(key).and_then(|was| {
                let is = new.get(key)?;
                if was != is {
                    each(key, was, is);
                }
                Ok(())
            });
        }
    })?;
    Ok(failed?)
}

/// Tells `each` every key of a collection that may have another value in `after` than in `before`.
/// Costs what the two stacks do not share: the oldest segments, as far as both have them, decide
/// alike about every key that no other segment names. Blocks.
pub(crate) fn changed_keys(
    store: &Store,
    site: &SiteName,
    before: &Collection,
    after: &Collection,
    mut each: impl FnMut(&Key),
) -> Result<(), BuildError> {
    let (old, new) = apart(&before.segments, &after.segments);
    let cache = NodeCache::new(CACHE_BYTES);
    let open = |entries| open(store, &cache, site, &after.name, entries);
    let (old, new) = (open(old)?, open(new)?);
    let (mut old, mut new) = (old.entries(..), new.entries(..));
    let (mut was, mut is) = (old.next().transpose()?, new.next().transpose()?);
    loop {
        let order = match (&was, &is) {
            (None, None) => return Ok(()),
            (Some((key, _)), None) => {
                each(key);
                Ordering::Less
            }
            (None, Some((key, _))) => {
                each(key);
                Ordering::Greater
            }
            (Some((gone, a)), Some((come, b))) => {
                let order = gone.cmp(come);
                if order != Ordering::Equal || a != b {
                    each(gone.min(come));
                }
                order
            }
        };
        if order != Ordering::Greater {
            was = old.next().transpose()?;
        }
        if order != Ordering::Less {
            is = new.next().transpose()?;
        }
    }
}

/// Both without the oldest segments that they share.
fn apart<'a>(
    before: &'a [SegmentEntry],
    after: &'a [SegmentEntry],
) -> (&'a [SegmentEntry], &'a [SegmentEntry]) {
    let pairs = before.iter().rev().zip(after.iter().rev());
    let shared = pairs.take_while(|(a, b)| a.id == b.id).count();
    let top = |all: &'a [SegmentEntry]| all.get(..all.len() - shared).unwrap_or(all);
    (top(before), top(after))
}

#[cfg(test)]
mod tests {
    use snapshot::Entry;
    use snapshot::manifest::Privacy;

    use super::*;

    struct Bench {
        store: Store,
        _dir: tempfile::TempDir,
    }

    type Given<'a> = &'a [(&'a str, Option<&'a str>)];

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).unwrap();
            Self { store, _dir: dir }
        }

        fn segment(&self, entries: Given<'_>) -> SegmentEntry {
            let (site, rows) = ("x".parse().unwrap(), "rows".parse().unwrap());
            let mut builder = self.store.build(SiteName::clone(&site), rows).unwrap();
            for (key, value) in entries {
                let key = Key::new(*key).unwrap();
                let value = value.map(|value| Entry::Inline(value.into()));
                builder
                    .push(&key, &value.unwrap_or(Entry::Tombstone))
                    .unwrap();
            }
            let (staged, entry) = builder.finish().unwrap().unwrap();
            let rows = "rows".parse().unwrap();
            staged.persist_segment(&entry, &site, &rows).unwrap();
            entry
        }

        fn changed(&self, before: &[&SegmentEntry], after: &[&SegmentEntry]) -> Vec<String> {
            let mut changed = Vec::new();
            let site = "x".parse().unwrap();
            let (before, after) = (collection(before), collection(after));
            changed_keys(&self.store, &site, &before, &after, |key| {
                changed.push(String::from_utf8(key.as_bytes().to_vec()).unwrap());
            })
            .unwrap();
            changed
        }
    }

    fn collection(segments: &[&SegmentEntry]) -> Collection {
        Collection {
            name: "rows".parse().unwrap(),
            privacy: Privacy::Public,
            complete: false,
            records: 0,
            segments: segments.iter().copied().cloned().collect(),
        }
    }

    #[test]
    fn what_a_new_segment_names_has_changed_and_nothing_else() {
        let bench = Bench::new();
        let base = bench.segment(&[("a", Some("1")), ("b", Some("2")), ("c", Some("3"))]);
        let next = bench.segment(&[("b", Some("9")), ("c", None), ("d", Some("4"))]);
        assert!(bench.changed(&[&base], &[&base]).is_empty());
        assert_eq!(bench.changed(&[&base], &[&next, &base]), ["b", "c", "d"]);
        assert_eq!(bench.changed(&[&next, &base], &[&base]), ["b", "c", "d"]);
        assert_eq!(bench.changed(&[], &[&base]), ["a", "b", "c"]);
    }

    #[test]
    fn of_two_changes_to_one_release_both_count() {
        let bench = Bench::new();
        let base = bench.segment(&[("a", Some("1")), ("b", Some("2")), ("c", Some("3"))]);
        let one = bench.segment(&[("a", Some("7")), ("b", Some("8"))]);
        let other = bench.segment(&[("b", Some("8")), ("c", Some("9"))]);
        // Both give b the same value, and only that is sure.
        let changed = bench.changed(&[&one, &base], &[&other, &base]);
        assert_eq!(changed, ["a", "c"]);
    }

    #[test]
    fn a_stack_made_one_has_changed_only_where_it_says_another_thing() {
        let bench = Bench::new();
        let base = bench.segment(&[("a", Some("1")), ("b", Some("2"))]);
        let next = bench.segment(&[("b", Some("3"))]);
        let whole = bench.segment(&[("a", Some("1")), ("b", Some("3"))]);
        assert!(bench.changed(&[&next, &base], &[&whole]).is_empty());
        let whole = bench.segment(&[("a", Some("0")), ("b", Some("3"))]);
        assert_eq!(bench.changed(&[&next, &base], &[&whole]), ["a"]);
    }
}
