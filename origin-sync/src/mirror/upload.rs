//! Objects to mirrors: written where absent or damaged, then read back.
//!
//! An object may be there and about to be swept, since no release names it ([`crate::sweep`]). One
//! that the last release does not name is trusted to stay only while it is younger than half the
//! grace; an older one is put again, which makes it young. A sweeper that had just found it old may
//! still take it away after that, so one that is gone when it is read back is put once more. And
//! after the commit all such objects are looked for again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError};
use futures::StreamExt;
use futures::future::join_all;
use object_store::{ObjectStore, PutMultipartOptions, PutPayload};
use snapshot::at_rest::{self, AtRestError};
use snapshot::{Digest, SiteName, Store, StoreError, Timestamp};
use tokio::sync::OnceCell;

use super::Mirrors;
use super::listing;
use super::object::{Kind, Object};
use crate::hashed::Hashed;

/// Objects on their way at once.
const AT_ONCE: usize = 8;
/// Bytes written to a mirror in one piece; more goes in parts of this size.
const PART_BYTES: u64 = 8 << 20;
/// What a segment at rest is written by, bytes.
const WRITE_BYTES: usize = 256 << 10;
/// How often an object is put that is gone when it is read back; a sweeper takes it once.
const PUTS: usize = 3;
/// How long one piece may take.
const PIECE_DEADLINE: Duration = Duration::from_secs(60);

/// An object that did not reach a mirror.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The publisher's own copy cannot be read.
    #[error("object {digest} in the publisher's own copy: {source}")]
    Own {
        /// The object.
        digest: Digest,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The mirror did not take it.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The mirror took it and gave back something else, or nothing.
    #[error("{place} on mirror {mirror}: what came back is not what was written")]
    ReadBack {
        /// The object's place.
        place: Place,
        /// The mirror.
        mirror: String,
    },
}

/// What goes where.
#[derive(Debug)]
pub struct Upload<'a> {
    /// The publisher's own copy.
    pub store: &'a Arc<Store>,
    /// For each mirror in order: what it must hold afterwards; `None` leaves it out.
    pub wanted: Vec<Option<Arc<Vec<Object>>>>,
    /// Objects that no release names yet, as far as is known: swept when they are older than
    /// `grace`.
    pub unsettled: BTreeSet<Digest>,
    /// How long an object stays that no release names.
    pub grace: Duration,
}

/// Which objects may go, and when.
#[derive(Clone, Copy)]
struct Settling<'a> {
    unsettled: &'a BTreeSet<Digest>,
    /// Of an object that is older than this, nobody knows that it stays.
    trusted: Duration,
    /// For each mirror in order: the time by its own clock.
    times: &'a [OnceCell<Timestamp>],
}

/// What went.
#[derive(Debug, Default)]
pub struct Sent {
    /// Objects that were written, over all mirrors.
    pub objects: u64,
    /// Their bytes at rest.
    pub bytes: u64,
    /// For each mirror in order: why it lacks something now.
    pub failed: Vec<Option<UploadError>>,
}

