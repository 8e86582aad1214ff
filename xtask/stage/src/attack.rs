//! What a lying mirror offers: three releases, each wrong in one way, each at the next sequence.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use snapshot::manifest::{Canary, Route, Target};
use snapshot::{Digest, Envelope, KeySigner, Manifest, Namespace, Release, Timestamp, limits};
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;

/// One attack.
#[derive(Clone, Copy, Debug)]
pub enum Attack {
    /// An object of the release arrives with one byte flipped.
    FlippedByte,
    /// The release is signed by somebody the edges do not know.
    Stranger,
    /// The release is properly signed, but a component of it traps on a canary.
    Poisoned,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FlippedByte, Self::Stranger, Self::Poisoned];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlippedByte => "one flipped byte",
            Self::Stranger => "signed by a stranger",
            Self::Poisoned => "signed, but poisoned",
        }
    }
}

/// The pointer as it was before an attack.
#[derive(Debug)]
pub struct Undo {
    pointer: PathBuf,
    before: Vec<u8>,
}

impl Undo {
    /// Puts the true pointer back.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn undo(self) -> Result<()> {
        snapshot::durable::write(&self.pointer, &self.before).context("putting the pointer back")
    }
}

/// Makes the mirror offer `attack`. `key` is the publisher's, `trap` a component that traps.
///
/// # Errors
/// A mirror that holds no release, or cannot be written.
pub fn offer(attack: Attack, mirror: &Path, key: &Path, trap: &Path) -> Result<Undo> {
    let site = mirror.join("dasom");
    let pointer = site.join("release");
    let before = fs_err::read(&pointer)?;
    let release: Release = snapshot::decode(
        Envelope::from_bytes(&before)?.payload(),
        limits::STATEMENT_BYTES,
    )
    .context("the release")?;
    let bytes = fs_err::read(object(&site, &release.manifest))?;
    let mut manifest: Manifest =
        snapshot::decode(&bytes, limits::MANIFEST_BYTES).context("the manifest")?;
    match attack {
        Attack::Stranger => {}
        Attack::FlippedByte => {
            let mut wasm = fs_err::read(trap)?;
            replace_view(&mut manifest, &wasm);
            let claimed = Digest::of(&wasm);
            let middle = wasm.len() / 2;
            if let Some(byte) = wasm.get_mut(middle) {
                *byte ^= 1;
            }
            put(&site, &claimed, &wasm)?;
        }
        Attack::Poisoned => {
            let wasm = fs_err::read(trap)?;
            replace_view(&mut manifest, &wasm);
            crash_on_a_canary(&mut manifest)
                .context("a route of the component view, and a canary")?;
            put(&site, &Digest::of(&wasm), &wasm)?;
        }
    }
    let bytes = snapshot::encode(&manifest)?;
    put(&site, &Digest::of(&bytes), &bytes)?;
    let statement = Release {
        sequence: release.sequence.next(),
        manifest: Digest::of(&bytes),
        manifest_bytes: bytes.len() as u64,
        as_of: Timestamp(release.as_of.0.saturating_add(1)),
        ..release
    };
    let signer = match attack {
        Attack::Stranger => KeySigner::new(stranger()),
        _ => KeySigner::new(PrivateKey::read_openssh_file(key).context("the publisher's key")?),
    }?;
    let mut envelope = Envelope::seal(snapshot::encode(&statement)?);
    envelope.sign_with(&signer, Namespace::Release)?;
    snapshot::durable::write(&pointer, &envelope.to_bytes()?)?;
    Ok(Undo { pointer, before })
}

fn replace_view(manifest: &mut Manifest, wasm: &[u8]) {
    for component in &mut manifest.components {
        if component.name.as_str() == "view" {
            component.digest = Digest::of(wasm);
            component.bytes = wasm.len() as u64;
        }
    }
}

/// The component traps when it is asked for `/crash`: makes that a canary.
fn crash_on_a_canary(manifest: &mut Manifest) -> Option<()> {
    let of_view = |route: &&Route| matches!(&route.target, Target::Component(name) if name.as_str() == "view");
    let route = manifest.routes.iter().find(of_view)?.clone();
    manifest.routes.push(Route {
        path: "/crash".to_owned(),
        ..route
    });
    let canary = manifest.canaries.first()?.clone();
    manifest.canaries = vec![Canary {
        path: "/crash".to_owned(),
        ..canary
    }];
    Some(())
}

fn stranger() -> PrivateKey {
    // Any key the trust files do not name will do.
    PrivateKey::from(Ed25519Keypair::from_seed(
        Digest::of(b"a stranger").as_bytes(),
    ))
}

fn object(site: &Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    site.join("objects")
        .join(name.chars().take(2).collect::<String>())
        .join(name)
}

fn put(site: &Path, digest: &Digest, bytes: &[u8]) -> Result<()> {
    let path = object(site, digest);
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    Ok(fs_err::write(path, bytes)?)
}
