//! Names and keys out of a secret: three BLAKE3 contexts, so that none tells of another.

use alloc::string::String;

use crate::Secret;

/// Context of the key that encrypts.
const KEY_CONTEXT: &str = "holdfast sealed record v1";
/// Context of the name at rest.
const NAME_CONTEXT: &str = "holdfast sealed record name v1";
/// Context of the key that makes the nonce.
const NONCE_CONTEXT: &str = "holdfast sealed record nonce v1";

/// The record's key at rest: 64 lower-case hex digits that tell nothing about the secret.
///
/// An *unlisted* record's secret is its unguessable id, a *sealed* one's is its capability.
#[must_use]
pub fn record_name<'a>(site: &str, collection: &str, secret: impl Into<Secret<'a>>) -> String {
    let name = derive(NAME_CONTEXT, site, collection, secret.into());
    String::from(blake3::Hash::from_bytes(name).to_hex().as_str())
}

pub(crate) fn key(site: &str, collection: &str, secret: Secret<'_>) -> [u8; 32] {
    derive(KEY_CONTEXT, site, collection, secret)
}

pub(crate) fn nonce_key(site: &str, collection: &str, secret: Secret<'_>) -> [u8; 32] {
    derive(NONCE_CONTEXT, site, collection, secret)
}

fn derive(context: &str, site: &str, collection: &str, secret: Secret<'_>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    join(&[site, collection, secret.0], |bytes| {
        hasher.update(bytes);
    });
    *hasher.finalize().as_bytes()
}

/// Feeds each part behind its length (8 bytes, big-endian): no two lists give the same bytes.
pub(crate) fn join(parts: &[&str], mut feed: impl FnMut(&[u8])) {
    for part in parts {
        feed(&(part.len() as u64).to_be_bytes());
        feed(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_unlinkable_to_the_keys() {
        let name = record_name("dasom", "accounts", "k7Qp");
        let hex = |bytes| String::from(blake3::Hash::from_bytes(bytes).to_hex().as_str());
        let secret = Secret::from("k7Qp");
        assert_ne!(name, hex(key("dasom", "accounts", secret)));
        assert_ne!(name, hex(nonce_key("dasom", "accounts", secret)));
        assert_eq!(name.len(), 64);
        assert!(!name.contains("k7Qp"));
    }

    #[test]
    fn moving_a_boundary_gives_another_name() {
        assert_ne!(record_name("a", "bc", "d"), record_name("ab", "c", "d"));
        assert_ne!(record_name("a", "b", "cd"), record_name("a", "bc", "d"));
    }
}
