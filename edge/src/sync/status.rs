//! What a site's sync has to say for itself, for `/status` and `edge order`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use snapshot::Timestamp;

use super::refusal::Refusal;
use super::work::Offer;

/// Most refusals kept, newest first.
pub const REFUSALS: usize = 32;
/// Most alarms kept, newest first.
pub const ALARMS: usize = 32;

/// The whole edge: what `/status` answers, and what `edge order` reads. More fields may stand
/// beside these.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EdgeStatus {
    /// The edge's name.
    pub name: String,
    /// One entry a site.
    pub sites: Vec<SyncStatus>,
}

/// One site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SyncStatus {
    /// The site's name.
    pub site: String,
    /// The edge's time: its clock, or the newest statement it accepted if that is later.
    pub edge_time: String,
    /// The release in use.
    pub release: Option<ReleaseStatus>,
    /// What sync is doing, in words.
    pub doing: String,
    /// Every mirror, in the configured order.
    pub sources: Vec<SourceStatus>,
    /// Releases that were not used, newest first.
    pub refusals: Vec<RefusalStatus>,
    /// What people should look at, newest first.
    pub alarms: Vec<AlarmStatus>,
    /// The order of each scope.
    pub orders: Vec<OrderStatus>,
}

/// The release in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseStatus {
    /// Its place in the site's history.
    pub sequence: u64,
    /// Its manifest's digest, hex.
    pub manifest: String,
    /// When it was known to be true.
    pub as_of: String,
    /// Edge time minus that, seconds.
    pub age_s: u64,
    /// Who signed it.
    pub signers: Vec<String>,
}

/// One mirror.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Its URL.
    pub url: String,
    /// The last time it answered.
    pub last_answer: Option<String>,
    /// The sequence it offers, if it offers a release that is trusted.
    pub offers: Option<u64>,
    /// Why it is of no use at the moment.
    pub error: Option<String>,
}

/// A release that was not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalStatus {
    /// Its sequence, where it got as far as being read.
    pub sequence: Option<u64>,
    /// Its manifest's digest, hex, likewise.
    pub manifest: Option<String>,
    /// The check it did not pass: `trust`, `manifest`, `object`, `component`, `counts`,
    /// `canary`, `disk`.
    pub check: String,
    /// The object it is about.
    pub object: Option<String>,
    /// The source it came from.
    pub source: Option<String>,
    /// What was found and what was expected.
    pub reason: String,
    /// When it was first refused for this.
    pub first_at: String,
    /// When it was last refused for this.
    pub last_at: String,
    /// How often.
    pub times: u64,
}

/// Something people should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmStatus {
    /// When it was first seen.
    pub at: String,
    /// In words.
    pub text: String,
}

/// The order in force for one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStatus {
    /// `site` or `service:NAME`.
    pub scope: String,
    /// Its place in the scope's history.
    pub epoch: u64,
    /// BLAKE3 of its signed bytes, hex.
    pub digest: String,
    /// The mode in force now.
    pub mode: String,
    /// When a forced mode turns into `automatic`, if that is set.
    #[serde(default)]
    pub ends_at: Option<String>,
    /// How many notices it carries.
    pub notices: usize,
    /// Who wrote it.
    pub who: String,
    /// Their reason.
    pub why: String,
    /// When it was signed.
    pub signed_at: String,
    /// When this edge accepted it.
    pub accepted_at: String,
}

/// A moment as people and programs write it (RFC 3339, UTC, seconds).
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    let secs = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    let format = &time::format_description::well_known::Rfc3339;
    let moment = time::OffsetDateTime::from_unix_timestamp(secs).ok();
    let text = moment.and_then(|moment| moment.format(format).ok());
    // Later than the year 9999: no such moment is accepted anywhere, but it may be refused.
    text.unwrap_or_else(|| format!("{} ms after 1970", at.0))
}

/// What happened lately, bounded.
#[derive(Debug, Default)]
pub(super) struct History {
    refusals: VecDeque<RefusalStatus>,
    alarms: VecDeque<AlarmStatus>,
}

impl History {
    /// Notes a refusal; the same one again only counts. True when it is new.
    pub(super) fn refused(
        &mut self,
        offer: Option<&Offer>,
        refusal: &Refusal,
        at: Timestamp,
    ) -> bool {
        let at = rfc3339(at);
        let mut entry = RefusalStatus {
            sequence: offer.map(|offer| offer.release().sequence.0),
            manifest: offer.map(|offer| offer.release().manifest.to_string()),
            check: refusal.check.as_str().to_owned(),
            object: refusal.object.clone(),
            source: refusal.source.clone(),
            reason: refusal.reason.clone(),
            first_at: at.clone(),
            last_at: at,
            times: 1,
        };
        let same = |known: &RefusalStatus| {
            (
                known.sequence,
                &known.manifest,
                &known.object,
                &known.source,
                &known.reason,
            ) == (
                entry.sequence,
                &entry.manifest,
                &entry.object,
                &entry.source,
                &entry.reason,
            )
        };
        let known = self.refusals.iter().position(same);
        let known = known.and_then(|place| self.refusals.remove(place));
        if let Some(known) = &known {
            entry.first_at.clone_from(&known.first_at);
            entry.times = known.times.saturating_add(1);
        }
        self.refusals.push_front(entry);
        self.refusals.truncate(REFUSALS);
        known.is_none()
    }

    /// Notes an alarm, once for the same words.
    pub(super) fn alarm(&mut self, text: String, at: Timestamp) -> bool {
        if self.alarms.iter().any(|known| known.text == text) {
            return false;
        }
        self.alarms.push_front(AlarmStatus {
            at: rfc3339(at),
            text,
        });
        self.alarms.truncate(ALARMS);
        true
    }

    pub(super) fn refusals(&self) -> Vec<RefusalStatus> {
        self.refusals.iter().cloned().collect()
    }

    pub(super) fn alarms(&self) -> Vec<AlarmStatus> {
        self.alarms.iter().cloned().collect()
    }
}
