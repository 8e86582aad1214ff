//! Which collections are not held whole.

use std::collections::BTreeSet;

use snapshot::CollectionName;

use crate::settings::Section;

/// Bytes of lazy collections that are kept, unless said otherwise.
pub const LAZY_CACHE: u64 = 256 << 20;
/// The least that may be kept, bytes: less would hold no whole frame of each level of a few segments.
pub const LAZY_CACHE_LEAST: u64 = 1 << 20;

/// `lazy` and `lazy-cache` of a `[[site]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LazySettings {
    /// `lazy`: collections of which only what is asked for is fetched. Default: none.
    pub collections: BTreeSet<CollectionName>,
    /// `lazy-cache`: how much of them is kept, bytes, all such collections together. Default
    /// 268,435,456.
    pub cache_bytes: u64,
}

impl Default for LazySettings {
    fn default() -> Self {
        Self {
            collections: BTreeSet::new(),
            cache_bytes: LAZY_CACHE,
        }
    }
}

impl LazySettings {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let mut settings = Self::default();
        let problems = section.problems();
        let named = section.texts("lazy");
        for text in named.iter().flat_map(|list| &list.value) {
            match text.value.parse() {
                Ok(name) => {
                    settings.collections.insert(name);
                }
                Err(error) => {
                    let error: snapshot::InvalidName = error;
                    problems.add(text.span, error.to_string());
                }
            }
        }
        if let Some(bytes) = section.integer("lazy-cache") {
            match u64::try_from(bytes.value) {
                Ok(most) if most >= LAZY_CACHE_LEAST => settings.cache_bytes = most,
                _ => {
                    let message = format!("`lazy-cache` is {} bytes", bytes.value);
                    problems
                        .add(bytes.span, message)
                        .label(format!("expected at least {LAZY_CACHE_LEAST}"));
                }
            }
        }
        settings
    }
}
