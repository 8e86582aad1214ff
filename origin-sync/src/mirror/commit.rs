//! The commit: `releases/N`, create-only, and the pointer after it.

use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError};
use snapshot::{Generation, SiteName, Timestamp, limits};

use super::survey::Signed;

/// What became of `releases/N` on one mirror.
#[derive(Debug)]
pub enum Created {
    /// It is there, and was read back.
    Ours,
    /// The number is taken by another release.
    Taken,
    /// The mirror failed.
    Failed(MirrorError),
}

/// Creates `releases/N` where there is none, and reads it back.
pub async fn create(
    mirror: &Mirror,
    site: &SiteName,
    signed: &Signed,
    generation: &Generation,
    now: Timestamp,
) -> Created {
    let place = Place::retained(site, signed.release.sequence);
    match mirror.create(&place, signed.envelope.clone()).await {
        Ok(()) | Err(MirrorError::Exists { .. }) => {}
        Err(error) => return Created::Failed(error),
    }
    match mirror.read(&place, limits::ENVELOPE_BYTES).await {
        Err(error) => Created::Failed(error),
        // What came back is judged as any edge would judge it.
        Ok(bytes) => match bytes.map(|bytes| Signed::judge(bytes, site, generation, now)) {
            Some(Ok(there)) if there.is_same_release(signed) => Created::Ours,
            _ => Created::Taken,
        },
    }
}

/// Lets the pointer name `signed`, unless it names something newer by now.
///
/// # Errors
/// The mirror failed, or gave back other bytes.
pub async fn point(
    mirror: &Mirror,
    site: &SiteName,
    signed: &Signed,
    generation: &Generation,
    now: Timestamp,
) -> Result<(), MirrorError> {
    let place = Place::release(site);
    if let Some(bytes) = mirror.read(&place, limits::ENVELOPE_BYTES).await?
        && let Ok(there) = Signed::judge(bytes, site, generation, now)
        && there.release.rank() >= signed.release.rank()
    {
        return Ok(());
    }
    mirror.put(&place, signed.envelope.clone()).await
}

/// Whether the mirror refuses to create what exists. Tried on a file of its own, because some
/// stores say "created" and overwrite: then only one publisher may write to it.
///
/// # Errors
/// The mirror failed.
pub async fn keeps_create_only(mirror: &Mirror, site: &SiteName) -> Result<bool, MirrorError> {
    const PROBE: &str = "create-only-probe";
    let place = Place::other(site, PROBE);
    for _ in 0..2 {
        match mirror.create(&place, PROBE.as_bytes().to_vec()).await {
            Err(MirrorError::Exists { .. }) => return Ok(true),
            Err(error) => return Err(error),
            Ok(()) => {}
        }
    }
    Ok(false)
}
