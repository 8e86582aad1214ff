//! The books of the log: what is kept apart, so that none pushes another out.

use super::files::{FILES, REFUSAL_FILES};

/// A book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Book {
    /// What people and the edge decided.
    Decisions,
    /// What readers were shown, and programs that were run.
    Pages,
    /// Writes that were refused.
    Writes,
    /// Orders and generations of trust that were not believed: whoever reaches the edge may cause them.
    Refusals,
}

impl Book {
    /// Every book, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Decisions, Self::Pages, Self::Writes, Self::Refusals];

    /// The name of its folder.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Pages => "pages",
            Self::Writes => "writes",
            Self::Refusals => "refusals",
        }
    }

    /// How many files it may have.
    pub(super) const fn files(self) -> usize {
        match self {
            Self::Refusals => REFUSAL_FILES,
            Self::Decisions | Self::Pages | Self::Writes => FILES,
        }
    }

    /// Whether its entries are synced to the disk.
    pub(super) const fn is_durable(self) -> bool {
        matches!(self, Self::Decisions)
    }
}
