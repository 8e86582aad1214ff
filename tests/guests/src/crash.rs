//! Panics, which is an abort.

use super::Outcome;

#[expect(clippy::panic, reason = "this is what it is for")]
pub(super) fn run() -> Outcome {
    panic!("crash, as asked");
}
