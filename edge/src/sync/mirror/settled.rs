//! Which ETags may be used.
//!
//! A web server makes an ETag of a file's size and the second of its last change (nginx and Apache do):
//! two documents of one length that were written within one second look the same, and whoever read the
//! first one is told for ever that nothing has changed. So a tag is used only once the document has come
//! whole with it so long after the tag was first seen that nothing else can have been written under it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use object_store::path::Path;
use tokio::time::Instant;

/// How long documents may share a tag: the second that tags are as coarse as, and one to spare.
pub const COARSE: Duration = Duration::from_secs(2);
/// Documents of one mirror whose tags are watched: those that are polled, and room for more of them.
const DOCUMENTS: usize = 16;

/// When the tag of each document was first seen.
#[derive(Debug, Default)]
pub(super) struct Settling(Mutex<BTreeMap<Path, (String, Instant)>>);

impl Settling {
    /// `tag`, if it may be used: a document was asked for at `asked` and came whole with it.
    pub(super) fn settled(&self, at: &Path, tag: Option<String>, asked: Instant) -> Option<String> {
        let tag = tag?;
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(at) {
            Some((known, first)) if *known == tag => (asked >= *first + COARSE).then_some(tag),
            known => {
                if known.is_some() || seen.len() < DOCUMENTS {
                    seen.insert(at.clone(), (tag, asked));
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_used_once_nothing_else_can_have_been_written_under_it() {
        let (settling, start) = (Settling::default(), Instant::now());
        let at = Path::from("dasom/orders");
        let seen = |tag: &str, after_ms: u64| {
            let asked = start + Duration::from_millis(after_ms);
            settling.settled(&at, Some(tag.to_owned()), asked).is_some()
        };
        assert!(!seen("one", 0));
        assert!(!seen("one", 1999));
        assert!(seen("one", 2000));
        assert!(!seen("two", 2500));
        assert!(!seen("two", 4000));
        assert!(seen("two", 4500));
        assert_eq!(settling.settled(&at, None, start), None);
    }

    #[test]
    fn so_many_documents_are_watched_and_others_are_always_asked_for_whole() {
        let (settling, start) = (Settling::default(), Instant::now());
        let used = |n: usize, asked| {
            let at = Path::from(n.to_string());
            settling
                .settled(&at, Some("tag".to_owned()), asked)
                .is_some()
        };
        assert!((0..=DOCUMENTS).all(|n| !used(n, start)));
        assert!((0..DOCUMENTS).all(|n| used(n, start + COARSE)));
        assert!(!used(DOCUMENTS, start + COARSE));
    }
}
