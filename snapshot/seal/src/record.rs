//! Sealing and opening one record: `version | nonce | ciphertext | tag`.

use alloc::vec::Vec;
use core::fmt;

use aes_gcm_siv::aead::AeadInOut;
use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce, Tag};

use crate::derive::{join, key, nonce_key, record_name};
use crate::{Secret, pad};

/// The one format version this code writes and opens: a sealed record's first byte.
pub const VERSION: u8 = 1;
/// Largest plaintext, bytes (16 MiB): both sides hold it whole.
pub const PLAINTEXT_BYTES: usize = 16 << 20;

const NONCE: usize = 12;
const TAG: usize = 16;
const HEADER: usize = 1 + NONCE;
/// Bytes around the padded plaintext.
const OVERHEAD: usize = HEADER + TAG;
/// Longest sealed record: the largest plaintext with its mark, in its class.
const SEALED_BYTES: usize = PLAINTEXT_BYTES + 16 * 1024;

/// A record that cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// Longer than [`PLAINTEXT_BYTES`].
    TooLong {
        /// Bytes offered.
        got: usize,
    },
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::TooLong { got } = self;
        write!(
            f,
            "a record of {got} bytes cannot be sealed: at most {PLAINTEXT_BYTES} are allowed"
        )
    }
}

impl core::error::Error for SealError {}

/// A sealed record that does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Of a length that no sealed record has.
    Length {
        /// Bytes found.
        got: usize,
    },
    /// Another format version.
    Version {
        /// The version found.
        got: u8,
    },
    /// Another secret, site or collection, or altered bytes: which of them cannot be told.
    Refused,
    /// Rightly sealed, but not padded as this format says.
    Padding,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { got } => write!(
                f,
                "{got} bytes are no sealed record: expected 256, 1024, 4096 or a multiple of 16384"
            ),
            Self::Version { got } => {
                write!(f, "sealed record of version {got}: expected {VERSION}")
            }
            Self::Refused => f.write_str(
                "sealed record does not open: another secret, site or collection, or altered bytes",
            ),
            Self::Padding => f.write_str("sealed record is not padded as its format says"),
        }
    }
}

impl core::error::Error for OpenError {}

/// Seals `plaintext` for the holders of `secret`. Equal input gives equal bytes.
///
/// # Errors
/// [`SealError::TooLong`] above [`PLAINTEXT_BYTES`].
pub fn seal<'a>(
    site: &str,
    collection: &str,
    secret: impl Into<Secret<'a>>,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let secret = secret.into();
    let too_long = SealError::TooLong {
        got: plaintext.len(),
    };
    if plaintext.len() > PLAINTEXT_BYTES {
        return Err(too_long);
    }
    let mut text = Vec::with_capacity(plaintext.len() + 1);
    text.extend_from_slice(plaintext);
    pad::pad(&mut text, OVERHEAD);

    let nonce = nonce(site, collection, secret, &text);
    let aad = associated(site, collection, secret);
    let tag = cipher(site, collection, secret)
        .encrypt_inout_detached(&nonce, &aad, text.as_mut_slice().into())
        .map_err(|_| too_long)?;

    let mut sealed = Vec::with_capacity(text.len() + OVERHEAD);
    sealed.push(VERSION);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&text);
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens what [`seal`] made for the same site, collection and secret.
///
/// # Errors
/// See [`OpenError`]; nothing of the plaintext leaves before all of it is authenticated.
pub fn open<'a>(
    site: &str,
    collection: &str,
    secret: impl Into<Secret<'a>>,
    sealed: &[u8],
) -> Result<Vec<u8>, OpenError> {
    let secret = secret.into();
    let length = OpenError::Length { got: sealed.len() };
    // 12.1 The length is one of the classes.
    if sealed.len() > SEALED_BYTES || !pad::is_class(sealed.len()) {
        return Err(length);
    }
    // 12.2 The version is known.
    let (version, rest) = sealed.split_first().ok_or(length)?;
    if *version != VERSION {
        return Err(OpenError::Version { got: *version });
    }
    let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(length)?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>().ok_or(length)?;

    // 12.3 The tag holds, for this place and this secret.
    let mut text = ciphertext.to_vec();
    cipher(site, collection, secret)
        .decrypt_inout_detached(
            &Nonce::from(*nonce),
            &associated(site, collection, secret),
            text.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .map_err(|_| OpenError::Refused)?;

    // 12.4 The padding is the one that sealing writes.
    let end = pad::unpadded(&text, OVERHEAD).ok_or(OpenError::Padding)?;
    text.truncate(end);
    Ok(text)
}

fn cipher(site: &str, collection: &str, secret: Secret<'_>) -> Aes256GcmSiv {
    Aes256GcmSiv::new(&key(site, collection, secret).into())
}

/// From the content, so that equal content gives equal bytes; keyed, so that it tells nothing.
fn nonce(site: &str, collection: &str, secret: Secret<'_>, padded: &[u8]) -> Nonce {
    let hash = blake3::keyed_hash(&nonce_key(site, collection, secret), padded);
    let mut nonce = Nonce::default();
    for (to, from) in nonce.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    nonce
}

/// Version, site, collection and name: a record moved elsewhere does not open there.
fn associated(site: &str, collection: &str, secret: Secret<'_>) -> Vec<u8> {
    let mut aad = Vec::new();
    aad.push(VERSION);
    let name = record_name(site, collection, secret);
    join(&[site, collection, &name], |bytes| {
        aad.extend_from_slice(bytes)
    });
    aad
}
