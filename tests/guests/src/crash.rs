//! Panics, which is an abort.

use super::{Outcome, Request};

#[expect(clippy::panic, reason = "this is what it is for")]
pub(super) async fn run(_: &Request) -> Outcome {
    panic!("crash, as asked");
}
