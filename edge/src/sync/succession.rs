//! Whom to believe from now on: what mirrors and peers say of it, and what the site's own files say.
//! The rules are in [`crate::trust`].
//!
//! Another generation changes what is believed of all else. So everything that sources said is judged
//! anew: their releases from what is kept of them, their orders when they are next asked. Orders in force
//! stay until somebody who is believed gives others, which then need no later epoch; the floor of releases
//! is that of the keys which are left. A release in use whose signers are believed no longer is shown until
//! there is another, with an alarm, and any that is believed takes its place; a restart does not take it up.

use std::path::Path;
use std::sync::Arc;

use snapshot::trust::{Generation, Refusal as TrustRefusal};
use snapshot::{Digest, DocumentError, Namespace, SiteName};
use tokio::task::spawn_blocking;

use super::Brought;
use super::checks::unsucceeded;
use super::driver::Follower;
use super::mirror::{Fetched, MirrorError};
use super::state::wall_clock;
use super::status::TrustStatus;
use super::work::{Offer, SourceId};
use crate::config::trust;
use crate::log::Came;
use crate::trust::Local;

/// What the site's own files say, if it is not what they said before.
pub(super) type Looked = Option<Result<Arc<Generation>, Vec<String>>>;

/// Looks at the site's own files. Blocking.
pub(super) fn look(dir: &Path, site: &SiteName, seen: Digest) -> Looked {
    let files = match trust::read_files(dir) {
        Ok(files) if files.digest() == seen => return None,
        Ok(files) => files,
        Err(problems) => return Some(Err(problems)),
    };
    Some(trust::understand(dir, &files, site).map(Arc::new))
}

impl Follower {
    /// A chain is no reason to think worse of a mirror: what cannot be read changes nothing.
    pub(super) async fn take_trust(&mut self, id: SourceId, answer: Result<Fetched, MirrorError>) {
        let Some(source) = self.sources.get_mut(id) else {
            return;
        };
        let mirror = source.mirror.url().to_string();
        let (bytes, etag) = match answer {
            Ok(Fetched::Found { bytes, etag }) => (bytes, etag),
            Ok(Fetched::Missing) => return source.trust_etag = None,
            Err(error @ MirrorError::TooLarge { .. }) => {
                return self.refuse(None, &unsucceeded(mirror, error.to_string()));
            }
            Ok(Fetched::Unchanged) | Err(_) => return self.keep_trust().await,
        };
        let came = self.came_from(id);
        let refused = match self.take_chain(&bytes, &came).await {
            Ok(refused) => refused,
            Err(error) => {
                if self.is_new(None, &unsucceeded(mirror, error.to_string())) {
                    self.note_disbelief(Brought::Trust, &error.into(), &came);
                }
                return;
            }
        };
        if let Some(source) = self.sources.get_mut(id) {
            // What is dated ahead, or of a key that begins later, may be accepted without a change.
            let again = refused.as_ref().is_some_and(TrustRefusal::may_pass);
            source.trust_etag = etag.filter(|_| !again);
        }
        match refused {
            // A mirror that lags behind the others is no news.
            None | Some(TrustRefusal::OldGeneration { .. }) => {}
            Some(refusal) => {
                if self.is_new(None, &unsucceeded(mirror, refusal.to_string())) {
                    self.note_disbelief(Brought::Trust, &refusal, &came);
                }
            }
        }
    }

