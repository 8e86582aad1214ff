//! What a mirror really does, found out by trying. Stores differ in what they do with a write that
//! is only meant for an empty place, and some say yes and overwrite; what follows for publishers
//! is [`Abilities::keeps_apart`].
//!
//! A probe writes under `SITE/probes/`, under a name that nobody else has, and takes away what it
//! wrote. What a killed probe left behind, the next one takes away when it is an hour old.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError, mirror::Fetched};
use futures::StreamExt as _;
use futures::future::join_all;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, UpdateVersion};
use serde::{Deserialize, Serialize};
use snapshot::{SiteName, Timestamp, limits};

use super::listing::within;

/// Writers at once for one empty place, to see whether only one of them is told that it got it.
const RACERS: usize = 12;
/// How often they race: a store that checks and then writes lets two through now and then.
const RACES: usize = 3;
/// How old a probe must be to have been left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// What becomes of a write with a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It is done only if the condition holds, for one writer of many.
    Honoured,
    /// The condition is checked before it is done, but not in one step: several writers at once
    /// may all be told yes.
    Racy,
    /// It is done whatever the condition says.
    Ignored,
    /// It is refused: there is no such thing there.
    Refused,
}

impl Condition {
    /// The word for a person and for `--json`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Honoured => "honoured",
            Self::Racy => "racy",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
        }
    }
}

/// What a mirror can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilities {
    /// A write to an empty place only.
    pub create: Condition,
    /// A write over known bytes only.
    pub replace: Condition,
    /// A read of what is known already is answered without the bytes.
    pub unchanged: bool,
}

impl Abilities {
    /// Whether of several publishers only one can get a number here.
    #[must_use]
    pub fn keeps_apart(self) -> bool {
        self.create == Condition::Honoured
    }

    /// In words, with what follows.
    #[must_use]
    pub fn text(self) -> String {
        let create = match self.create {
            Condition::Honoured => "creates only what is absent",
            Condition::Racy => {
                "checks whether a place is empty, but lets writers at once through together"
            }
            Condition::Ignored => "overwrites what it was told only to create",
            Condition::Refused => "cannot create only what is absent",
        };
        let replace = match self.replace {
            Condition::Honoured => "replaces only what is known",
            Condition::Racy => "checks what it replaces, but not in one step",
            Condition::Ignored => "replaces whatever is there",
            Condition::Refused => "cannot replace only what is known",
        };
        let unchanged = if self.unchanged {
            "answers a repeated read in short"
        } else {
            "answers a repeated read in full, so edges fetch the pointer at every poll"
        };
        format!("{create}; {replace}; {unchanged}")
    }
}

/// Tries out what `mirror` does.
///
/// # Errors
/// The mirror failed.
pub async fn probe(
    mirror: &Mirror,
    site: &SiteName,
    now: Timestamp,
) -> Result<Abilities, MirrorError> {
    let mut probe = Probe {
        mirror,
        site,
        run: RandomState::new().build_hasher().finish(),
        places: Vec::new(),
    };
    let found = probe.run().await;
    probe.tidy(now).await;
    found
}

struct Probe<'a> {
    mirror: &'a Mirror,
    site: &'a SiteName,
    run: u64,
    places: Vec<Place>,
}

