//! Where the built things are: programs beside the test's own, components where
//! `cargo xtask components` leaves them. Never built from here: a missing one names its command.

use std::path::{Path, PathBuf};

const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target");

/// The program `name`, from the folder above this test's (`target/debug`) or `HOLDFAST_BINARIES`.
pub(crate) fn binary(name: &str) -> PathBuf {
    let path = binaries().join(name);
    assert!(
        path.exists(),
        "{} is not there: `cargo build --bins --package edge --package origin-sync --package town`",
        path.display()
    );
    path
}

/// The folder of the programs.
pub(crate) fn binaries() -> PathBuf {
    if let Some(folder) = std::env::var_os("HOLDFAST_BINARIES") {
        return PathBuf::from(folder);
    }
    let own = std::env::current_exe().unwrap();
    // target/debug/deps/integration-0123456789abcdef
    own.ancestors().nth(2).unwrap().to_owned()
}

/// The folder of the components; `HOLDFAST_COMPONENTS` names another.
pub(crate) fn components() -> PathBuf {
    std::env::var_os("HOLDFAST_COMPONENTS")
        .map_or_else(|| Path::new(TARGET).join("components"), PathBuf::from)
}

/// The file of one component.
pub(crate) fn component_file(name: &str) -> PathBuf {
    let file = components().join(format!("{name}.wasm"));
    assert!(
        file.exists(),
        "{} is not there: `cargo xtask components --tests`",
        file.display()
    );
    fs_err::canonicalize(file).unwrap()
}

/// The bytes of one component.
pub(crate) fn component(name: &str) -> Vec<u8> {
    fs_err::read(component_file(name)).unwrap()
}

/// A cache of compiled components that lives across tests and runs: compiling is slow.
pub(crate) fn compiled_cache() -> PathBuf {
    Path::new(TARGET).join("tests/compiled")
}

/// Lets a program that keeps compiled components in `folder` keep them where all tests do.
pub(crate) fn share_compiled(folder: &Path) {
    use std::os::unix::fs::{DirBuilderExt, symlink};
    let shared = Path::new(TARGET).join("tests/shared");
    let mut private = std::fs::DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(&shared).unwrap();
    private.create(folder).unwrap();
    symlink(
        fs_err::canonicalize(shared).unwrap(),
        folder.join("compiled"),
    )
    .unwrap();
}