/// Brings every wanted object to its mirrors. A mirror's first failure ends its part, but for what is
/// on its way already; the others go on. `progress` hears of each finished object: done, of how many.
///
/// # Errors
/// Only when the publisher's own copy cannot be read.
pub async fn upload(
    mirrors: &Mirrors,
    upload: &Upload<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Sent, UploadError> {
    let mut sent = Sent {
        failed: mirrors.all().iter().map(|_| None).collect(),
        ..Sent::default()
    };
    let mut jobs: std::collections::BTreeMap<Digest, (Object, Vec<usize>)> =
        std::collections::BTreeMap::new();
    for (at, wanted) in upload.wanted.iter().enumerate() {
        for object in wanted.iter().flat_map(|objects| objects.iter()) {
            let job = jobs
                .entry(object.digest)
                .or_insert_with(|| (object.clone(), Vec::new()));
            job.1.push(at);
        }
    }
    let total = jobs.len();
    let site = &mirrors.site;
    let times: Vec<OnceCell<Timestamp>> = mirrors.all().iter().map(|_| OnceCell::new()).collect();
    let settling = Settling {
        unsettled: &upload.unsettled,
        trusted: upload.grace / 2,
        times: &times,
    };
    let failed: Vec<AtomicBool> = times.iter().map(|_| AtomicBool::new(false)).collect();
    let failed = &failed;
    let mut done = futures::stream::iter(jobs.into_values().map(|(object, at)| async move {
        let piece = prepare(Arc::clone(upload.store), object).await?;
        let all = at.into_iter().filter_map(|at| {
            let (mirror, failed) = (mirrors.all().get(at)?, failed.get(at)?);
            let piece = &piece;
            (!failed.load(Ordering::Relaxed)).then_some(async move {
                let done = ensure(mirror, site, piece, settling, at).await;
                failed.fetch_or(done.is_err(), Ordering::Relaxed);
                (at, done)
            })
        });
        Ok::<_, UploadError>((piece.bytes, join_all(all).await))
    }))
    .buffer_unordered(AT_ONCE);
    let mut finished = 0;
    while let Some(job) = done.next().await {
        let (bytes, outcomes) = job?;
        finished += 1;
        progress(finished, total);
        for (at, outcome) in outcomes {
            match outcome {
                Ok(false) => {}
                Ok(true) => {
                    sent.objects += 1;
                    sent.bytes += bytes;
                }
                Err(error) => {
                    if let Some(failed) = sent.failed.get_mut(at) {
                        failed.get_or_insert(error);
                    }
                }
            }
        }
    }
    Ok(sent)
}

/// An object as it lies at rest.
struct Piece {
    name: Digest,
    file: Arc<File>,
    bytes: u64,
    hash: blake3::Hash,
}

async fn prepare(store: Arc<Store>, object: Object) -> Result<Piece, UploadError> {
    let name = object.digest;
    let own = move |source: Box<dyn std::error::Error + Send + Sync>| UploadError::Own {
        digest: name,
        source,
    };
    let work = tokio::task::spawn_blocking(move || at_rest_of(&store, &object));
    work.await
        .map_err(|error| own(error.into()))?
        .map_err(|error| own(error.into()))
}

/// Why the publisher's own object cannot be sent.
#[derive(Debug, thiserror::Error)]
enum OwnError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    AtRest(#[from] AtRestError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("its bytes are not what its name says")]
    Damaged,
}

fn at_rest_of(store: &Store, object: &Object) -> Result<Piece, OwnError> {
    let own = store.file(&object.digest)?;
    let (file, (hash, bytes)) = match object.kind {
        Kind::Raw => {
            let hash = hash_of(&own)?;
            if hash.0.as_bytes() != object.digest.as_bytes() {
                return Err(OwnError::Damaged);
            }
            (own, hash)
        }
        Kind::Segment(..) => {
            let out = Hashed::new(tempfile::tempfile_in(store.root())?);
            let mut out = BufWriter::with_capacity(WRITE_BYTES, out);
            at_rest::compress(&mut BufReader::new(own), &mut out)?;
            let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            (out.inner, (out.hash.finalize(), out.hash.count()))
        }
    };
    Ok(Piece {
        name: object.digest,
        file: Arc::new(file),
        bytes,
        hash,
    })
}

fn hash_of(file: &File) -> io::Result<(blake3::Hash, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut input = file;
    loop {
        let got = input.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..got).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        hasher.update(chunk);
    }
    Ok((hasher.finalize(), hasher.count()))
}

/// After the commit: puts again what was swept between its being looked at and the commit. Gives, for
/// each mirror in order, why it lacks something.
///
/// # Errors
/// Only when the publisher's own copy cannot be read.
pub async fn confirm(
    mirrors: &Mirrors,
    upload: &Upload<'_>,
) -> Result<Vec<Option<UploadError>>, UploadError> {
    let mut failed: Vec<Option<UploadError>> = mirrors.all().iter().map(|_| None).collect();
    let all = mirrors.all().iter().zip(&upload.wanted).enumerate();
    let looks = all.flat_map(|(at, (mirror, wanted))| {
        let objects = wanted.iter().flat_map(|objects| objects.iter());
        let unsettled = objects.filter(|object| upload.unsettled.contains(&object.digest));
        unsettled.map(move |object| async move {
            let place = Place::object(&mirrors.site, &object.digest);
            match listing::modified(mirror, &place).await {
                Ok(Some(_)) => Ok(None),
                Ok(None) => {
                    let piece = prepare(Arc::clone(upload.store), object.clone()).await?;
                    let again = write(mirror, &place, &piece).await;
                    Ok(again.err().map(|error| (at, error)))
                }
                Err(error) => Ok(Some((at, error.into()))),
            }
        })
    });
    let looks: Vec<_> = looks.collect();
    let mut looks = futures::stream::iter(looks).buffer_unordered(AT_ONCE);
    while let Some(look) = looks.next().await {
        let look: Result<Option<(usize, UploadError)>, UploadError> = look;
        if let Some((at, error)) = look?
            && let Some(failed) = failed.get_mut(at)
        {
            failed.get_or_insert(error);
        }
    }
    Ok(failed)
}

/// Puts what was copied from `mirror` back to where it lay; gives when, by the mirror's clock.
///
/// # Errors
/// The mirror did not take it.
pub async fn put_back(
    mirror: &Mirror,
    site: &SiteName,
    name: Digest,
    copy: File,
) -> Result<Timestamp, UploadError> {
    let work = tokio::task::spawn_blocking(move || {
        let (hash, bytes) = hash_of(&copy)?;
        let file = Arc::new(copy);
        Ok::<_, io::Error>(Piece {
            name,
            file,
            bytes,
            hash,
        })
    });
    let own = |source: Box<dyn std::error::Error + Send + Sync>| UploadError::Own {
        digest: name,
        source,
    };
    let piece = work.await.map_err(|error| own(error.into()))?;
    let piece = piece.map_err(|error| own(error.into()))?;
    let place = Place::object(site, &name);
    write(mirror, &place, &piece).await?;
    Ok(listing::modified(mirror, &place).await?.unwrap_or_default())
}

