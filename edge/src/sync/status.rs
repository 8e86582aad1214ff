//! What a site's sync has to say for itself, for `/status` and `edge order`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use super::trust_status::{MaySignStatus, SuccessionStatus, TrustStatus};

use super::core::Health;
use super::lazy::LazyStatus;
use super::scrub::ScrubStatus;

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
    /// The release that this edge is too old for, while a source offers one.
    #[serde(default)]
    pub left_behind: Option<LeftBehindStatus>,
    /// What sync is doing, in words.
    pub doing: String,
    /// Every mirror, then every peer, in the configured order.
    pub sources: Vec<SourceStatus>,
    /// Releases that were not used, newest first.
    pub refusals: Vec<RefusalStatus>,
    /// What was met that people should look at, in words, newest first. What holds now is under
    /// `alarms`.
    pub remarks: Vec<Remark>,
    /// Objects of the releases in use that were found damaged on this disk, newest first.
    #[serde(default)]
    pub damaged: Vec<DamageStatus>,
    /// What was merged from held segments instead of fetched, since the edge started.
    #[serde(default)]
    pub merged: MergedStatus,
    /// What was read again without being asked for.
    #[serde(default)]
    pub scrub: ScrubStatus,
    /// Bytes of objects that came from sources since the edge started, as they came.
    #[serde(default)]
    pub downloaded: u64,
    /// How far the objects of a release are, while they come.
    #[serde(default)]
    pub fetching: Option<FetchingStatus>,
    /// What lies on this disk, and what was swept away.
    #[serde(default)]
    pub store: StoreStatus,
    /// What is fetched when it is read.
    #[serde(default)]
    pub lazy: LazyStatus,
    /// The order of each scope.
    pub orders: Vec<OrderStatus>,
    /// Whom this edge believes.
    #[serde(default)]
    pub trust: TrustStatus,
}

/// How far the objects of a release are. What a manifest names is known only after it came, so the
/// totals begin anew with each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingStatus {
    /// The release's sequence.
    pub release: u64,
    /// Objects that arrived.
    pub objects: usize,
    /// Objects in all.
    pub objects_total: usize,
    /// Bytes of those that arrived, as they lie on this disk.
    pub bytes: u64,
    /// Bytes of all.
    pub bytes_total: u64,
    /// How fast bytes come over the network.
    pub bytes_a_second: u64,
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

/// A newer release than the one in use, which this edge cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehindStatus {
    /// Its sequence.
    pub release: u64,
    /// The least version of an edge that reads it.
    pub needs: String,
    /// This edge's version.
    pub version: String,
    /// Since when there has been such a release.
    pub since: String,
}

impl fmt::Display for LeftBehindStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            release,
            needs,
            version,
            since,
        } = self;
        write!(
            f,
            "release {release} needs edge {needs} or later and this is {version}, since {since}: update it"
        )
    }
}

/// One mirror.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Its URL.
    pub url: String,
    /// Whether it is another edge.
    #[serde(default)]
    pub peer: bool,
    /// The last time it answered.
    pub last_answer: Option<String>,
    /// The sequence it offers, if it offers a release that is trusted.
    pub offers: Option<u64>,
    /// Why it is of no use at the moment.
    pub error: Option<String>,
    /// How it does as a source of objects: `sound`, or why others are asked first: `dead`, `slow`,
    /// `short`, `lying`.
    #[serde(default)]
    pub health: String,
    /// What it did, unless it is sound.
    #[serde(default)]
    pub reason: Option<String>,
    /// For how many seconds others are asked first.
    #[serde(default)]
    pub aside_s: u64,
}

impl SourceStatus {
    pub(super) fn be(&mut self, health: &Health, now: Duration) {
        health.as_str().clone_into(&mut self.health);
        let aside = health.aside();
        self.reason = aside.map(|aside| aside.reason.clone());
        let left = aside.map(|aside| aside.until.saturating_sub(now));
        self.aside_s = left.map_or(0, |left| left.as_secs_f64().ceil() as u64);
    }
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
pub struct Remark {
    /// When it was first seen.
    pub at: String,
    /// In words.
    pub text: String,
}

/// An object that was found damaged on this disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamageStatus {
    /// Its kind and its name.
    pub object: String,
    /// What was wrong with it.
    pub reason: String,
    /// When it was last found damaged.
    pub found_at: String,
    /// How often it was found damaged.
    pub times: u64,
    /// When it was repaired; `null` while it is damaged.
    pub repaired_at: Option<String>,
    /// Why it is not repaired yet.
    pub error: Option<String>,
}

/// Segments that were made here and not downloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedStatus {
    /// How many.
    pub segments: u64,
    /// Their bytes on this disk; a mirror holds them compressed.
    pub bytes: u64,
}

/// What lies on this disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// The releases whose objects are kept, the one in use first.
    pub releases: Vec<u64>,
    /// Objects held, as of the last look at all of them.
    pub objects: u64,
    /// What they take, bytes.
    pub bytes: u64,
    /// What is free on the disk, bytes; `null` where it does not say.
    #[serde(default)]
    pub free_bytes: Option<u64>,
    /// Objects swept away since the edge started.
    pub freed_objects: u64,
    /// What they took, bytes.
    pub freed_bytes: u64,
    /// Nothing of the releases before this one lies here any more: something was erased by it. 0 if
    /// nothing was.
    #[serde(default)]
    pub erased: u64,
    /// Why nothing, or nothing more, is swept.
    pub error: Option<String>,
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
    /// The digest of the order it follows, if its writer knew one.
    #[serde(default)]
    pub predecessor: Option<String>,
    /// The mode in force now.
    pub mode: String,
    /// When a forced mode turns into `automatic`, or did; `null` where the breaker decides anyway.
    #[serde(default)]
    pub ends_at: Option<String>,
    /// Whether no more than a quarter of its time is left.
    #[serde(default)]
    pub end_announced: bool,
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
