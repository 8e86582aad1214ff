//! Whom an edge believes about a site: the generation in force, kept across restarts.
//!
//! Two things change it while the edge runs. A **succession** comes from a mirror or a peer, signed by
//! the generation before it (`snapshot/FORMAT.md`, section 14). The **files** of the site's `trust` folder
//! are changed by whoever may write on this machine, and that needs no signature. What is in force is
//! written down together with the files that it was last compared with, so that a restart believes whom
//! the edge believed before. What happens when the two disagree:
//!
//! - files that are as they were last seen say nothing new: what travelled stands, also after a restart;
//! - files that have changed into a generation that is in force, or that came before it, mean that
//!   somebody brings them up to date, perhaps in steps: what travelled stands;
//! - files that have changed into anything else win, and everything begins anew with them: that is how
//!   people lower a threshold, end a fork, or throw out whoever got the upper hand. To go back to a
//!   generation that came before, change them in any way, if only by a remark;
//! - files that are wrong, or gone, are an alarm, and what is in force stays.
//!
//! A new generation is written down before it is in force. On a disk that takes nothing it is in force
//! all the same, with an alarm, and is written at a later poll: going on to believe a stolen key would help
//! only the thief. A crash before that loses it until a mirror or a peer gives it again.

mod keeper;

pub use keeper::{Local, TrustKeeper, TrustStateError};
