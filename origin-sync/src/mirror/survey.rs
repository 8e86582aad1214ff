//! What the mirrors hold now: which releases, signed by whom, and where their pointers point.

use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError};
use futures::future::join_all;
use snapshot::{
    Envelope, Floor, Generation, Refusal, Release, Sequence, SiteName, Timestamp, accept_release,
    decode, limits,
};

use super::{Mirrors, listing};

/// How many releases of a mirror are tried, newest first, until one is accepted.
const TRIES: usize = 16;

/// A release with the envelope that it came in; whoever signed it is believed.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The statement.
    pub release: Release,
    /// The envelope's bytes.
    pub envelope: Vec<u8>,
    /// The persons behind it.
    pub signers: Vec<String>,
}

impl Signed {
    /// Judges an envelope found on a mirror, at the moment it says it was signed: a key that has
    /// ended since still signed what it signed. Only numbers and deltas hang on it here; edges
    /// judge for themselves.
    ///
    /// # Errors
    /// Not readable, of another site, or signed by nobody who is believed.
    pub fn judge(
        bytes: Vec<u8>,
        site: &SiteName,
        generation: &Generation,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let envelope = Envelope::from_bytes(&bytes)?;
        let at = decode::<Release>(envelope.payload(), limits::STATEMENT_BYTES)
            .map_or(now, |release| release.signed_at.min(now));
        let (accepted, _) = accept_release(generation, &envelope, site, &Floor::default(), at)?;
        let persons = accepted.signers.persons();
        Ok(Self {
            signers: persons.into_iter().map(str::to_owned).collect(),
            release: accepted.release,
            envelope: bytes,
        })
    }

    /// Whether both say the same but for the time.
    #[must_use]
    pub fn is_same_release(&self, other: &Self) -> bool {
        (self.release.sequence, self.release.manifest)
            == (other.release.sequence, other.release.manifest)
    }
}

/// What one mirror holds.
#[derive(Debug, Default)]
pub struct Holds {
    /// Every sequence that has a file, newest first.
    pub sequences: Vec<Sequence>,
    /// The newest of them that is accepted.
    pub newest: Option<Signed>,
    /// Where the pointer points, if that is accepted.
    pub pointer: Option<Signed>,
    /// What was not accepted, and why.
    pub refused: Vec<String>,
    /// A release of a later version of this program.
    pub beyond: Option<String>,
}

impl Holds {
    fn refuse(&mut self, place: &Place, refusal: &Refusal) {
        let why = format!("{place}: {refusal}");
        if matches!(refusal, Refusal::NeedsLaterEdge { .. }) {
            self.beyond = Some(why.clone());
        }
        self.refused.push(why);
    }
}

/// One mirror's answer.
#[derive(Debug)]
pub struct Found {
    /// What it holds, or why that cannot be known.
    pub holds: Result<Holds, MirrorError>,
}

impl Found {
    /// Whether this mirror keeps `release` as a file of its own.
    #[must_use]
    pub fn has(&self, signed: &Signed) -> bool {
        let newest = self.holds.as_ref().ok().and_then(|h| h.newest.as_ref());
        newest.is_some_and(|newest| newest.is_same_release(signed))
    }
}

/// Asks every mirror, in their order.
pub async fn survey(mirrors: &Mirrors, generation: &Generation, now: Timestamp) -> Vec<Found> {
    let asked = mirrors.all().iter().map(|mirror| async move {
        Found {
            holds: holds(mirror, &mirrors.site, generation, now).await,
        }
    });
    join_all(asked).await
}

