//! Verified inner nodes, shared by all segments, bounded by bytes.

use std::fmt;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::node::Inner;
use crate::{Digest, limits};

/// A bounded cache of inner nodes that were read, hashed and checked. Cloning shares it.
#[derive(Clone)]
pub struct NodeCache(Arc<Cache<Digest, Inner, ByBytes>>);

#[derive(Clone, Copy)]
struct ByBytes;

impl Weighter<Digest, Inner> for ByBytes {
    fn weight(&self, _: &Digest, node: &Inner) -> u64 {
        node.weight()
    }
}

impl NodeCache {
    /// A cache that holds at most `bytes` of inner nodes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let nodes = usize::try_from(bytes / limits::NODE_BYTES as u64).unwrap_or(usize::MAX);
        Self(Arc::new(Cache::with_weighter(nodes, bytes, ByBytes)))
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<Inner> {
        self.0.get(digest)
    }

    pub(crate) fn insert(&self, digest: Digest, node: Inner) {
        self.0.insert(digest, node);
    }
}

impl fmt::Debug for NodeCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (held, allowed) = (self.0.weight(), self.0.capacity());
        write!(f, "NodeCache({held} of {allowed} bytes)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;
    use crate::node::Child;

    fn node(children: usize) -> Inner {
        let child = Child {
            key: Key::new("k").unwrap(),
            digest: Digest::of(b""),
            at: 0,
            bytes: 1,
            tags: Some(vec![7; 10]),
        };
        Inner::new(1, &vec![child; children])
    }

    #[test]
    fn holds_what_is_used_within_its_bytes() {
        let name = |i: u32| Digest::of(&i.to_le_bytes());
        let most = node(100).weight() * 2_000;
        let cache = NodeCache::new(most);
        for i in 0..10_000 {
            cache.insert(name(i), node(100));
            assert!(cache.0.weight() <= most, "{cache:?}");
        }
        let held = (0..10_000).filter(|i| cache.get(&name(*i)).is_some());
        assert!(held.count() > 1_000, "{cache:?}");
    }

    #[test]
    fn a_cache_of_nothing_holds_nothing() {
        let cache = NodeCache::new(0);
        cache.insert(Digest::of(b""), node(1));
        assert!(cache.get(&Digest::of(b"")).is_none());
    }
}
