//! Statements made by hand: what a mirror may hold that no publisher put there.

use std::path::{Path, PathBuf};

use snapshot::{
    Digest, Envelope, KeySigner, Manifest, Namespace, Release, Timestamp, decode, encode, limits,
};
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;

use super::Site;

/// The newest release of a mirror, to be changed and offered.
pub(crate) struct Forge {
    /// The statement.
    pub(crate) release: Release,
    /// Its manifest.
    pub(crate) manifest: Manifest,
    mirror: PathBuf,
    key: PathBuf,
}

impl Forge {
    /// Starts from what `mirror` of `site` holds.
    pub(crate) fn of(site: &Site, mirror: &str) -> Self {
        let mirror = site.at(mirror);
        let pointer = fs_err::read(mirror.join("release")).unwrap();
        let envelope = Envelope::from_bytes(&pointer).unwrap();
        let release: Release = decode(envelope.payload(), limits::STATEMENT_BYTES).unwrap();
        let bytes = fs_err::read(object(&mirror, &release.manifest)).unwrap();
        Self {
            manifest: decode(&bytes, limits::MANIFEST_BYTES).unwrap(),
            release,
            mirror,
            key: site.path("keys/release"),
        }
    }

    /// Where an object lies.
    pub(crate) fn object(&self, digest: &Digest) -> PathBuf {
        object(&self.mirror, digest)
    }

    /// Puts an object there under its name.
    pub(crate) fn put(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let path = self.object(&digest);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
        digest
    }

    /// The next release, with the same content.
    pub(crate) fn next(&self) -> Release {
        self.next_of(&self.manifest)
    }

    /// The next release, of this manifest, which is put there.
    pub(crate) fn next_of(&self, manifest: &Manifest) -> Release {
        let bytes = encode(manifest).unwrap();
        Release {
            sequence: self.release.sequence.next(),
            manifest: self.put(&bytes),
            manifest_bytes: bytes.len() as u64,
            as_of: Timestamp(self.release.as_of.0 + 1),
            ..self.release.clone()
        }
    }

    /// `release` in an envelope that the publisher signed.
    pub(crate) fn signed(&self, release: &Release) -> Envelope {
        let key = PrivateKey::read_openssh_file(&self.key).unwrap();
        signed_by(key, release, Namespace::Release)
    }

    /// Lets the mirror's pointer be these bytes.
    pub(crate) fn point(&self, bytes: &[u8]) {
        snapshot::durable::write(&self.mirror.join("release"), bytes).unwrap();
    }
}

/// Signs a release with any key, for any use.
pub(crate) fn signed_by(key: PrivateKey, release: &Release, namespace: Namespace) -> Envelope {
    let mut envelope = Envelope::seal(encode(release).unwrap());
    envelope
        .sign_with(&KeySigner::new(key).unwrap(), namespace)
        .unwrap();
    envelope
}

/// A key that no trust file names.
pub(crate) fn stranger() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(
        Digest::of(b"a stranger").as_bytes(),
    ))
}

fn object(mirror: &Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    mirror.join("objects").join(&name[..2]).join(name)
}
