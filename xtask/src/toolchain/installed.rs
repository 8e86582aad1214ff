//! The first way: the active toolchain has the target already.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{TARGET, Toolchain};
use crate::error::{Error, Result};
use crate::process;

/// The active toolchain, if it holds a standard library for the target.
pub(super) fn find() -> Result<Toolchain> {
    let printed = process::output(rustc().args(["--print", "target-libdir", "--target", TARGET]))?;
    let folder = Path::new(printed.trim());
    if holds_a_standard_library(folder) {
        return Ok(Toolchain::default());
    }
    Err(Error::new(format!(
        "the active toolchain has no {TARGET} in {}",
        folder.display()
    ))
    .next(format!("rustup target add {TARGET}")))
}

/// The compiler of the active toolchain.
pub(super) fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn holds_a_standard_library(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}
