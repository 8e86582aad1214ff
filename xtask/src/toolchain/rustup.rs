//! The second way: rustup adds the target. Its server may be out of reach, and then it tries for
//! minutes, so it gets a limit.

use std::process::Command;
use std::time::Duration;

use super::{TARGET, Toolchain, installed};
use crate::error::Result;
use crate::process;
use crate::step::Steps;

/// How long rustup may take: some 20 MB from a server in reach.
const LIMIT: Duration = Duration::from_secs(20);

/// The active toolchain, with the target added.
pub(super) fn find(steps: &Steps) -> Result<Toolchain> {
    steps.say(
        "guests",
        format_args!(
            "asking rustup for {TARGET}, for at most {} s",
            LIMIT.as_secs()
        ),
    );
    process::run_within(
        LIMIT,
        // Its last words are the reason, unless a backtrace follows them.
        Command::new("rustup")
            .args(["target", "add", TARGET])
            .env("RUST_BACKTRACE", "0"),
    )
    .map_err(|error| error.next(format!("rustup target add {TARGET}")))?;
    installed::find()
}