    /// Takes in a chain, by whatever path it came: what is accepted is in force when this ends. Gives
    /// why it, or its rest, is not.
    pub(super) async fn take_chain(
        &mut self,
        bytes: &[u8],
        came: &Came,
    ) -> Result<Option<TrustRefusal>, DocumentError> {
        let mut time = self.journal.time;
        let advance = self.trust.take(bytes, &mut time, wall_clock())?;
        for alarm in &advance.alarms {
            self.met_alarm(alarm);
            self.remark(alarm.to_string());
        }
        if let Some(
            refusal @ (TrustRefusal::ThrownOut { .. } | TrustRefusal::TwoSuccessors { .. }),
        ) = &advance.refused
        {
            self.remark(refusal.to_string());
            self.met_successor(refusal);
        }
        for accepted in &advance.accepted {
            let (number, who) = (accepted.succession.number, &accepted.succession.who);
            tracing::warn!(site = %self.state.name(), number, who, "a new generation of trust");
            self.note_trust(accepted, came);
            let faults = &mut self.state.progress().faults;
            faults.settles_trust(accepted.succession.number);
        }
        if !advance.accepted.is_empty() {
            self.journal.time = time;
            self.state.set_time(time);
            self.trust_kept = false;
            self.believe_anew().await;
        }
        Ok(advance.refused)
    }

    /// Takes in what the site's own files say.
    pub(super) async fn take_files(&mut self, looked: Looked) {
        let files = match looked {
            None => return,
            Some(Ok(files)) => files,
            Some(Err(problems)) => {
                for problem in problems {
                    self.remark(format!(
                        "trust files are refused and the generation in force stays: {problem}"
                    ));
                }
                return;
            }
        };
        let digest = files.digest();
        let local = self.trust.look(files);
        if local == Local::Unchanged {
            return;
        }
        let is_new = local == Local::Anew;
        tracing::warn!(site = %self.state.name(), %digest, is_new, "the trust files have changed");
        self.trust_kept = false;
        match local {
            Local::Anew => {
                self.state.progress().faults.begins_trust_anew();
                self.believe_anew().await;
            }
            Local::Known | Local::Unchanged => self.keep_trust().await,
        }
    }

    /// Writes the generation in force down, puts it in force, and passes on how it came to be.
    async fn believe_anew(&mut self) {
        self.keep_trust().await;
        for source in &mut self.sources {
            source.reconsider();
        }
        let believed = self.journal.release.as_ref().is_none_or(|accepted| {
            let (believed, sequence) = (self.still_believes(accepted), accepted.release.sequence);
            if !believed {
                self.remark(format!(
                    "release {sequence} is in use and its signers are no longer trusted: it is shown until there is another"
                ));
            }
            believed
        });
        self.core.reconsider(believed);
        self.follow_pin();
        self.tell_trust();
        self.pass_trust_on();
    }

    /// Writes the generation in force down, unless it is.
    async fn keep_trust(&mut self) {
        if self.trust_kept {
            return;
        }
        let (store, keeper) = (Arc::clone(&self.store), self.trust.clone());
        let journal = self.journal.clone();
        let write = move || {
            keeper.keep(&store).map_err(|error| error.to_string())?;
            journal.write(&store).map_err(|error| error.to_string())
        };
        let kept = spawn_blocking(write).await;
        let kept = kept.unwrap_or_else(|_| Err("stopped".to_owned()));
        self.trust_kept = kept.is_ok();
        let why = kept.as_ref().err();
        let why = why.map(|reason| format!("a generation of trust is not on disk: {reason}"));
        self.state.progress().faults.writes("trust", why);
        if let Err(reason) = kept {
            self.remark(format!(
                "a new generation of trust is in force but not on disk: {reason}"
            ));
        }
    }

    /// What the rest of the edge, and other edges, may know of it.
    pub(super) fn tell_trust(&self) {
        let lineage = self.trust.lineage();
        self.state.given().trust_is(lineage);
        let status = TrustStatus::of(lineage, self.state.name());
        self.state.progress().trust = status;
    }

    /// Whether who signed a release would still be enough.
    pub(super) fn still_believes(&self, accepted: &snapshot::AcceptedRelease) -> bool {
        let (keys, site) = (accepted.signers.keys(), self.state.name());
        let generation = self.trust.generation();
        generation.still_trusts(&keys, Namespace::Release, site, None)
    }

    /// Why a release that was believed when its fetching began is not taken up after all.
    pub(super) fn disbelieved(&self, offer: &Offer) -> Option<String> {
        (!self.still_believes(&offer.0)).then(|| "its signers are no longer trusted".to_owned())
    }
}
