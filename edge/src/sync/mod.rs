//! Following the mirrors.
//!
//! [`core`] decides and does no I/O; [`Follower`] carries out what it decides, through
//! [`mirror`], the one way to a mirror; [`SiteState`] is what the rest of the edge sees.

mod behind;
mod checks;
pub mod core;
mod driver;
mod faults;
mod fetch;
mod given;
mod history;
mod intake;
mod journal;
mod kept;
pub mod layout;
mod lazy;
mod merge;
pub mod mirror;
mod noted;
mod pace;
mod pinned;
mod pushed;
mod refusal;
mod repair;
mod scrub;
mod source;
mod space;
mod state;
mod status;
mod succession;
mod sweep;
mod switching;
mod tally;
mod trust_status;
mod work;

pub use driver::Follower;
pub use faults::{FORKS, Faults};
pub use fetch::RESUMED_BYTES;
pub use given::{GIVEN, Given, GivenRelease};
pub use history::{REFUSALS, REMARKS};
pub use kept::OpenError;
pub use layout::Place;
pub use lazy::{FRAME_DEADLINE, LazyStatus, MISSES, NODE_WAIT, TABLE_FRAMES, WAIT};
pub use mirror::{Fetched, Mirror, MirrorError, Patience};
pub use noted::{OUTRANKED, REFUSED_A_MINUTE};
pub use pace::Pace;
pub use pushed::{Brought, JUDGED_A_SECOND, Pushes, TOLD, Verdict, WAITING};
pub use refusal::{Check, HELD, HOLD_FIRST, HOLD_MOST, Refusal};
pub use scrub::ScrubStatus;
pub use space::SPARE_BYTES;
pub use state::{SiteState, wall_clock};
pub use status::{
    DamageStatus, EdgeStatus, FetchingStatus, LeftBehindStatus, MaySignStatus, MergedStatus,
    OrderStatus, RefusalStatus, ReleaseStatus, Remark, SourceStatus, StoreStatus, SuccessionStatus,
    SyncStatus, TrustStatus,
};
pub use tally::Tally;
pub use work::{Errand, FETCHES, Fault, Offer, ROUNDS, SourceId};

#[cfg(test)]
mod tests;
