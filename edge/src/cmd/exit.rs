//! What a command's exit status says.

use std::process::ExitCode;

/// The end of a command. Documented in `--help`; never renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done,
    /// It did not, for a reason that it printed.
    Failed,
    /// The order is in force on some of the edges that were asked.
    SomeEdges,
    /// The order is in force on none of them.
    NoEdge,
    /// The order could be written to no mirror; or no source of a site answered.
    NoMirror,
    /// The order, or the proposal of trust, needs more signatures, and was written to a file for them.
    Proposed,
    /// A rehearsal met more errors than its budget, and was ended.
    OverBudget,
    /// A rehearsal ended before its time, or nobody came by.
    EndedEarly,
    /// The command line or a settings file is wrong; nothing was begun.
    Usage,
}

impl Exit {
    /// The status.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::SomeEdges => 3,
            Self::NoEdge => 4,
            Self::NoMirror => 5,
            Self::Proposed => 6,
            Self::OverBudget => 7,
            Self::EndedEarly => 8,
            Self::Usage => 64,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
