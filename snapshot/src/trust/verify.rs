//! Who stands behind an envelope. The steps are those of `FORMAT.md`, sections 10 and 11.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::sshsig::{Signature, SignatureError};
use crate::trust::generation::Generation;
use crate::trust::policy::Role;
use crate::trust::signers::Grant;
use crate::{Envelope, Fingerprint, Namespace, Scope, SiteName, Timestamp};

/// One person's signature that held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBy {
    /// The person, as `trust.toml` names them.
    pub person: String,
    /// The key they used.
    pub key: Fingerprint,
}

/// The signatures that held: at least as many distinct persons as were needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signers(Vec<SignedBy>);

impl Signers {
    /// Each signature that held.
    #[must_use]
    pub fn as_slice(&self) -> &[SignedBy] {
        &self.0
    }

    /// The keys, for a floor.
    #[must_use]
    pub fn keys(&self) -> Vec<Fingerprint> {
        let keys: BTreeSet<Fingerprint> = self.0.iter().map(|signed| signed.key).collect();
        keys.into_iter().collect()
    }

    /// The persons' names, for a journal.
    #[must_use]
    pub fn persons(&self) -> BTreeSet<&str> {
        self.0.iter().map(|signed| signed.person.as_str()).collect()
    }
}

/// Why one signature did not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal {
    /// It is not a signature, or not over these bytes, or not for this purpose.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A stranger's key.
    #[error("wrong-key: {0} is not in allowed_signers")]
    WrongKey(Fingerprint),
    /// Listed, but for nobody whom `trust.toml` names.
    #[error("no-role: {0} belongs to no person of trust.toml")]
    NoRole(Fingerprint),
    /// The key is not listed for this purpose.
    #[error("wrong-namespace: key {key} of {person} is not listed for {namespace}")]
    NotForNamespace {
        /// Whose key.
        person: String,
        /// The key.
        key: Fingerprint,
        /// The purpose.
        namespace: Namespace,
    },
    /// The key's time is over.
    #[error("expired-key: key {key} of {person} ended at {}", .before.rfc3339())]
    ExpiredKey {
        /// Whose key.
        person: String,
        /// The key.
        key: Fingerprint,
        /// Its last moment.
        before: Timestamp,
        /// The moment it was judged at.
        at: Timestamp,
    },
    /// The key's time has not come.
    #[error("early-key: key {key} of {person} starts at {}", .after.rfc3339())]
    EarlyKey {
        /// Whose key.
        person: String,
        /// The key.
        key: Fingerprint,
        /// Its first moment.
        after: Timestamp,
        /// The moment it was judged at.
        at: Timestamp,
    },
    /// A person of another role: an operator signed a release, or a publisher an order.
    #[error("role-swapped: {person} is no {needed}, which {namespace} takes")]
    RoleSwapped {
        /// Who signed.
        person: String,
        /// The role it takes.
        needed: Role,
        /// The purpose.
        namespace: Namespace,
    },
    /// A person of another site.
    #[error("wrong-site: {person} may not sign for {site}")]
    WrongSite {
        /// Who signed.
        person: String,
        /// The site it speaks of.
        site: SiteName,
    },
}

/// Why an envelope is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// No signatures at all.
    #[error("unsigned")]
    Unsigned,
    /// One key signed twice: an attempt to be counted twice.
    #[error("duplicate-signature: key {0} signed twice")]
    DuplicateSignature(Fingerprint),
    /// No signature counts. This is the reason of the first.
    #[error(transparent)]
    Signature(SignatureRefusal),
    /// Some count, but too few persons.
    #[error("too-few-signers: {have} of {need} persons signed ({})", refused_list(.refused))]
    TooFew {
        /// Distinct persons whose signatures held.
        have: usize,
        /// Distinct persons it takes.
        need: usize,
        /// Why the other signatures did not count.
        refused: Vec<SignatureRefusal>,
    },
}

fn refused_list(refused: &[SignatureRefusal]) -> String {
    if refused.is_empty() {
        return "no other signature".to_owned();
    }
    let reasons: Vec<String> = refused.iter().map(ToString::to_string).collect();
    reasons.join("; ")
}

