//! What lies in a world's folder before anything runs.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};

use super::Built;

/// The site: its data, pages, components and `site.toml`.
pub(super) fn lay_out(built: &Built, site: &Path, size: town::Size) -> Result<()> {
    let gone = site.join("mirror.gone");
    if gone.exists() {
        fs_err::rename(gone, site.join("mirror"))?;
    }
    fs_err::create_dir_all(site)?;
    if size == town::Size::default() {
        // Painting its photographs takes seconds: kept for the next play.
        let kept = built.root.join("target/town");
        fs_err::create_dir_all(&kept)?;
        town::generate(&kept, town::SEED, size)?;
        copy(&kept, site)?;
    } else {
        town::generate(site, town::SEED, size)?;
    }
    let example = built.root.join("examples/town");
    for folder in ["public", "templates"] {
        copy(&example.join(folder), &site.join(folder))?;
    }
    copy(&built.components, &site.join("components"))?;
    fs_err::copy(example.join("site.toml"), site.join("site.toml"))?;
    Ok(())
}

/// Where the listeners of an edge are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listeners {
    pub(super) public: SocketAddr,
    pub(super) control: SocketAddr,
    pub(super) peer: SocketAddr,
}

/// An edge's `edge.toml`, with another edge beside it.
pub(super) fn edge_toml(
    name: &str,
    at: Listeners,
    beside: SocketAddr,
    origin: SocketAddr,
) -> String {
    let Listeners {
        public,
        control,
        peer,
    } = at;
    format!(
        r#"name = "{name}"
data = "{name}"

[listen]
public = "{public}"
control = "{control}"

[peer]
listen = "{peer}"
token_file = "fleet.token"

[[site]]
peers = ["http://{beside}"]
name = "dasom"
hosts = ["*"]
trust = "site/trust"
mirrors = ["site/mirror"]
poll = "1s"
origin = "http://{origin}"
"#
    )
}

/// What ops need for their orders.
pub(super) fn ops_toml(controls: &[SocketAddr]) -> String {
    let controls: Vec<String> = controls
        .iter()
        .map(|at| format!("\"http://{at}\""))
        .collect();
    format!(
        "site = \"dasom\"\nmirrors = [\"site/mirror\"]\nedges = [{}]\nkey = \"site/keys/operator\"\n",
        controls.join(", ")
    )
}

/// Two more people who may order, beside whoever `origin-sync init` named: each has a key in `keys/`.
pub(super) fn more_operators(site: &Path) -> Result<()> {
    let (signers, policy) = (
        site.join("trust/allowed_signers"),
        site.join("trust/trust.toml"),
    );
    for (person, seed) in [("minji", 41), ("juno", 42)] {
        let name = format!("{person}@dasom.example");
        let written = fs_err::read_to_string(&signers)?;
        if written.contains(&name) {
            continue;
        }
        let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]));
        key.set_comment(name.as_str());
        let private = site.join("keys").join(person);
        key.write_openssh_file(&private, LineEnding::LF)?;
        let public = key.public_key().to_openssh()?;
        fs_err::write(&signers, format!("{written}{name} {public}\n"))?;
        let roles = format!("[person.\"{name}\"]\nroles = [\"operator\"]\nsites = [\"dasom\"]\n\n");
        fs_err::write(&policy, roles + &fs_err::read_to_string(&policy)?)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs_err::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
