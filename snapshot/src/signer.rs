//! Who can sign: a key in memory here; agents live where sockets are allowed.

use std::fmt;

use ssh_key::encoding::Encode;
use ssh_key::{HashAlg, PrivateKey, PublicKey, SigningKey, SshSig};

use crate::sshsig::{SignatureError, check_algorithm};
use crate::{Fingerprint, Namespace, limits};

/// Something that holds a private key and signs with it.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs exactly `signed_data`.
    ///
    /// # Errors
    /// See [`SignError`].
    fn sign(&self, signed_data: &[u8]) -> Result<ssh_key::Signature, SignError>;
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The payload is longer than any reader takes.
    #[error("a statement of {got} bytes cannot be signed: at most {limit} are allowed", limit = limits::STATEMENT_BYTES)]
    TooLarge {
        /// Bytes offered.
        got: usize,
    },
    /// The envelope is full.
    #[error("an envelope holds at most {limit} signatures", limit = limits::SIGNATURES)]
    TooManySignatures,
    /// The key is still locked by its passphrase.
    #[error("key {0} is locked by a passphrase")]
    Locked(Fingerprint),
    /// The key or the signature it made is not one that readers accept.
    #[error("this key's signature would be refused: {0}")]
    Refused(#[from] SignatureError),
    /// The key could not sign.
    #[error("key {key} did not sign: {source}")]
    Key {
        /// The key.
        key: Fingerprint,
        /// What the cryptography says.
        source: ssh_key::Error,
    },
    /// Whoever holds the key did not sign.
    #[error("key {key} did not sign: {source}")]
    Holder {
        /// The key.
        key: Fingerprint,
        /// What the holder says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An unlocked private key in memory.
pub struct KeySigner(PrivateKey);

impl KeySigner {
    /// Takes an unlocked key of an accepted algorithm.
    ///
    /// # Errors
    /// [`SignError::Locked`] or [`SignError::Refused`].
    pub fn new(key: PrivateKey) -> Result<Self, SignError> {
        let fingerprint = Fingerprint::of(key.public_key().key_data());
        check_algorithm(key.public_key().key_data())?;
        if key.is_encrypted() {
            return Err(SignError::Locked(fingerprint));
        }
        Ok(Self(key))
    }
}

impl Signer for KeySigner {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, signed_data: &[u8]) -> Result<ssh_key::Signature, SignError> {
        raw(&self.0, signed_data).map_err(|source| SignError::Key {
            key: Fingerprint::of(self.0.public_key().key_data()),
            source,
        })
    }
}

impl fmt::Debug for KeySigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = Fingerprint::of(self.0.public_key().key_data());
        write!(f, "KeySigner({key}, ***)")
    }
}

/// The bare signature. Generic, because the trait behind it is not exported by name.
fn raw<K: SigningKey>(key: &K, data: &[u8]) -> Result<ssh_key::Signature, ssh_key::Error> {
    Ok(key.try_sign(data)?)
}

/// Signs `payload` for one purpose, giving the SSHSIG's bytes.
pub(crate) fn sign(
    signer: &dyn Signer,
    namespace: Namespace,
    payload: &[u8],
) -> Result<Vec<u8>, SignError> {
    let public_key = signer.public_key().key_data();
    let failed = |source| SignError::Key {
        key: Fingerprint::of(public_key),
        source,
    };
    check_algorithm(public_key)?;
    // SHA-512 is what ssh-keygen writes.
    let hash = HashAlg::Sha512;
    let data = SshSig::signed_data(namespace.as_str(), hash, payload).map_err(failed)?;
    let signature = signer.sign(&data)?;
    let signature = SshSig::new(public_key.clone(), namespace.as_str(), hash, signature)
        .and_then(|signature| Ok(signature.encode_vec()?))
        .map_err(failed)?;
    // An agent may hand back anything: what no reader would take is found here, not at an edge.
    crate::sshsig::Signature::from_bytes(&signature)?.verify(namespace, payload)?;
    Ok(signature)
}
