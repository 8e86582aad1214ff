//! Waits for something that never comes: a byte from a stream that it never writes itself.

use spin_sdk::wasip3::wit_stream;

use super::{Outcome, Request};

pub(super) async fn run(request: &Request) -> Outcome {
    let (_never_used, mut reader) = wit_stream::new::<u8>();
    reader.next().await;
    super::fine::run(request).await
}
