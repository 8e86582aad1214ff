//! A request's answer out of the snapshot alone.
//!
//! [`path`] and [`routes`] find what is asked for, [`from_snapshot`] answers it from a release, and
//! [`rehearse`] asks as a reader would while the origin is gone.

mod asset;
mod context;
mod guest;
mod made_of;
pub mod path;
mod records;
mod rehearse;
mod routes;
mod said;
mod snapshot;

pub use context::{AnswerContext, Standing, freshness, page_state};
pub use guest::always_told;
pub use made_of::MadeOf;
pub use path::{BadPath, RequestPath};
pub use records::VALUE_BYTES;
pub use rehearse::{NotRehearsed, Rehearsal, Rehearsed};
pub use routes::{Capability, Matched, RouteProblem, Routes, without_capability};
pub use said::SAID_BYTES;
pub use snapshot::{Found, SnapshotAnswer, SnapshotRequest, asked, from_snapshot, notice_page};
