//! What a lying mirror offers: three releases, each wrong in one way, each at the next sequence.

use std::path::Path;

use anyhow::{Context, Result};
use snapshot::manifest::{Canary, Route, Target};
use snapshot::{Digest, Manifest, Namespace};

use crate::forge::{Forge, signed_by, stranger};

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

/// What undoes an attack: the pointer as it was before.
#[derive(Debug)]
pub struct Undo {
    forge: Forge,
    before: Vec<u8>,
}

impl Undo {
    /// Puts the true pointer back.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn undo(self) -> Result<()> {
        self.forge.point(&self.before).map(|_| ())
    }
}

/// Makes the mirror offer `attack`. `key` is the publisher's, `trap` a component that traps.
///
/// # Errors
/// A mirror that holds no release, or cannot be written.
pub fn offer(attack: Attack, mirror: &Path, key: &Path, trap: &Path) -> Result<Undo> {
    let forge = Forge::of(&mirror.join("dasom"), key)?;
    let mut manifest = forge.manifest.clone();
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
            forge.put_as(&claimed, &wasm)?;
        }
        Attack::Poisoned => {
            let wasm = fs_err::read(trap)?;
            replace_view(&mut manifest, &wasm);
            crash_on_a_canary(&mut manifest)
                .context("a route of the component view, and a canary")?;
            forge.put(&wasm)?;
        }
    }
    let release = forge.next_of(&manifest)?;
    let envelope = match attack {
        Attack::Stranger => signed_by(stranger(), &release, Namespace::Release),
        Attack::FlippedByte | Attack::Poisoned => forge.signed(&release),
    }?;
    let before = forge.point(&envelope.to_bytes()?)?;
    Ok(Undo { forge, before })
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
