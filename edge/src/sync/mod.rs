//! Following the mirrors.
//!
//! [`core`] decides and does no I/O; [`Follower`] carries out what it decides, through
//! [`mirror`], the one way to a mirror; [`SiteState`] is what the rest of the edge sees.

mod checks;
pub mod core;
mod driver;
mod fetch;
mod history;
mod intake;
mod journal;
mod kept;
pub mod layout;
mod merge;
pub mod mirror;
mod refusal;
mod repair;
mod scrub;
mod source;
mod state;
mod status;
mod work;

pub use driver::Follower;
pub use history::{ALARMS, REFUSALS};
pub use kept::OpenError;
pub use layout::Place;
pub use mirror::{Fetched, Mirror, MirrorError, Patience};
pub use refusal::{Check, HELD, HOLD_FIRST, HOLD_MOST, Refusal};
pub use scrub::ScrubStatus;
pub use state::{SiteState, wall_clock};
pub use status::{
    AlarmStatus, DamageStatus, EdgeStatus, MergedStatus, OrderStatus, RefusalStatus, ReleaseStatus,
    SourceStatus, SyncStatus,
};
pub use work::{FETCHES, Offer, ROUNDS, SourceId};

#[cfg(test)]
mod tests;
