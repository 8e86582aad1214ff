//! Keys in OpenSSH's own form, so that `ssh-add`, `ssh-keygen` and hardware tokens fit in.

use std::path::Path;

use fs_err as fs;
use ssh_key::getrandom::SysRng;
use ssh_key::rand_core::UnwrapErr;
use ssh_key::{Algorithm, LineEnding, PrivateKey, PublicKey};

use super::{InitError, create};

/// A key's public half.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// `ssh-ed25519 AAAA..`, without a comment.
    pub public: String,
}

/// Makes an ed25519 key at `path` (0600) and its `.pub` beside it, or reads the public half of
/// the one that is there.
pub(super) fn make_or_read(path: &Path, who: &str) -> Result<(KeyPair, bool), InitError> {
    let refuse = |why: String| InitError::Key {
        path: path.to_owned(),
        why,
    };
    let made = !path.exists();
    if made {
        let mut random = UnwrapErr(SysRng);
        let mut key = PrivateKey::random(&mut random, Algorithm::Ed25519)
            .map_err(|error| refuse(error.to_string()))?;
        key.set_comment(who);
        let text = key
            .to_openssh(LineEnding::LF)
            .map_err(|error| refuse(error.to_string()))?;
        create(path, text.as_bytes(), 0o600)?;
        let public = key
            .public_key()
            .to_openssh()
            .map_err(|error| refuse(error.to_string()))?;
        create(
            &path.with_extension("pub"),
            format!("{public}\n").as_bytes(),
            0o644,
        )?;
    }
    // The public half can be read without the passphrase of a key that has one.
    let text = fs::read_to_string(path)?;
    let key = PrivateKey::from_openssh(&text).map_err(|error| refuse(error.to_string()))?;
    let public = PublicKey::new(key.public_key().key_data().clone(), "")
        .to_openssh()
        .map_err(|error| refuse(error.to_string()))?;
    let public = public.trim_end().to_owned();
    Ok((KeyPair { public }, made))
}
