//! Exit codes, so that a timer or a script can tell what happened without reading words.

/// How a run ended. The number is the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; of `publish`: a new release is committed on every mirror.
    Done = 0,
    /// `verify` found something wrong.
    Damaged = 1,
    /// The content is that of the last release: no new one; `publish` renewed its time.
    NothingNew = 10,
    /// A canary, the coverage or the shrink guard refused: the last release stands.
    GuardRefused = 20,
    /// Committed on a majority of the mirrors, but not on all.
    MirrorsMissed = 21,
    /// The key cannot be had, or nobody would believe it: the last release stands.
    KeyRefused = 22,
    /// Not committed: no majority of the mirrors took it. The last release stands.
    NotCommitted = 23,
    /// Records that were amended by hand, of which the sources say otherwise, and nobody said which
    /// of the two counts. The last release stands.
    Amended = 24,
    /// Another publisher's release got the number: it stands, and ours is not published.
    Lost = 25,
    /// The release needs a later edge than `min_edge`, or a mirror holds one that needs a later
    /// version of this program. The last release stands.
    NeedsLater = 26,
    /// `erase`: gone from the mirrors, and not from every edge that was asked.
    EdgesMissed = 3,
    /// A command line or a configuration that cannot be used.
    Usage = 64,
    /// A source, a component or an object that cannot be read.
    BadData = 65,
    /// The publisher's own disk or another publisher is in the way.
    Local = 73,
}

impl Exit {
    /// The word in `--json`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "published",
            Self::Damaged => "damaged",
            Self::NothingNew => "nothing-new",
            Self::GuardRefused => "guard-refused",
            Self::MirrorsMissed => "mirrors-missed",
            Self::KeyRefused => "key-refused",
            Self::NotCommitted => "not-committed",
            Self::Amended => "amended",
            Self::Lost => "lost",
            Self::NeedsLater => "needs-later",
            Self::EdgesMissed => "edges-missed",
            Self::Usage => "usage",
            Self::BadData => "bad-data",
            Self::Local => "local",
        }
    }
}

/// The table that `--help` ends with.
pub const TABLE: &str = "\
Exit codes:
   0  done; of publish: a new release is committed on every mirror
   1  verify found something wrong
   3  edges missed: erased, and an edge that was asked has not said that it is gone there
  10  nothing new: the content is that of the last release; publish renewed its time
  20  guard refused: a canary, the coverage or a loss of records; the last release stands
  21  mirrors missed: the release is committed on a majority, but not on every mirror
  22  key refused: it cannot be had, or nobody would believe it; the last release stands
  23  not committed: no majority of the mirrors took it; the last release stands
  24  amended by hand: the sources say otherwise, and nobody said which counts; the last release stands
  25  lost: another publisher's release got the number and stands; ours is not published
  26  needs later: an edge later than min_edge, or a later origin-sync; the last release stands
  64  the command line or the configuration cannot be used
  65  a source, a component or an object cannot be read; the last release stands
  73  the publisher's own copy is in use or its disk fails; the last release stands";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_code() {
        for exit in [
            Exit::Done,
            Exit::Damaged,
            Exit::NothingNew,
            Exit::GuardRefused,
            Exit::MirrorsMissed,
            Exit::KeyRefused,
            Exit::NotCommitted,
            Exit::Amended,
            Exit::Lost,
            Exit::NeedsLater,
            Exit::EdgesMissed,
            Exit::Usage,
            Exit::BadData,
            Exit::Local,
        ] {
            assert!(
                TABLE.contains(&format!("\n  {:>2}  ", exit as u8)),
                "{exit:?}"
            );
        }
    }
}
