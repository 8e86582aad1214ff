//! The books of the log: what is kept apart, so that none pushes another out.

/// A book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Book {
    /// What people and the edge decided.
    Decisions,
    /// What readers were shown, and orders that were refused.
    Pages,
    /// Writes that were refused.
    Writes,
}

impl Book {
    /// Every book, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Decisions, Self::Pages, Self::Writes];

    /// The name of its folder.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Pages => "pages",
            Self::Writes => "writes",
        }
    }

    /// Whether its entries are synced to the disk.
    pub(super) const fn is_durable(self) -> bool {
        matches!(self, Self::Decisions)
    }
}
