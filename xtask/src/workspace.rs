//! Where things lie in this checkout.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the checkout. Cargo says where this crate lies now; where it lay when it was built
/// is only for a run without cargo.
pub(crate) fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// A place under the checkout's `target/`.
pub(crate) fn target(place: &str) -> PathBuf {
    root().join("target").join(place)
}

/// The cargo that runs us, else the one on the path.
pub(crate) fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Cargo's own folder, in which the sources of dependencies lie.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = env::home_dir()?;
        Some(home.join(".cargo"))
    })
}
