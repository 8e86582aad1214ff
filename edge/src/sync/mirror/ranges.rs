//! A large object in ranges: several at once, joined in their order.
//!
//! One that answers no ranges is read as a whole instead. What comes is bounded by what was asked for: a
//! body may go on past what its head says it is.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::{GetOptions, GetRange, ObjectStore as _};

use super::{Mirror, MirrorError};
use crate::sync::layout::Place;

/// Bytes asked for by one request for a part of a large object.
pub const SPAN_BYTES: u64 = 1 << 20;
/// Most parts of one object asked for at once.
pub const SPANS: usize = 4;

/// The bytes of an object as they come.
pub type Bytestream = BoxStream<'static, Result<Bytes, MirrorError>>;

impl Mirror {
    /// Streams an object of at most `limit` bytes from byte `from` on, in ranges; `None` when nothing
    /// is there. With the stream comes where it really begins: at 0 if the mirror answers no ranges.
    ///
    /// # Errors
    /// Out of reach or slow. The stream fails too, as one of [`Mirror::stream`] does, and when a part is
    /// longer than was asked for.
    pub async fn stream_from(
        &self,
        place: &Place,
        from: u64,
        limit: u64,
    ) -> Result<Option<(u64, Bytestream)>, MirrorError> {
        let first = GetRange::Bounded(from..from.saturating_add(SPAN_BYTES));
        let (length, head) = match self.part(place, first, limit).await {
            Ok(part) => part,
            Err(error @ MirrorError::Slow { .. }) => return Err(error),
            Err(_) => {
                let whole = self.stream(place, limit).await?;
                return Ok(whole.map(|whole| (0, whole)));
            }
        };
        if length > limit {
            return Err(MirrorError::TooLarge {
                mirror: self.url.to_string(),
                place: place.clone(),
                limit,
            });
        }
        let (this, place) = (self.clone(), place.clone());
        let begun = from.saturating_add(SPAN_BYTES);
        let rest = stream::iter((begun..length).step_by(usize::try_from(SPAN_BYTES).unwrap_or(1)));
        let rest = rest.map(move |at| {
            let (this, place) = (this.clone(), place.clone());
            async move {
                let until = at.saturating_add(SPAN_BYTES).min(length);
                let part = this.part(&place, GetRange::Bounded(at..until), limit);
                let chunks: Vec<_> = match part.await {
                    Ok((_, chunks)) => chunks.collect().await,
                    Err(error) => vec![Err(error)],
                };
                stream::iter(chunks)
            }
        });
        let rest = rest.buffered(SPANS.saturating_sub(1)).flatten();
        Ok(Some((from, head.chain(rest).boxed())))
    }

    /// The last `bytes` bytes of an object of at most `limit` bytes, or all of it if it is shorter.
    ///
    /// # Errors
    /// Out of reach, slow, absent, without ranges, or more than was asked for.
    pub async fn tail(
        &self,
        place: &Place,
        bytes: u64,
        limit: u64,
    ) -> Result<Vec<u8>, MirrorError> {
        let (_, chunks) = self.part(place, GetRange::Suffix(bytes), limit).await?;
        whole(chunks).await
    }

    /// The bytes in `range` of an object of at most `limit` bytes.
    ///
    /// # Errors
    /// Out of reach, slow, absent, shorter, without ranges, or more than was asked for.
    pub async fn range(
        &self,
        place: &Place,
        range: std::ops::Range<u64>,
        limit: u64,
    ) -> Result<Vec<u8>, MirrorError> {
        let (_, chunks) = self.part(place, GetRange::Bounded(range), limit).await?;
        whole(chunks).await
    }

    /// A range of an object, and how long the mirror says the object is. The range is no longer than was
    /// asked for.
    async fn part(
        &self,
        place: &Place,
        range: GetRange,
        limit: u64,
    ) -> Result<(u64, Bytestream), MirrorError> {
        let asked = match &range {
            GetRange::Bounded(range) => range.end.saturating_sub(range.start),
            GetRange::Suffix(bytes) => *bytes,
            GetRange::Offset(from) => limit.saturating_sub(*from),
        };
        let options = GetOptions {
            range: Some(range),
            ..GetOptions::default()
        };
        let path = self.path(place);
        let get = async {
            let got = self.store.get_opts(&path, options).await;
            got.map_err(|error| self.failed(place, error))
        };
        let result = self.within(self.patience.small, place, get).await?;
        let length = result.meta.size;
        let chunks = self.chunks(place, result, asked.min(limit));
        let chunks = chunks.map(|chunk| chunk.map_err(MirrorError::of_a_part));
        Ok((length, chunks.boxed()))
    }
}

/// All that comes.
async fn whole(mut chunks: Bytestream) -> Result<Vec<u8>, MirrorError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;

    use super::*;
    use crate::sync::mirror::endless::endless;

    /// Less than the mirror gives.
    const LIMIT: u64 = 8 << 20;

    #[tokio::test]
    async fn a_part_that_goes_on_past_what_was_asked_for_is_a_lie() {
        let mirror = Mirror::open(&endless(LIMIT).await).unwrap();
        let place = Place::release(&"dasom".parse().unwrap());
        let range = mirror.range(&place, 100..200, LIMIT).await.unwrap_err();
        let tail = mirror.tail(&place, 300, LIMIT).await.unwrap_err();
        let streamed = mirror.stream_from(&place, 0, LIMIT).await.unwrap();
        let streamed = streamed.unwrap().1.try_collect::<Vec<_>>().await;
        // The parts after the first are bounded as well.
        let (_, rest) = mirror.stream_from(&place, 5, LIMIT).await.unwrap().unwrap();
        let is_lie =
            |given: &Result<Bytes, MirrorError>| matches!(given, Err(MirrorError::Unasked { .. }));
        let rest: Vec<_> = rest.collect().await;
        assert_eq!(rest.iter().filter(|given| is_lie(given)).count(), 8);
        let bytes = rest.iter().flatten().map(|chunk| chunk.len() as u64);
        assert!(bytes.sum::<u64>() <= LIMIT);
        for (error, asked) in [
            (range, 100),
            (tail, 300),
            (streamed.unwrap_err(), SPAN_BYTES),
        ] {
            let said = format!(": more than the {asked} bytes asked for");
            assert!(error.to_string().ends_with(&said), "{error}");
        }
    }
}
