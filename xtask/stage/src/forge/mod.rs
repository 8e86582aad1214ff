//! What a mirror may hold that no publisher put there, made by hand: statements here, segments in
//! [`nodes`], what they are compressed to in [`frames`].

pub mod frames;
pub mod nodes;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_bytes::Bytes;
use snapshot::{
    Digest, Envelope, KeySigner, Manifest, Namespace, Release, Timestamp, decode, encode, limits,
};
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;

/// The newest release of a mirror, to be changed and offered.
#[derive(Debug)]
pub struct Forge {
    /// The statement.
    pub release: Release,
    /// Its manifest.
    pub manifest: Manifest,
    site: PathBuf,
    key: PathBuf,
}

impl Forge {
    /// Starts from what `site` holds, a site's folder in a mirror; `key` is the publisher's.
    ///
    /// # Errors
    /// A folder without a release that can be read.
    pub fn of(site: &Path, key: &Path) -> Result<Self> {
        let pointer = fs_err::read(site.join("release"))?;
        let envelope = Envelope::from_bytes(&pointer)?;
        let release: Release =
            decode(envelope.payload(), limits::STATEMENT_BYTES).context("the release")?;
        let manifest = fs_err::read(object(site, &release.manifest))?;
        Ok(Self {
            manifest: decode(&manifest, limits::MANIFEST_BYTES).context("the manifest")?,
            release,
            site: site.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Puts an object there under its name.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        self.put_as(&digest, bytes)?;
        Ok(digest)
    }

    /// Puts an object there under any name.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn put_as(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        let path = object(&self.site, digest);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        Ok(fs_err::write(path, bytes)?)
    }

    /// Takes an object away.
    ///
    /// # Errors
    /// It is not there.
    pub fn remove(&self, digest: &Digest) -> Result<()> {
        Ok(fs_err::remove_file(object(&self.site, digest))?)
    }

    /// The next release, with the same content.
    ///
    /// # Errors
    /// As [`Forge::next_of`].
    pub fn next(&self) -> Result<Release> {
        self.next_of(&self.manifest)
    }

    /// The next release, of this manifest, which is put there.
    ///
    /// # Errors
    /// A manifest that cannot be encoded or written.
    pub fn next_of(&self, manifest: &Manifest) -> Result<Release> {
        let bytes = encode(manifest)?;
        Ok(Release {
            sequence: self.release.sequence.next(),
            manifest: self.put(&bytes)?,
            manifest_bytes: bytes.len() as u64,
            as_of: Timestamp(self.release.as_of.0.saturating_add(1)),
            ..self.release.clone()
        })
    }

    /// `release` in an envelope that the publisher signed.
    ///
    /// # Errors
    /// A key that cannot be read.
    pub fn signed(&self, release: &Release) -> Result<Envelope> {
        let key = PrivateKey::read_openssh_file(&self.key).context("the publisher's key")?;
        signed_by(key, release, Namespace::Release)
    }

    /// Lets the mirror's pointer be these bytes; gives what it was.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn point(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let pointer = self.site.join("release");
        let before = fs_err::read(&pointer)?;
        snapshot::durable::write(&pointer, bytes).context("the pointer")?;
        Ok(before)
    }
}

/// Signs a release with any key, for any use.
///
/// # Errors
/// A key that cannot sign.
pub fn signed_by(key: PrivateKey, release: &Release, namespace: Namespace) -> Result<Envelope> {
    let mut envelope = Envelope::seal(encode(release)?);
    envelope.sign_with(&KeySigner::new(key)?, namespace)?;
    Ok(envelope)
}

/// An envelope with each of its signatures twice.
///
/// # Errors
/// Never in practice: it was encoded before.
pub fn signed_twice(envelope: &Envelope) -> Result<Vec<u8>> {
    let signatures = envelope.signatures().chain(envelope.signatures());
    let signatures: Vec<&Bytes> = signatures.map(Bytes::new).collect();
    let payload = Bytes::new(envelope.payload());
    Ok(encode(&(Envelope::VERSION, payload, signatures))?)
}

/// A key that no trust file names.
#[must_use]
pub fn stranger() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(
        Digest::of(b"a stranger").as_bytes(),
    ))
}

fn object(site: &Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    let shard: String = name.chars().take(2).collect();
    site.join("objects").join(shard).join(name)
}
