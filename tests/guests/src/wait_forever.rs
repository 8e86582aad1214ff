//! Waits for something that never comes.

use super::Outcome;

pub(super) async fn run() -> Outcome {
    std::future::pending().await
}
