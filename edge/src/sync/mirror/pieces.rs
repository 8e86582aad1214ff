//! What a store gives, piece by piece. Of a file the library's own pieces are so small that handing
//! each to another thread costs more than reading it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::{GetResult, GetResultPayload, Result};
use tokio::task::spawn_blocking;

/// Most bytes of a file in one piece.
const PIECE_BYTES: u64 = 256 << 10;

/// The bytes of `result` as they come.
pub(super) fn pieces(result: GetResult) -> BoxStream<'static, Result<Bytes>> {
    match result.payload {
        GetResultPayload::File(file, _) => of_file(Arc::new(file), result.range),
        GetResultPayload::Stream(stream) => stream,
    }
}

fn of_file(file: Arc<File>, range: Range<u64>) -> BoxStream<'static, Result<Bytes>> {
    let pieces = futures::stream::try_unfold(range, move |rest| {
        let file = Arc::clone(&file);
        async move {
            if rest.is_empty() {
                return Ok(None);
            }
            let next = rest.end.min(rest.start + PIECE_BYTES);
            let read = spawn_blocking(move || read(&file, rest.start..next)).await;
            let read = read.map_err(io::Error::other).and_then(|read| read);
            let piece = read.map_err(|source| object_store::Error::Generic {
                store: "LocalFileSystem",
                source: source.into(),
            })?;
            Ok(Some((piece, next..rest.end)))
        }
    });
    pieces.boxed()
}

fn read(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(range: Range<u64>, held: u64) -> Result<Vec<Bytes>> {
        let file = tempfile::tempfile().unwrap();
        file.set_len(held).unwrap();
        file.write_all_at(b"end", held - 3).unwrap();
        use futures::TryStreamExt as _;
        of_file(Arc::new(file), range).try_collect().await
    }

    #[tokio::test]
    async fn a_file_comes_in_few_pieces_and_whole() {
        let held = 2 * PIECE_BYTES + 5;
        let pieces = all(1..held, held).await.unwrap();
        let lengths: Vec<_> = pieces.iter().map(|piece| piece.len() as u64).collect();
        assert_eq!(lengths, [PIECE_BYTES, PIECE_BYTES, 4]);
        assert!(pieces[2].ends_with(b"end"));
        assert!(all(0..0, held).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_that_becomes_shorter_is_an_error() {
        assert!(all(0..9, 8).await.is_err());
    }
}