/// True if it had to be written.
async fn ensure(
    mirror: &Mirror,
    site: &SiteName,
    piece: &Piece,
    settling: Settling<'_>,
    at: usize,
) -> Result<bool, UploadError> {
    let place = Place::object(site, &piece.name);
    if settling.stays(mirror, site, &place, piece, at).await?
        && look(mirror, &place, piece).await? == Found::Same
    {
        return Ok(false);
    }
    for _ in 0..PUTS {
        write(mirror, &place, piece).await?;
        match look(mirror, &place, piece).await? {
            Found::Same => return Ok(true),
            Found::Other => break,
            Found::Nothing => {}
        }
    }
    Err(UploadError::ReadBack {
        place,
        mirror: mirror.url().to_string(),
    })
}

impl Settling<'_> {
    /// Whether an object that is there is there to stay.
    async fn stays(
        &self,
        mirror: &Mirror,
        site: &SiteName,
        place: &Place,
        piece: &Piece,
        at: usize,
    ) -> Result<bool, MirrorError> {
        if !self.unsettled.contains(&piece.name) {
            return Ok(true);
        }
        let (Some(written), Some(time)) =
            (listing::modified(mirror, place).await?, self.times.get(at))
        else {
            return Ok(false);
        };
        let now = time.get_or_try_init(|| listing::time(mirror, site)).await?;
        Ok(now.since(written) < self.trusted)
    }
}

/// What lies where an object should.
#[derive(PartialEq, Eq)]
enum Found {
    Same,
    Other,
    Nothing,
}

async fn look(mirror: &Mirror, place: &Place, piece: &Piece) -> Result<Found, UploadError> {
    let Some(mut chunks) = mirror.stream(place, piece.bytes).await? else {
        return Ok(Found::Nothing);
    };
    let mut hasher = blake3::Hasher::new();
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => hasher.update(&chunk),
            Err(MirrorError::TooLarge { .. }) => return Ok(Found::Other),
            Err(error) => return Err(error.into()),
        };
    }
    match hasher.count() == piece.bytes && hasher.finalize() == piece.hash {
        true => Ok(Found::Same),
        false => Ok(Found::Other),
    }
}

async fn write(mirror: &Mirror, place: &Place, piece: &Piece) -> Result<(), UploadError> {
    mirror.writable()?;
    mirror.present().await?;
    let (store, path) = mirror.store(place);
    let failed = |source: object_store::Error| MirrorError::Store {
        mirror: mirror.url().to_string(),
        place: place.clone(),
        source: Box::new(source),
    };
    if piece.bytes <= PART_BYTES {
        let bytes = read_part(piece, 0, piece.bytes).await?;
        let put = store.put_opts(
            &path,
            PutPayload::from(bytes),
            object_store::PutOptions::default(),
        );
        within(mirror, place, put).await?.map_err(failed)?;
        return Ok(());
    }
    let start = store.put_multipart_opts(&path, PutMultipartOptions::default());
    let mut parts = within(mirror, place, start).await?.map_err(failed)?;
    let whole = async {
        // One is read while the one before it is put.
        let starts = (0..piece.bytes).step_by(PART_BYTES as usize);
        let read = starts.map(|at| read_part(piece, at, PART_BYTES.min(piece.bytes - at)));
        let mut read = futures::stream::iter(read).buffered(2);
        while let Some(bytes) = read.next().await {
            let part = parts.put_part(PutPayload::from(bytes?));
            within(mirror, place, part).await?.map_err(failed)?;
        }
        within(mirror, place, parts.complete())
            .await?
            .map_err(failed)?;
        Ok(())
    };
    let whole: Result<(), UploadError> = whole.await;
    if whole.is_err() {
        // A bucket keeps, and bills, the parts of what is never completed.
        within(mirror, place, parts.abort()).await.ok();
    }
    whole
}

async fn read_part(piece: &Piece, at: u64, length: u64) -> Result<Bytes, UploadError> {
    let file = Arc::clone(&piece.file);
    let name = piece.name;
    let own = move |source: Box<dyn std::error::Error + Send + Sync>| UploadError::Own {
        digest: name,
        source,
    };
    let length = usize::try_from(length).map_err(|error| own(error.into()))?;
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, at).map(|()| bytes)
    });
    let bytes = read
        .await
        .map_err(|error| own(error.into()))?
        .map_err(|error| own(error.into()))?;
    Ok(Bytes::from(bytes))
}

async fn within<T>(
    mirror: &Mirror,
    place: &Place,
    work: impl Future<Output = T>,
) -> Result<T, MirrorError> {
    in_time(PIECE_DEADLINE, work)
        .await
        .map_err(|limit| mirror.slow(place, limit))
}

async fn in_time<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Duration> {
    tokio::time::timeout(limit, work).await.map_err(|_| limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_piece_that_does_not_arrive_is_given_up() {
        let soon = Duration::from_millis(10);
        let never = std::future::pending::<()>();
        assert_eq!(in_time(soon, never).await, Err(soon));
        assert_eq!(in_time(PIECE_DEADLINE, async { 1 }).await, Ok(1));
    }
}
