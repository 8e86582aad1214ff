//! Verified inner nodes, shared by all segments, bounded by bytes.
//!
//! Two generations: what is used goes to the young one; when that has filled half of the budget
//! it becomes the old one, and what was old and not used since is let go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Digest;
use crate::node::Inner;

/// A bounded cache of inner nodes that were read, hashed and checked. Cloning shares it.
#[derive(Clone, Debug)]
pub struct NodeCache {
    /// Bytes that one generation may hold.
    half: u64,
    generations: Arc<Mutex<Generations>>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Digest, Arc<Inner>>,
    young_bytes: u64,
    old: HashMap<Digest, Arc<Inner>>,
}

impl NodeCache {
    /// A cache that holds at most about `bytes` of inner nodes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self {
            half: bytes / 2,
            generations: Arc::default(),
        }
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Inner>> {
        let mut generations = self.lock();
        if let Some(node) = generations.young.get(digest) {
            return Some(Arc::clone(node));
        }
        let node = generations.old.remove(digest)?;
        generations.keep(*digest, Arc::clone(&node), self.half);
        Some(node)
    }

    pub(crate) fn insert(&self, digest: Digest, node: Arc<Inner>) {
        self.lock().keep(digest, node, self.half);
    }

    /// A thread that panicked here left at worst a node less.
    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn keep(&mut self, digest: Digest, node: Arc<Inner>, half: u64) {
        let bytes = node.weight();
        if bytes > half {
            return;
        }
        if self.young_bytes.saturating_add(bytes) > half {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(digest, node).is_none() {
            self.young_bytes = self.young_bytes.saturating_add(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;
    use crate::node::Child;

    fn node(children: usize) -> Arc<Inner> {
        let key = Key::new("k").unwrap();
        let child = Child {
            key,
            digest: Digest::of(b""),
            at: 0,
            bytes: 1,
        };
        Arc::new(Inner {
            level: 1,
            children: vec![child; children],
        })
    }

    #[test]
    fn holds_what_is_used_within_its_bytes() {
        let name = |i: u32| Digest::of(&i.to_le_bytes());
        let one = node(100);
        let cache = NodeCache::new(one.weight() * 20);
        for i in 0..1_000 {
            cache.insert(name(i), node(100));
            assert!(cache.get(&name(0)).is_some(), "the node in use went at {i}");
        }
        let held = (0..1_000)
            .filter(|i| cache.get(&name(*i)).is_some())
            .count();
        assert!((2..=20).contains(&held), "{held} nodes");
        let generations = cache.lock();
        let kept = generations.young.values().chain(generations.old.values());
        assert!(kept.map(|node| node.weight()).sum::<u64>() <= one.weight() * 20);
    }

    #[test]
    fn a_cache_of_nothing_holds_nothing() {
        let cache = NodeCache::new(0);
        cache.insert(Digest::of(b""), node(1));
        assert!(cache.get(&Digest::of(b"")).is_none());
    }
}
