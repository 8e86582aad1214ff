//! Whom a site believes: two files read as one generation, and what it then accepts.

mod accept;
mod alarm;
mod chain;
mod date;
mod generation;
mod lineage;
mod listed;
mod pattern;
mod policy;
mod problem;
mod refusal;
mod signers;
mod succession;
mod verify;

pub(crate) use accept::order_in;
pub use accept::{
    AcceptedOrder, AcceptedRelease, Novelty, accept_order, accept_pinned, accept_release,
};
pub use alarm::Alarm;
pub use chain::Chain;
pub use generation::{Generation, TrustFiles};
pub use lineage::{Advance, Lineage, LineageError};
pub use listed::{Listed, ListedKey, MaySign};
pub use policy::{Role, Thresholds};
pub use problem::{Problem, TrustFile, TrustProblem};
pub use refusal::Refusal;
pub use succession::{AcceptedSuccession, Succession, accept_succession, followed_by};
pub use verify::{SignatureRefusal, SignedBy, Signers, TrustError};