/// The newest release seen anywhere, pointers included. Of two with one number, that is the one
/// that a pointer names, since pointers come after the commit, then the one on more mirrors.
#[must_use]
pub fn newest(found: &[Found]) -> Option<&Signed> {
    let held = || found.iter().filter_map(|found| found.holds.as_ref().ok());
    held()
        .flat_map(|holds| holds.newest.iter().chain(&holds.pointer))
        .max_by_key(|signed| {
            let names = |other: &Option<Signed>| {
                let other = other.as_ref();
                other.is_some_and(|other| other.is_same_release(signed))
            };
            let pointers = held().filter(|holds| names(&holds.pointer)).count();
            let mirrors = held().filter(|holds| names(&holds.newest)).count();
            let (sequence, manifest, as_of) = signed.release.rank();
            (sequence, pointers, mirrors, manifest, as_of)
        })
}

/// On how many mirrors the number of `signed` is another's, so that it cannot be there.
#[must_use]
pub fn elsewhere(found: &[Found], signed: &Signed) -> usize {
    let taken = |found: &&Found| {
        let holds = found.holds.as_ref().ok();
        !found.has(signed)
            && holds.is_some_and(|holds| holds.sequences.contains(&signed.release.sequence))
    };
    found.iter().filter(taken).count()
}

async fn holds(
    mirror: &Mirror,
    site: &SiteName,
    generation: &Generation,
    now: Timestamp,
) -> Result<Holds, MirrorError> {
    mirror.present().await?;
    let mut holds = Holds {
        sequences: sequences(mirror, site).await?,
        ..Holds::default()
    };
    let newest: Vec<Sequence> = holds.sequences.iter().take(TRIES).copied().collect();
    for sequence in newest {
        let place = Place::retained(site, sequence);
        let Some(bytes) = mirror.read(&place, limits::ENVELOPE_BYTES).await? else {
            continue;
        };
        match Signed::judge(bytes, site, generation, now) {
            Ok(signed) if signed.release.sequence == sequence => {
                holds.newest = Some(signed);
                break;
            }
            Ok(signed) => holds.refused.push(format!(
                "{place}: holds release {}",
                signed.release.sequence
            )),
            Err(refusal) => holds.refuse(&place, &refusal),
        }
    }
    let place = Place::release(site);
    if let Some(bytes) = mirror.read(&place, limits::ENVELOPE_BYTES).await? {
        match Signed::judge(bytes, site, generation, now) {
            Ok(signed) => holds.pointer = Some(signed),
            Err(refusal) => holds.refuse(&place, &refusal),
        }
    }
    Ok(holds)
}

async fn sequences(mirror: &Mirror, site: &SiteName) -> Result<Vec<Sequence>, MirrorError> {
    // What is read over HTTP cannot be listed: there is its pointer.
    if !mirror.can_list() {
        return Ok(Vec::new());
    }
    let (releases, _) = listing::releases(mirror, site).await?;
    let mut sequences: Vec<Sequence> = releases.into_iter().map(|(number, _)| number).collect();
    sequences.sort_unstable_by(|a, b| b.cmp(a));
    Ok(sequences)
}

/// What every release says that is filed on any mirror that `found` could read, believed or not.
///
/// # Errors
/// One of these mirrors failed meanwhile, so what is filed there is not known.
pub async fn filed(mirrors: &Mirrors, found: &[Found]) -> Result<Vec<Release>, MirrorError> {
    let mut releases = Vec::new();
    for (mirror, found) in mirrors.all().iter().zip(found) {
        if found.holds.is_ok() {
            filed_on(mirror, &mirrors.site, &mut releases).await?;
        }
    }
    Ok(releases)
}

async fn filed_on(
    mirror: &Mirror,
    site: &SiteName,
    releases: &mut Vec<Release>,
) -> Result<(), MirrorError> {
    for sequence in sequences(mirror, site).await? {
        let place = Place::retained(site, sequence);
        let Some(bytes) = mirror.read(&place, limits::ENVELOPE_BYTES).await? else {
            continue;
        };
        let says = Envelope::from_bytes(&bytes)
            .ok()
            .and_then(|envelope| decode(envelope.payload(), limits::STATEMENT_BYTES).ok());
        releases.extend(says.filter(|says| !releases.contains(says)));
    }
    Ok(())
}
