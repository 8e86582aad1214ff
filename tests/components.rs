//! Where the tests find components: built by `cargo xtask components --tests`, never in git.

use std::path::{Path, PathBuf};

const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target");

/// A cache of compiled components that lives across tests and runs: compiling is slow.
pub(crate) fn compiled_cache() -> PathBuf {
    Path::new(TARGET).join("tests/compiled")
}

/// The bytes of `target/components/NAME.wasm`; `HOLDFAST_COMPONENTS` names another folder.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("HOLDFAST_COMPONENTS")
        .map_or_else(|| Path::new(TARGET).join("components"), PathBuf::from);
    let file = folder.join(format!("{name}.wasm"));
    fs_err::read(&file)
        .unwrap_or_else(|error| panic!("{error}; it is built by `cargo xtask components --tests`"))
}
