//! What can go wrong with a component: when it is taken in, and when it answers.

use std::path::PathBuf;

use snapshot::Digest;

/// A component that was not taken in, or a host that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine refused its configuration, mostly for want of address space.
    #[error("the component engine does not start")]
    Engine(#[source] wasmtime::Error),
    /// The directory of compiled components is not ours alone.
    #[error("{path} is open to others (mode {mode:o}): expected 0700, compiled code in it is run")]
    CacheOpen {
        /// The directory or key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The directory of compiled components cannot be used.
    #[error("the cache of compiled components cannot be used")]
    Cache(#[from] std::io::Error),
    /// More bytes than a component may have.
    #[error("component {digest} has {bytes} bytes: at most {limit} are taken")]
    TooLarge {
        /// The name asked for.
        digest: Digest,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Bytes that do not have the name they came under.
    #[error("component {expected} has other bytes, which hash to {found}")]
    Digest {
        /// The name asked for.
        expected: Digest,
        /// What was given.
        found: Digest,
    },
    /// Not a component, or one that asks for more than the limits give.
    #[error("component {digest} does not compile")]
    Compile {
        /// The component.
        digest: Digest,
        /// What the compiler said.
        #[source]
        source: wasmtime::Error,
    },
    /// An import that this host does not offer.
    #[error(
        "component {digest} imports {import}: only wasi:http/types@0.3 and \
         spin:key-value/key-value@3.0 are offered"
    )]
    Import {
        /// The component.
        digest: Digest,
        /// The import's full name.
        import: String,
    },
    /// Not an HTTP component.
    #[error("component {digest} does not export wasi:http/handler@0.3")]
    Handler {
        /// The component.
        digest: Digest,
        /// What did not fit.
        #[source]
        source: wasmtime::Error,
    },
    /// An import of a known name and an unknown shape.
    #[error("component {digest} does not link")]
    Link {
        /// The component.
        digest: Digest,
        /// What did not fit.
        #[source]
        source: wasmtime::Error,
    },
    /// The runtime went away while a component was taken in.
    #[error("component {digest} was not taken in: the host is stopping")]
    Stopping {
        /// The component.
        digest: Digest,
    },
}

/// A request that a component did not answer. The reader gets the emergency page; a guest's own
/// words are logged and never shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuestError {
    /// It crashed; the kind of trap, in fixed words.
    #[error("the component crashed: {0}")]
    Trap(&'static str),
    /// It said itself that it failed.
    #[error("the component reported a failure")]
    Failed,
    /// It took too long.
    #[error("the component did not answer in time")]
    Deadline,
    /// It asked for more memory, tables or handles than it may have.
    #[error("the component asked for more memory than it may have")]
    Memory,
    /// Its answer is longer than allowed.
    #[error("the component's answer is too long")]
    Output,
    /// Its answer is not one.
    #[error("the component's answer makes no sense: {0}")]
    Nonsense(&'static str),
    /// Something it read is damaged here; whatever it said is not to be trusted.
    #[error("the copy cannot be read")]
    Unreadable,
    /// Too many components are busy.
    #[error("too many requests at once")]
    Busy,
}

impl GuestError {
    /// One stable word, for metrics and logs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::Failed => "failed",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Nonsense(_) => "nonsense",
            Self::Unreadable => "unreadable",
            Self::Busy => "busy",
        }
    }
}
