//! Sealed records: an edge's disk may be stolen and a mirror may be read, and neither tells
//! anything to whoever lacks the secret that a reader's link carries.
//!
//! The publisher calls [`record_name`] and [`seal`]; the guest that was handed the secret calls
//! [`record_name`] and [`open`]. Nobody in between can do either. There is no randomness: equal
//! content under an equal secret gives equal bytes, so that a publish stays as small as its
//! change. `FORMAT.md` section 12 of the crate above fixes the bytes; its steps are numbered here.
//!
//! Absent on purpose: `std`, a random number generator, a clock. The same code runs at the
//! publisher and inside a guest.

#![no_std]

extern crate alloc;

mod derive;
mod pad;
mod record;
mod secret;

pub use derive::record_name;
pub use record::{OpenError, PLAINTEXT_BYTES, SealError, VERSION, open, seal};
pub use secret::Secret;
