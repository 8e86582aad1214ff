//! Reading a segment: from the file into private memory, hashed, decoded, checked, then used.

use std::cell::Cell;
use std::fs::File;
use std::ops::RangeBounds;
use std::sync::{Arc, OnceLock};

use crate::manifest::SegmentEntry;
use crate::node::{Entries, Inner, Node, Place, Row, tag};
use crate::segment::source::Source;
use crate::segment::{Fault, NodeCache, Nodes, SegmentError, SegmentIter};
use crate::{CollectionName, Digest, Entry, Key, SiteName, limits};

thread_local! {
    /// What the last node on this thread was read into.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// An open segment. Cloning shares the file.
#[derive(Clone, Debug)]
pub struct Segment(pub(super) Arc<Opened>);

#[derive(Debug)]
pub(super) struct Opened {
    source: Source,
    name: String,
    entry: SegmentEntry,
    site: SiteName,
    collection: CollectionName,
    cache: NodeCache,
    /// Of a file it is read when that is opened, of what is far away when it is first asked for.
    root: OnceLock<Root>,
}

#[derive(Debug)]
struct Root {
    place: Place<'static>,
    /// If it is an inner node; a leaf is read and hashed each time.
    inner: Option<Inner>,
}

impl Segment {
    /// Opens the uncompressed nodes in `file`, as the manifest describes them, and checks the root.
    /// `name` is what errors call it.
    ///
    /// # Errors
    /// The file is not the segment that `entry` describes, or belongs to another site or collection.
    pub fn open(
        file: File,
        name: &str,
        entry: &SegmentEntry,
        site: &SiteName,
        collection: &CollectionName,
        cache: &NodeCache,
    ) -> Result<Self, SegmentError> {
        // 4.2 The file has the length that the manifest claims.
        let length = file.metadata();
        let opened = Opened::new(Source::File(file), name, (entry, site, collection), cache)?;
        let fail = |fault| opened.error(entry.root_at, fault);
        let length = length.map_err(|e| fail(e.into()))?.len();
        if length != entry.bytes {
            return Err(fail(Fault::FileLength {
                expected: entry.bytes,
                got: length,
            }));
        }
        opened.root()?;
        Ok(Self(Arc::new(opened)))
    }

    /// A segment whose nodes come from elsewhere. Nothing is asked for, and nothing but the manifest's
    /// claims checked, before it is first read.
    ///
    /// # Errors
    /// Claims that no segment can meet.
    pub fn far(
        nodes: Arc<dyn Nodes>,
        name: &str,
        entry: &SegmentEntry,
        site: &SiteName,
        collection: &CollectionName,
        cache: &NodeCache,
    ) -> Result<Self, SegmentError> {
        let opened = Opened::new(Source::Far(nodes), name, (entry, site, collection), cache)?;
        Ok(Self(Arc::new(opened)))
    }

    /// How the manifest describes it.
    #[must_use]
    pub fn entry(&self) -> &SegmentEntry {
        &self.0.entry
    }

    /// Levels of nodes, leaves included.
    ///
    /// # Errors
    /// The root cannot be read.
    pub fn levels(&self) -> Result<u8, SegmentError> {
        Ok(self.0.root()?.level.saturating_add(1))
    }

    /// What this segment says about `key`; `None` if it says nothing.
    ///
    /// # Errors
    /// A node on the way cannot be read or is not what was signed.
    pub fn get(&self, key: &Key) -> Result<Option<Entry>, SegmentError> {
        self.find(key, tag(key.as_bytes()))
    }

    /// [`Segment::get`] for a key whose tag is known.
    pub(crate) fn find(&self, key: &Key, tag: u8) -> Result<Option<Entry>, SegmentError> {
        self.0.find(self.0.root()?, key.as_bytes(), tag)
    }

    /// All entries in `range`, keys ascending. An error ends the iteration.
    #[must_use]
    pub fn iter(&self, range: impl RangeBounds<Key>) -> SegmentIter {
        SegmentIter::new(self.clone(), range)
    }
}

impl Segment {
    /// Hands start and length of every node to `each`, in the order of the file. Reads its inner nodes,
    /// and takes no more memory than they do.
    ///
    /// # Errors
    /// An inner node cannot be read or is not what was signed.
    pub fn nodes(&self, mut each: impl FnMut(u64, u64)) -> Result<(), SegmentError> {
        let root = self.0.root()?;
        for level in 0..=root.level {
            self.nodes_of(level, root, &mut each)?;
        }
        Ok(())
    }

    /// The nodes of one level at and below `place`. A segment has at most [`limits::LEVELS`] levels.
    fn nodes_of(
        &self,
        level: u8,
        place: &Place<'_>,
        each: &mut impl FnMut(u64, u64),
    ) -> Result<(), SegmentError> {
        if place.level <= level {
            each(place.at, place.bytes);
            return Ok(());
        }
        let inner = self.0.inner(place)?;
        for at in 0..inner.count() {
            if let Some(child) = inner.place(at, place.below) {
                self.nodes_of(level, &child, each)?;
            }
        }
        Ok(())
    }
}

impl Opened {
    fn new(
        source: Source,
        name: &str,
        (entry, site, collection): (&SegmentEntry, &SiteName, &CollectionName),
        cache: &NodeCache,
    ) -> Result<Self, SegmentError> {
        let opened = Self {
            source,
            name: name.to_owned(),
            entry: entry.clone(),
            site: site.clone(),
            collection: collection.clone(),
            cache: cache.clone(),
            root: OnceLock::new(),
        };
        // 4.1 The manifest's claims are possible.
        let fail = |fault| Err(opened.error(entry.root_at, fault));
        if entry.bytes > limits::SEGMENT_BYTES {
            return fail(Fault::Length {
                got: entry.bytes,
                limit: limits::SEGMENT_BYTES,
            });
        }
        let got = entry.bytes.saturating_sub(entry.root_at);
        let limit = (limits::NODE_BYTES + limits::ROOT_HEAD_BYTES) as u64;
        if !(1..=limit).contains(&got) {
            return fail(Fault::RootPlace { got, limit });
        }
        Ok(opened)
    }

    /// What the nodes at and below `place` hold of a key. At most [`limits::LEVELS`] deep.
    fn find(&self, place: &Place<'_>, key: &[u8], tag: u8) -> Result<Option<Entry>, SegmentError> {
        if place.level == 0 {
            return self.with_rows(place, |rows| {
                let found = rows.binary_search_by(|row| row.key.cmp(key)).ok();
                Ok(found.and_then(|at| rows.get(at)).map(|row| row.to_entry()))
            });
        }
        let inner = self.inner(place)?;
        let child = inner.child_for(key);
        let child = child.filter(|child| inner.may_hold(*child, tag));
        match child.and_then(|child| inner.place(child, place.below)) {
            Some(child) => self.find(&child, key, tag),
            None => Ok(None),
        }
    }

    /// Where the root is, which was read and checked.
    pub(super) fn root(&self) -> Result<&Place<'static>, SegmentError> {
        if let Some(root) = self.root.get() {
            return Ok(&root.place);
        }
        let root = self.read_root();
        let root = root.map_err(|fault| self.error(self.entry.root_at, fault))?;
        Ok(&self.root.get_or_init(|| root).place)
    }

    fn read_root(&self) -> Result<Root, Fault> {
        let mut place = Place {
            level: 0,
            digest: self.entry.id,
            at: self.entry.root_at,
            bytes: self.entry.bytes.saturating_sub(self.entry.root_at),
            first: None,
            below: None,
            tags: None,
        };
        // 4.3 The root's bytes hash to the segment's id (3.1 to 3.3).
        let mut buffer = Vec::new();
        let node = Node::decode(self.read(&place, &mut buffer)?)?;
        // 4.4 A root, of no more levels than a segment may have.
        let Some(head) = &node.head else {
            return Err(Fault::Kind { expected: "a root" });
        };
        if node.level >= limits::LEVELS {
            return Err(Fault::TooDeep {
                got: u16::from(node.level) + 1,
                limit: limits::LEVELS,
            });
        }
        place.level = node.level;
        node.check(&place)?;
        // 4.5 Of this site and this collection.
        if head.site != self.site {
            return Err(Fault::Site {
                expected: self.site.clone(),
                got: head.site.clone(),
            });
        }
        if head.collection != self.collection {
            return Err(Fault::Collection {
                expected: self.collection.clone(),
                got: head.collection.clone(),
            });
        }
        // 4.6 With as many entries as the manifest claims.
        if head.records != self.entry.records {
            return Err(Fault::Records {
                expected: self.entry.records,
                got: head.records,
            });
        }
        // 4.7 Right behind its children; a root that is a leaf stands alone.
        let expected = match &node.entries {
            Entries::Leaf(_) => 0,
            Entries::Inner(children) => children.last().map_or(0, |c| c.at.saturating_add(c.bytes)),
        };
        if place.at != expected {
            return Err(Fault::ChildPlace {
                expected,
                got: place.at,
            });
        }
        let inner = match node.entries {
            Entries::Inner(children) => Some(Inner::new(node.level, &children)),
            Entries::Leaf(_) => None,
        };
        Ok(Root { place, inner })
    }

    /// Reads a node into `buffer`, private memory, and hashes it there.
    fn read<'b>(&self, place: &Place<'_>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], Fault> {
        // 3.1 Inside the file, and no longer than a node may be.
        let limit = (limits::NODE_BYTES + limits::ROOT_HEAD_BYTES) as u64;
        if place.bytes > limit {
            return Err(Fault::Length {
                got: place.bytes,
                limit,
            });
        }
        let end = place.at.saturating_add(place.bytes);
        if end > self.entry.bytes {
            return Err(Fault::ChildEnd {
                end,
                limit: self.entry.bytes,
            });
        }
        // 3.2 The whole node; the file may have shrunk since it was opened.
        let length = usize::try_from(place.bytes).unwrap_or(0);
        buffer.resize(length.max(limits::NODE_BYTES), 0);
        let (bytes, padding) = buffer.split_at_mut(length);
        self.source.read(place, bytes)?;
        // 3.3 These are the bytes that the parent, or the manifest, named.
        padding.fill(0);
        let got = Digest::of(buffer);
        if got != place.digest {
            return Err(Fault::Digest {
                expected: place.digest,
                got,
            });
        }
        Ok(buffer.get(..length).unwrap_or_default())
    }

    /// Reads, hashes, decodes and checks the node at `place`, and hands it to `then`.
    pub(super) fn with_node<T>(
        &self,
        place: &Place<'_>,
        then: impl FnOnce(Node<'_>) -> Result<T, Fault>,
    ) -> Result<T, SegmentError> {
        let mut buffer = BUFFER.take();
        let run = |buffer| {
            let node = Node::decode(self.read(place, buffer)?)?;
            node.check(place)?;
            then(node)
        };
        let done = run(&mut buffer);
        BUFFER.set(buffer);
        done.map_err(|fault| self.error(place.at, fault))
    }

    /// Hands the leaf at `place` to `then`.
    pub(super) fn with_rows<T>(
        &self,
        place: &Place<'_>,
        then: impl FnOnce(&[Row<'_>]) -> Result<T, Fault>,
    ) -> Result<T, SegmentError> {
        self.with_node(place, |node| match &node.entries {
            Entries::Leaf(rows) => then(rows),
            Entries::Inner(_) => Err(Fault::Level {
                expected: 0,
                got: node.level,
            }),
        })
    }

    /// The inner node at `place`, from the cache if it was verified before.
    pub(super) fn inner(&self, place: &Place<'_>) -> Result<Inner, SegmentError> {
        if place.first.is_none()
            && let Some(root) = self.root.get().and_then(|root| root.inner.as_ref())
        {
            return Ok(root.clone());
        }
        if let Some(known) = self.cache.get(&place.digest) {
            known
                .check(place)
                .map_err(|fault| self.error(place.at, fault))?;
            return Ok(known);
        }
        let inner = self.with_node(place, |node| match node.entries {
            Entries::Inner(children) => Ok(Inner::new(node.level, &children)),
            Entries::Leaf(_) => Err(Fault::Level {
                expected: place.level,
                got: 0,
            }),
        })?;
        self.cache.insert(place.digest, inner.clone());
        Ok(inner)
    }

    pub(super) fn error(&self, at: u64, fault: Fault) -> SegmentError {
        SegmentError {
            id: self.entry.id,
            segment: self.name.clone(),
            at,
            fault,
        }
    }
}
