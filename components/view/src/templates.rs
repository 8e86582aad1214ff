//! The templates read so far, shared with the engine that asks for them by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most templates of one page, the layout aside.
pub const TEMPLATES: usize = 16;

/// Templates by name. Clones share their content.
#[derive(Clone, Debug, Default)]
pub struct Templates(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What was read; `None` for a name that the collection does not have.
    read: BTreeMap<String, Option<String>>,
    wanted: BTreeSet<String>,
}

impl Templates {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what the collection holds under `name`.
    pub fn insert(&self, name: &str, source: Option<String>) {
        self.lock().read.insert(name.to_owned(), source);
    }

    /// How many were asked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().read.len()
    }

    /// Whether none was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The source of `name`, if it was read; else it is noted as wanted.
    pub(crate) fn source(&self, name: &str) -> Option<String> {
        let mut state = self.lock();
        if let Some(source) = state.read.get(name) {
            return source.clone();
        }
        state.wanted.insert(name.to_owned());
        None
    }

    /// The names that were wanted and not read yet; asking forgets them.
    pub(crate) fn take_wanted(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().wanted)
            .into_iter()
            .collect()
    }

    /// A panic elsewhere leaves the map as good as before.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
