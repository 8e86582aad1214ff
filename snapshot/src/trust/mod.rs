//! Whom a site believes: two files read as one generation, and what it then accepts.

mod accept;
mod alarm;
mod date;
mod generation;
mod pattern;
mod policy;
mod problem;
mod refusal;
mod signers;
mod verify;

pub(crate) use accept::order_in;
pub use accept::{
    AcceptedOrder, AcceptedRelease, Novelty, accept_order, accept_pinned, accept_release,
};
pub use alarm::Alarm;
pub use generation::Generation;
pub use policy::{Role, Thresholds};
pub use problem::{Problem, TrustFile, TrustProblem};
pub use refusal::Refusal;
pub use verify::{SignatureRefusal, SignedBy, Signers, TrustError};
