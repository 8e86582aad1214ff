//! Opens more streams than the host lets a guest have, and holds on to both ends of each.

use spin_sdk::http::IntoResponse as _;
use spin_sdk::wasip3::wit_stream;

use super::{Outcome, Request};

/// Beyond the host's own limit, and far below the engine's.
const STREAMS: usize = 5_000;

pub(super) async fn run(_: &Request) -> Outcome {
    let held: Vec<_> = (0..STREAMS).map(|_| wit_stream::new::<u8>()).collect();
    held.len().to_string().into_response()
}
