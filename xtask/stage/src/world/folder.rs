//! What lies in a world's folder before anything runs.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

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

/// An edge's `edge.toml`.
pub(super) fn edge_toml(
    name: &str,
    public: SocketAddr,
    control: SocketAddr,
    origin: SocketAddr,
) -> String {
    format!(
        r#"name = "{name}"
data = "{name}"

[listen]
public = "{public}"
control = "{control}"

[[site]]
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