impl Probe<'_> {
    async fn run(&mut self) -> Result<Abilities, MirrorError> {
        let place = self.place();
        let mut found = Abilities {
            create: self.create(&place).await?,
            unchanged: self.unchanged(&place).await?,
            replace: self.replace(&place).await?,
        };
        // Few writes that race for an empty place may all be lucky. Who lets two replace the same
        // bytes is not believed to hold the other condition any better.
        let careless = matches!(found.replace, Condition::Racy | Condition::Ignored);
        if careless && found.create == Condition::Honoured {
            found.create = Condition::Racy;
        }
        Ok(found)
    }

    fn place(&mut self) -> Place {
        let name = format!("probes/{:016x}-{}", self.run, self.places.len());
        let place = Place::other(self.site, &name);
        self.places.push(place.clone());
        place
    }

    async fn create(&mut self, place: &Place) -> Result<Condition, MirrorError> {
        self.mirror.put(place, b"first".to_vec()).await?;
        match self.mirror.create(place, b"second".to_vec()).await {
            Err(MirrorError::Exists { .. }) => {}
            Err(MirrorError::Store { source, .. }) if is_refused(&source) => {
                return Ok(Condition::Refused);
            }
            Err(error) => return Err(error),
            Ok(()) => return Ok(Condition::Ignored),
        }
        if self.mirror.url().scheme() == "file" {
            // A folder does it with a hard link, which a file system makes once.
            return Ok(Condition::Honoured);
        }
        for _ in 0..RACES {
            let place = self.place();
            let racers = (0..RACERS).map(|n| self.mirror.create(&place, vec![b'a' + n as u8]));
            let mut won = 0;
            for created in join_all(racers).await {
                match created {
                    Ok(()) => won += 1,
                    Err(MirrorError::Exists { .. }) => {}
                    // Some stores answer a racer that it should come again.
                    Err(MirrorError::Store { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            if won > 1 {
                return Ok(Condition::Racy);
            }
        }
        Ok(Condition::Honoured)
    }

    async fn unchanged(&self, place: &Place) -> Result<bool, MirrorError> {
        let fetched = self
            .mirror
            .fetch(place, None, limits::ENVELOPE_BYTES)
            .await?;
        let Fetched::Found {
            etag: Some(etag), ..
        } = fetched
        else {
            return Ok(false);
        };
        let again = self
            .mirror
            .fetch(place, Some(&etag), limits::ENVELOPE_BYTES)
            .await?;
        Ok(matches!(again, Fetched::Unchanged))
    }

    async fn replace(&mut self, place: &Place) -> Result<Condition, MirrorError> {
        let stale = self.tag(place).await?;
        self.mirror.put(place, b"third".to_vec()).await?;
        match self.update(place, stale, b"fourth".to_vec()).await? {
            Ok(()) => return Ok(Condition::Ignored),
            Err(error) if is_conflict(&error) => {}
            Err(error) if is_refused(&error) => return Ok(Condition::Refused),
            Err(error) => return Err(self.mirror.failed(place, error)),
        }
        for _ in 0..RACES {
            let known = self.tag(place).await?;
            let racers = (0..RACERS).map(|n| {
                let known = known.clone();
                self.update(place, known, vec![b'a' + n as u8])
            });
            let all = join_all(racers).await;
            if all
                .iter()
                .filter(|updated| matches!(updated, Ok(Ok(()))))
                .count()
                > 1
            {
                return Ok(Condition::Racy);
            }
        }
        Ok(Condition::Honoured)
    }

    async fn tag(&self, place: &Place) -> Result<UpdateVersion, MirrorError> {
        let (store, path) = self.mirror.store(place);
        let head = within(self.mirror, place, store.head(&path)).await?;
        let meta = head.map_err(|error| self.mirror.failed(place, error))?;
        Ok(UpdateVersion {
            e_tag: meta.e_tag,
            version: meta.version,
        })
    }

    async fn update(
        &self,
        place: &Place,
        known: UpdateVersion,
        bytes: Vec<u8>,
    ) -> Result<object_store::Result<()>, MirrorError> {
        let (store, path) = self.mirror.store(place);
        let mode = PutMode::Update(known);
        let put = store.put_opts(&path, PutPayload::from(bytes), mode.into());
        Ok(within(self.mirror, place, put).await?.map(|_| ()))
    }

    /// What cannot be taken away now is taken away by a later probe.
    async fn tidy(&self, now: Timestamp) {
        let place = Place::other(self.site, "probes");
        let (store, folder) = self.mirror.store(&place);
        for place in &self.places {
            let (_, path) = self.mirror.store(place);
            within(self.mirror, place, store.delete(&path)).await.ok();
        }
        let mut left = store.list(Some(&folder));
        while let Ok(Some(Ok(found))) = within(self.mirror, &place, left.next()).await {
            let written = u64::try_from(found.last_modified.timestamp_millis()).unwrap_or(0);
            if Timestamp(written).plus(LEFT_BEHIND) < now {
                within(self.mirror, &place, store.delete(&found.location))
                    .await
                    .ok();
            }
        }
    }
}

fn is_refused(error: &object_store::Error) -> bool {
    matches!(
        error,
        object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }
    )
}

fn is_conflict(error: &object_store::Error) -> bool {
    matches!(
        error,
        object_store::Error::Precondition { .. } | object_store::Error::AlreadyExists { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;

    fn mirror(folder: &std::path::Path) -> Mirror {
        let url = edge::sync::mirror::parse_url(folder.to_str().unwrap(), folder).unwrap();
        Mirror::open(&url).unwrap()
    }

    #[tokio::test]
    async fn a_folder_has_create_only_and_nothing_of_the_probe() {
        let dir = tempfile::tempdir().unwrap();
        let site: SiteName = "dasom".parse().unwrap();
        let left = dir.path().join("dasom/probes/killed");
        fs_err::create_dir_all(left.parent().unwrap()).unwrap();
        fs_err::write(&left, "x").unwrap();
        let now = crate::publish::wall_clock();
        let found = probe(&mirror(dir.path()), &site, now).await.unwrap();
        let folder = Abilities {
            create: Condition::Honoured,
            replace: Condition::Refused,
            unchanged: true,
        };
        assert_eq!(found, folder);
        let probes = left.parent().unwrap();
        assert_eq!(fs_err::read_dir(probes).unwrap().count(), 1, "a young one");
        let later = now.plus(LEFT_BEHIND + Duration::from_secs(60));
        probe(&mirror(dir.path()), &site, later).await.unwrap();
        assert!(!left.exists(), "an old one is taken away");
    }

    #[tokio::test]
    async fn a_store_that_does_all_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let mirror = mirror(dir.path()).with_store(Arc::new(InMemory::new()));
        let site: SiteName = "dasom".parse().unwrap();
        let found = probe(&mirror, &site, Timestamp(0)).await.unwrap();
        assert_eq!(found.create, Condition::Honoured);
        assert_eq!(found.replace, Condition::Honoured);
        assert!(found.unchanged && found.keeps_apart());
        assert!(found.text().starts_with("creates only what is absent; "));
    }
}
