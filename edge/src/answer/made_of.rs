//! What an answer was made of, besides the request and what the whole site shares.

use snapshot::ComponentName;

use crate::host::Read;

/// Answers alike in this, for one request and one site, are the same answer. The data's time is
/// left out: every page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeOf {
    /// The component that gave it; none for a file.
    pub component: Option<ComponentName>,
    /// What was looked up for it, found or not.
    pub reads: Vec<Read>,
}
