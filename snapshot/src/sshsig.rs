//! OpenSSH's signature format, `SSHSIG`, narrowed to what this project accepts.
//!
//! The library beneath reads more than we want: other algorithms when another crate switches them
//! on, text around armor, hardware signatures that nobody touched a key for. So the algorithms
//! are an explicit list here, a signature has one spelling, and the flags are looked at.
//! The steps are those of `FORMAT.md`, section 10.

use ssh_key::encoding::{Decode, Encode};
use ssh_key::public::{EcdsaPublicKey, KeyData};
use ssh_key::{Algorithm, LineEnding, PublicKey, SshSig};

use crate::{Fingerprint, Namespace, limits};

/// The flag of a hardware key that says a person touched it (FIDO: "user present").
const USER_PRESENT: u8 = 0x01;

/// Why one signature does not stand for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// More bytes than a signature may have; nothing was parsed.
    #[error("oversized: {got} bytes where at most {limit} are allowed", limit = limits::SIGNATURE_BYTES)]
    TooLarge {
        /// Bytes offered.
        got: usize,
    },
    /// Not an SSHSIG.
    #[error("not an SSHSIG: {0}")]
    Unreadable(ssh_key::Error),
    /// Readable, but another spelling of the same signature.
    #[error("not in canonical form")]
    NotCanonical,
    /// An algorithm outside our list, whatever the library could check.
    #[error(
        "algorithm {0}: expected ssh-ed25519, ecdsa-sha2-nistp256 or their hardware variants (sk-)"
    )]
    Algorithm(String),
    /// The signature's algorithm is not its key's.
    #[error("signature of {signature} under a key of {key}")]
    AlgorithmMixed {
        /// What the signature says.
        signature: String,
        /// What the key says.
        key: String,
    },
    /// Made by a hardware key that nobody touched.
    #[error("hardware key {0} signed without a person's touch")]
    NoUserPresence(Fingerprint),
    /// A signature for another purpose.
    #[error("wrong-namespace: made for {got:?}, expected {expected:?}")]
    Namespace {
        /// The namespace it was made for.
        got: String,
        /// The one that is asked for.
        expected: &'static str,
    },
    /// The key is the one it says, but it signed something else.
    #[error("signature over other bytes: key {0} did not sign this payload")]
    OtherBytes(Fingerprint),
}

/// A readable signature, of an algorithm we accept, not yet verified.
#[derive(Debug)]
pub(crate) struct Signature(SshSig);

impl Signature {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        // 10.3 Its size is bounded, its spelling the only one.
        if bytes.len() > limits::SIGNATURE_BYTES {
            return Err(SignatureError::TooLarge { got: bytes.len() });
        }
        let mut rest = bytes;
        let signature = SshSig::decode(&mut rest).map_err(SignatureError::Unreadable)?;
        let again = signature
            .encode_vec()
            .map_err(|error| SignatureError::Unreadable(error.into()))?;
        if again != bytes
            || signature.version() != SshSig::VERSION
            || !signature.reserved().is_empty()
        {
            return Err(SignatureError::NotCanonical);
        }
        // 10.4 The key's algorithm is on our list, and the signature's is the same.
        check_algorithm(signature.public_key())?;
        let key = signature.public_key().algorithm();
        if signature.algorithm() != key {
            return Err(SignatureError::AlgorithmMixed {
                signature: signature.algorithm().to_string(),
                key: key.to_string(),
            });
        }
        // 10.5 A hardware key was touched.
        if matches!(key, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) {
            // The signature ends in one byte of flags and four of a counter.
            let flags = signature.signature_bytes().iter().rev().nth(4);
            if flags.is_none_or(|flags| flags & USER_PRESENT == 0) {
                return Err(SignatureError::NoUserPresence(Fingerprint::of(
                    signature.public_key(),
                )));
            }
        }
        Ok(Self(signature))
    }

    /// Reads armor, as `ssh-keygen -Y sign` writes it.
    pub(crate) fn from_armor(armor: &str) -> Result<Vec<u8>, SignatureError> {
        if armor.len() > 2 * limits::SIGNATURE_BYTES {
            return Err(SignatureError::TooLarge { got: armor.len() });
        }
        let signature = SshSig::from_pem(armor).map_err(SignatureError::Unreadable)?;
        signature
            .encode_vec()
            .map_err(|error| SignatureError::Unreadable(error.into()))
    }

    /// Armor for `ssh-keygen -Y verify`.
    pub(crate) fn to_armor(&self) -> Result<String, SignatureError> {
        self.0
            .to_pem(LineEnding::LF)
            .map_err(SignatureError::Unreadable)
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.public_key())
    }

    /// Checks namespace and signed bytes.
    pub(crate) fn verify(
        &self,
        namespace: Namespace,
        payload: &[u8],
    ) -> Result<(), SignatureError> {
        // 10.6 Made for this purpose.
        if self.0.namespace() != namespace.as_str() {
            return Err(SignatureError::Namespace {
                got: self.0.namespace().chars().take(80).collect(),
                expected: namespace.as_str(),
            });
        }
        // 10.8 Made over these bytes.
        PublicKey::from(self.0.public_key().clone())
            .verify(namespace.as_str(), payload, &self.0)
            .map_err(|_| SignatureError::OtherBytes(self.fingerprint()))
    }
}

/// Refuses a key whose algorithm is not on the list.
pub(crate) fn check_algorithm(key: &KeyData) -> Result<(), SignatureError> {
    match key {
        KeyData::Ed25519(_)
        | KeyData::SkEd25519(_)
        | KeyData::SkEcdsaSha2NistP256(_)
        | KeyData::Ecdsa(EcdsaPublicKey::NistP256(_)) => Ok(()),
        KeyData::Certificate(_) => Err(SignatureError::Algorithm("certificate".to_owned())),
        other => Err(SignatureError::Algorithm(other.algorithm().to_string())),
    }
}
