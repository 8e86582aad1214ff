//! What `/status` says of whom an edge believes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use snapshot::trust::Lineage;
use snapshot::{Namespace, SiteName, Timestamp};

/// The generation of trust in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustStatus {
    /// Its number: 0 for the files that the edge began with.
    pub number: u64,
    /// Its digest, hex: equal files, equal digest.
    pub digest: String,
    /// The succession that made it; absent if the edge's own files did.
    #[serde(default)]
    pub succession: Option<SuccessionStatus>,
    /// How many persons each kind of statement takes, by its name in `trust.toml`.
    pub thresholds: BTreeMap<String, usize>,
    /// Each key that may sign something for this site.
    pub may_sign: Vec<MaySignStatus>,
}

/// The succession that made the generation in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuccessionStatus {
    /// BLAKE3 of its signed bytes, hex.
    pub digest: String,
    /// Who wrote it.
    pub who: String,
    /// Their reason.
    pub why: String,
    /// Who signed it.
    pub signers: Vec<String>,
    /// When it was signed.
    pub signed_at: String,
    /// When this edge accepted it.
    pub accepted_at: String,
}

/// A key that may sign something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaySignStatus {
    /// What: `release@holdfast`, `order@holdfast` or `trust@holdfast`.
    pub namespace: String,
    /// Whose key it is.
    pub person: String,
    /// Its fingerprint.
    pub key: String,
    /// Its first moment, if it has one.
    #[serde(default)]
    pub starts: Option<String>,
    /// Its last moment, if it has one.
    #[serde(default)]
    pub ends: Option<String>,
}

impl TrustStatus {
    pub(super) fn of(lineage: &Lineage, site: &SiteName) -> Self {
        let generation = lineage.generation();
        let thresholds = generation.thresholds().named().into_iter();
        let may_sign = Namespace::ALL.into_iter().flat_map(|namespace| {
            let keys = generation.may_sign(namespace, site).into_iter();
            keys.map(move |key| MaySignStatus {
                namespace: namespace.to_string(),
                person: key.person,
                key: key.key.to_string(),
                starts: key.starts.map(Timestamp::rfc3339),
                ends: key.ends.map(Timestamp::rfc3339),
            })
        });
        let succession = lineage.newest().map(|accepted| SuccessionStatus {
            digest: accepted.digest.to_string(),
            who: accepted.succession.who.clone(),
            why: accepted.succession.why.clone(),
            signers: accepted
                .signers
                .persons()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            signed_at: accepted.succession.signed_at.rfc3339(),
            accepted_at: accepted.accepted_at.rfc3339(),
        });
        Self {
            number: lineage.number(),
            digest: generation.digest().to_string(),
            succession,
            thresholds: thresholds
                .map(|(name, need)| (name.to_owned(), need))
                .collect(),
            may_sign: may_sign.collect(),
        }
    }
}
