//! What differs between two manifests, as far as a page can tell.

use std::cmp::Ordering;

use snapshot::manifest::{Collection, SegmentEntry};
use snapshot::{Key, Manifest, NodeCache, SiteName, Store};

use crate::build::{BuildError, open};

/// Memory for verified inner nodes while two stacks are compared, bytes.
const CACHE_BYTES: u64 = 8 << 20;

/// Whether all that every page may show or be found by is the same: names, languages, services,
/// routes, and what collections there are. Their records and the components are a page's own matter.
pub(super) fn same_frame(a: &Manifest, b: &Manifest) -> bool {
    // Every field by name: a new one has to be judged here.
    let Manifest {
        version,
        site,
        title,
        languages,
        services,
        collections,
        components: _,
        routes,
        canaries: _,
        accepts_shrink: _,
    } = a;
    *version == b.version
        && *site == b.site
        && *title == b.title
        && *languages == b.languages
        && *services == b.services
        && *routes == b.routes
        && collections.len() == b.collections.len()
        && collections.iter().zip(&b.collections).all(same_kind)
}

fn same_kind((a, b): (&Collection, &Collection)) -> bool {
    let Collection {
        name,
        privacy,
        complete,
        records: _,
        segments: _,
    } = a;
    *name == b.name && *privacy == b.privacy && *complete == b.complete
}

/// Tells `each` every key of a collection that may have another value in `after` than in `before`.
/// Costs what the two stacks do not share: the oldest segments, as far as both have them, decide
/// alike about every key that no other segment names. Blocks.
pub(super) fn changed_keys(
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
    use std::path::Path;

    use snapshot::manifest::{Component, Privacy};
    use snapshot::{Digest, Entry};

    use super::*;
    use crate::config::Site;

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

    fn manifest() -> Manifest {
        let text = "site = \"x\"\n[collection.rows]\nsource = { folder = \"x\" }\n\
                    [service.home]\ntitle = \"Home\"\nmeanwhile = \"\"\nprobe = \"/\"\n\
                    [[route]]\npath = \"/\"\nassets = \"rows\"\n";
        let site = Site::parse(Path::new("site.toml"), text).unwrap();
        let component = Component {
            name: "view".parse().unwrap(),
            digest: Digest::of(b""),
            bytes: 0,
        };
        Manifest {
            version: Manifest::VERSION,
            title: site.title,
            languages: site.languages,
            services: site.services,
            collections: vec![collection(&[])],
            components: vec![component],
            routes: site.routes.into_iter().map(|route| route.route).collect(),
            canaries: vec![],
            accepts_shrink: false,
            site: site.site,
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

    #[test]
    fn whatever_every_page_shows_is_the_frame() {
        type Change = fn(&mut Manifest);
        let same = manifest();
        let apart: [Change; 7] = [
            |m| m.site = "y".parse().unwrap(),
            |m| m.title = m.services[0].title.clone(),
            |m| m.languages.push("ko".to_owned()),
            |m| m.services.clear(),
            |m| m.routes.clear(),
            |m| m.collections[0].privacy = Privacy::Sealed,
            |m| m.collections[0].complete = true,
        ];
        for (at, change) in apart.into_iter().enumerate() {
            let mut other = same.clone();
            change(&mut other);
            assert!(!same_frame(&same, &other), "{at}");
        }
        let alike: [Change; 4] = [
            |m| m.collections[0].segments.clear(),
            |m| m.collections[0].records = 9,
            |m| m.components.clear(),
            |m| m.accepts_shrink = true,
        ];
        for (at, change) in alike.into_iter().enumerate() {
            let mut other = same.clone();
            change(&mut other);
            assert!(same_frame(&same, &other), "{at}");
        }
    }
}
