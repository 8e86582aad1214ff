//! A statement's exact bytes and the signatures over them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::document::{self, DocumentError};
use crate::signer::{SignError, Signer, sign};
use crate::sshsig::{Signature, SignatureError};
use crate::{CodecError, Digest, Fingerprint, encode, limits};

/// What a signature is for; part of the signed bytes, so that none can be used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// `release@holdfast`: a publisher's word on a release.
    Release,
    /// `order@holdfast`: an operator's word on a scope.
    Order,
    /// `trust@holdfast`: operators' word on whom to believe from now on.
    Trust,
}

impl Namespace {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Release, Self::Order, Self::Trust];

    /// The text that is signed, and that `ssh-keygen -Y sign -n` is given.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release@holdfast",
            Self::Order => "order@holdfast",
            Self::Trust => "trust@holdfast",
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The signed bytes, never re-encoded on their way, and who signed them.
///
/// Holding one says nothing about its truth: [`crate::accept_release`],
/// [`crate::accept_order`] and [`crate::trust::accept_succession`] do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    version: u16,
    payload: ByteBuf,
    signatures: Vec<ByteBuf>,
}

impl Envelope {
    /// The one version this code reads and writes.
    pub const VERSION: u16 = 1;

    /// Puts an encoded statement into an envelope, unsigned.
    #[must_use]
    pub fn seal(payload: Vec<u8>) -> Self {
        Self {
            version: Self::VERSION,
            payload: ByteBuf::from(payload),
            signatures: Vec::new(),
        }
    }

    /// Adds `signer`'s signature; the same key's earlier one is replaced.
    ///
    /// # Errors
    /// See [`SignError`]; the envelope is unchanged then.
    pub fn sign_with(
        &mut self,
        signer: &dyn Signer,
        namespace: Namespace,
    ) -> Result<(), SignError> {
        if self.payload.len() > limits::STATEMENT_BYTES {
            return Err(SignError::TooLarge {
                got: self.payload.len(),
            });
        }
        let signature = sign(signer, namespace, &self.payload)?;
        self.put(signature)
    }

    /// Adds a signature that `ssh-keygen -Y sign` made over [`Envelope::payload`].
    ///
    /// # Errors
    /// [`SignError::Refused`] for armor that does not hold a signature we read. Whether it is
    /// over these bytes is for the reader to judge.
    pub fn attach_armor(&mut self, armor: &str) -> Result<(), SignError> {
        let signature = Signature::from_armor(armor)?;
        Signature::from_bytes(&signature)?;
        self.put(signature)
    }

    /// Every signature in the armor that `ssh-keygen -Y verify` reads.
    ///
    /// # Errors
    /// The first signature that is none.
    pub fn armor(&self) -> Result<Vec<String>, SignatureError> {
        self.signatures
            .iter()
            .map(|bytes| Signature::from_bytes(bytes)?.to_armor())
            .collect()
    }

    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// BLAKE3 of the signed bytes: what orders are compared and followed by.
    #[must_use]
    pub fn payload_digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// The signatures' bytes, each an SSHSIG.
    pub fn signatures(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.signatures.iter().map(|bytes| bytes.as_slice())
    }

    /// Encodes the envelope.
    ///
    /// # Errors
    /// [`CodecError::TooLarge`] above [`limits::ENVELOPE_BYTES`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let bytes = encode(self)?;
        if bytes.len() > limits::ENVELOPE_BYTES {
            return Err(CodecError::TooLarge {
                got: bytes.len(),
                limit: limits::ENVELOPE_BYTES,
            });
        }
        Ok(bytes)
    }

    /// Reads an envelope. Nothing in it is verified yet.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DocumentError> {
        // 10.1 Bounded, of a known version, canonical.
        let envelope: Self =
            document::read("envelope", bytes, limits::ENVELOPE_BYTES, Self::VERSION)?;
        envelope.check()?;
        Ok(envelope)
    }

    /// 10.2 Its parts are within their limits.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let what = "envelope";
        if self.version != Self::VERSION {
            return Err(DocumentError::Version {
                what,
                got: u64::from(self.version),
                expected: Self::VERSION,
            });
        }
        for (parts, got, limit) in [
            (
                "bytes of statement",
                self.payload.len(),
                limits::STATEMENT_BYTES,
            ),
            ("signatures", self.signatures.len(), limits::SIGNATURES),
            // Nobody signs the signatures: whoever carries an envelope could pad them.
            ("bytes", self.encoded_bytes(), limits::ENVELOPE_BYTES),
        ] {
            if got > limit {
                return Err(DocumentError::TooMany {
                    what,
                    parts,
                    got,
                    limit,
                });
            }
        }
        Ok(())
    }

    /// Its encoding is no longer than this, and only a few bytes shorter.
    pub(crate) fn encoded_bytes(&self) -> usize {
        let parts = self.signatures.iter().chain([&self.payload]);
        parts.map(|part| part.len() + 5).sum::<usize>() + 5
    }

    fn put(&mut self, signature: Vec<u8>) -> Result<(), SignError> {
        let key = |bytes: &[u8]| -> Result<Fingerprint, SignatureError> {
            Ok(Signature::from_bytes(bytes)?.fingerprint())
        };
        let own = key(&signature)?;
        self.signatures.retain(|other| key(other) != Ok(own));
        if self.signatures.len() >= limits::SIGNATURES {
            return Err(SignError::TooManySignatures);
        }
        self.signatures.push(ByteBuf::from(signature));
        Ok(())
    }
}