impl Generation {
    /// Finds who stands behind `envelope`, and whether they are enough.
    ///
    /// A signature that does not count is passed over, so that a statement of three persons
    /// outlives the leaving of one of them. `at` is edge time.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn verify(
        &self,
        envelope: &Envelope,
        namespace: Namespace,
        site: &SiteName,
        scope: Option<&Scope>,
        at: Timestamp,
    ) -> Result<Signers, TrustError> {
        let mut seen: BTreeSet<Fingerprint> = BTreeSet::new();
        let mut signers = Vec::new();
        let mut refused = Vec::new();
        for bytes in envelope.signatures() {
            let signature = match Signature::from_bytes(bytes) {
                Ok(signature) => signature,
                Err(error) => {
                    refused.push(error.into());
                    continue;
                }
            };
            // 10.7 A key signs once.
            if !seen.insert(signature.fingerprint()) {
                return Err(TrustError::DuplicateSignature(signature.fingerprint()));
            }
            match self.signer(&signature, envelope.payload(), namespace, site, at) {
                Ok(signer) => signers.push(signer),
                Err(reason) => refused.push(reason),
            }
        }
        // 11.10 Enough distinct persons; their keys are distinct, for each has one person.
        let signers = Signers(signers);
        let (have, need) = (
            signers.persons().len(),
            self.thresholds().needed(namespace, scope),
        );
        if have >= need {
            return Ok(signers);
        }
        Err(match refused.first() {
            None if have == 0 => TrustError::Unsigned,
            Some(first) if have == 0 => TrustError::Signature(first.clone()),
            _ => TrustError::TooFew {
                have,
                need,
                refused,
            },
        })
    }

    fn signer(
        &self,
        signature: &Signature,
        payload: &[u8],
        namespace: Namespace,
        site: &SiteName,
        at: Timestamp,
    ) -> Result<SignedBy, SignatureRefusal> {
        let key = signature.fingerprint();
        // 11.5 The key is listed. Strangers get no work out of us.
        let listed = self.key(&key).ok_or(SignatureRefusal::WrongKey(key))?;
        // 11.6 It belongs to a person we know.
        let (name, person) = self
            .person_of(listed)
            .ok_or(SignatureRefusal::NoRole(key))?;
        // 11.7 The person's role and sites allow it.
        let needed = Role::of(namespace);
        if !person.roles.contains(&needed) {
            return Err(SignatureRefusal::RoleSwapped {
                person: name.to_owned(),
                needed,
                namespace,
            });
        }
        if !person.sites.has(site) {
            return Err(SignatureRefusal::WrongSite {
                person: name.to_owned(),
                site: site.clone(),
            });
        }
        // 11.8 and 11.9 One of the key's lines allows this purpose, now.
        allowed_now(&listed.grants, name, key, namespace, at)?;
        // 10.6 and 10.8 It signed these bytes for this purpose. Last, for it is what takes time.
        signature.verify(namespace, payload)?;
        Ok(SignedBy {
            person: name.to_owned(),
            key,
        })
    }
}

fn allowed_now(
    grants: &[Grant],
    person: &str,
    key: Fingerprint,
    namespace: Namespace,
    at: Timestamp,
) -> Result<(), SignatureRefusal> {
    let person = person.to_owned();
    let mut reason = SignatureRefusal::NotForNamespace {
        person: person.clone(),
        key,
        namespace,
    };
    // 11.8 For this purpose.
    for grant in grants.iter().filter(|grant| grant.allows(namespace)) {
        // 11.9 Both ends belong to the time, to the second, as ssh-keygen judges it.
        match (grant.after, grant.before) {
            (Some(after), _) if at.as_secs() < after.as_secs() => {
                reason = SignatureRefusal::EarlyKey {
                    person: person.clone(),
                    key,
                    after,
                    at,
                };
            }
            (_, Some(before)) if at.as_secs() > before.as_secs() => {
                reason = SignatureRefusal::ExpiredKey {
                    person: person.clone(),
                    key,
                    before,
                    at,
                };
            }
            _ => return Ok(()),
        }
    }
    Err(reason)
}
