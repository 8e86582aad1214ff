//! The commit: `releases/N`, create-only, and the pointer after it.
//!
//! Two publishers may sign the same number. Where a mirror keeps them apart, the first to create
//! `releases/N` has it, and the other finds it there. Where it does not, the other may write over
//! it; so each looks before it writes, and both places are read again after the pointer: whoever
//! then finds another's release has lost, and puts the other's back where its own lies. A publisher
//! that was told "published" has seen its release in both places, and whoever comes later yields.

use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError};
use snapshot::{Generation, SiteName, Timestamp, limits};

use super::probe::{Abilities, Condition};
use super::survey::Signed;

/// What is written, and how it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    /// The site.
    pub site: &'a SiteName,
    /// The release.
    pub release: &'a Signed,
    /// Who is believed.
    pub trust: &'a Generation,
    /// When.
    pub now: Timestamp,
}

/// What became of `releases/N` on one mirror.
#[derive(Debug)]
pub enum Created {
    /// It is there, and was read back.
    Ours,
    /// The number is another publisher's.
    Rival(Box<Signed>),
    /// Something lies there that nobody is believed about.
    Taken,
    /// The mirror failed.
    Failed(MirrorError),
}

impl Commit<'_> {
    /// Creates `releases/N` where there is none, and reads it back.
    pub async fn create(&self, mirror: &Mirror, abilities: Option<Abilities>) -> Created {
        let create = abilities.map_or(Condition::Ignored, |able| able.create);
        if create != Condition::Honoured || mirror.url().scheme() != "file" {
            match self.retained(mirror).await {
                Ok(None) => {}
                Ok(Some(there)) => return there,
                Err(error) => return Created::Failed(error),
            }
        }
        let (place, envelope) = (self.place(), self.release.envelope.clone());
        let written = if create == Condition::Refused {
            mirror.put(&place, envelope).await
        } else {
            mirror.create(&place, envelope).await
        };
        match written {
            Ok(()) | Err(MirrorError::Exists { .. }) => {}
            Err(error) => return Created::Failed(error),
        }
        match self.retained(mirror).await {
            Ok(there) => there.unwrap_or(Created::Taken),
            Err(error) => Created::Failed(error),
        }
    }

    /// Writes `releases/N` over what lies there: only for a number that is ours for certain.
    ///
    /// # Errors
    /// The mirror failed.
    pub async fn insist(&self, mirror: &Mirror) -> Result<(), MirrorError> {
        let envelope = self.release.envelope.clone();
        mirror.put(&self.place(), envelope).await
    }

    /// Lets the pointer name the release, or its heartbeat `pointer`, unless it names something
    /// newer by now; another's release of the same number is left there and given back, unless ours
    /// stood before.
    ///
    /// # Errors
    /// The mirror failed.
    pub async fn point(
        &self,
        mirror: &Mirror,
        pointer: &Signed,
        stood_before: bool,
    ) -> Result<Option<Signed>, MirrorError> {
        if let Some(there) = self.pointed(mirror).await? {
            if self.is_rival(&there) {
                if !stood_before {
                    return Ok(Some(there));
                }
            } else if there.release.rank() >= pointer.release.rank() {
                return Ok(None);
            }
        }
        let place = Place::release(self.site);
        mirror.put(&place, pointer.envelope.clone()).await?;
        Ok(None)
    }

    /// Another's release of this number in either place, after all was written.
    ///
    /// # Errors
    /// The mirror failed.
    pub async fn rival(&self, mirror: &Mirror) -> Result<Option<Signed>, MirrorError> {
        if let Some(Created::Rival(rival)) = self.retained(mirror).await? {
            return Ok(Some(*rival));
        }
        let pointed = self.pointed(mirror).await?;
        Ok(pointed.filter(|there| self.is_rival(there)))
    }

    /// Puts `rival`, which has the number, where ours lies.
    ///
    /// # Errors
    /// The mirror failed.
    pub async fn yield_to(&self, mirror: &Mirror, rival: &Signed) -> Result<(), MirrorError> {
        if matches!(self.retained(mirror).await?, Some(Created::Ours)) {
            mirror.put(&self.place(), rival.envelope.clone()).await?;
        }
        let pointed = self.pointed(mirror).await?;
        if pointed.is_some_and(|there| there.is_same_release(self.release)) {
            let place = Place::release(self.site);
            mirror.put(&place, rival.envelope.clone()).await?;
        }
        Ok(())
    }

    fn place(&self) -> Place {
        Place::retained(self.site, self.release.release.sequence)
    }

    fn is_rival(&self, there: &Signed) -> bool {
        there.release.sequence == self.release.release.sequence
            && !there.is_same_release(self.release)
    }

    /// What lies at `releases/N`, judged as any edge would judge it.
    async fn retained(&self, mirror: &Mirror) -> Result<Option<Created>, MirrorError> {
        let bytes = mirror.read(&self.place(), limits::ENVELOPE_BYTES).await?;
        Ok(bytes.map(|bytes| match self.judge(bytes) {
            Some(there) if there.is_same_release(self.release) => Created::Ours,
            Some(there) if self.is_rival(&there) => Created::Rival(Box::new(there)),
            _ => Created::Taken,
        }))
    }

    async fn pointed(&self, mirror: &Mirror) -> Result<Option<Signed>, MirrorError> {
        let place = Place::release(self.site);
        let bytes = mirror.read(&place, limits::ENVELOPE_BYTES).await?;
        Ok(bytes.and_then(|bytes| self.judge(bytes)))
    }

    fn judge(&self, bytes: Vec<u8>) -> Option<Signed> {
        Signed::judge(bytes, self.site, self.trust, self.now).ok()
    }
}
