//! The third way: Debian's `rustc-web`, fetched and unpacked under `target/guest-toolchain`, not
//! installed: it conflicts with other compilers there, and installing needs root.
//!
//! The folder appears whole, by one rename, with its stamp inside; whatever ended early left only
//! `guest-toolchain.partial`, which is thrown away, and `guest-toolchain.downloads`, whose
//! packages are used again. Debian has no standard library for the guests' target, so cargo
//! builds it from `rust-web-src`, and links with the `rust-lld` of the active toolchain.

mod fetch;
mod libraries;
mod package;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Toolchain, installed};
use crate::apt;
use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::process;
use crate::step::Steps;
use crate::workspace;
use package::Package;

/// Names the packages and versions inside; written last, so its presence means a whole folder.
const STAMP: &str = "stamp";

/// Whether Debian's compiler was fetched before.
pub(super) fn is_ready() -> bool {
    workspace::target("guest-toolchain").join(STAMP).is_file()
}

/// Debian's compiler, fetched if it is not there yet.
pub(super) fn find(steps: &Steps) -> Result<Toolchain> {
    let home = workspace::target("guest-toolchain");
    if !home.join(STAMP).is_file() {
        let _lock = Lock::take(steps, &home.with_extension("lock"))?;
        if !home.join(STAMP).is_file() {
            install(steps, &home)?;
        }
    }
    toolchain(&home)
}

/// Fetches, unpacks and tries the compiler, and moves it to `home` when it is whole.
fn install(steps: &Steps, home: &Path) -> Result<()> {
    if !outside::is_there("apt-get") {
        return Err(Error::new("there is no apt-get on this machine"));
    }
    let partial = home.with_extension("partial");
    let downloads = home.with_extension("downloads");
    fetch::remove(home)?;
    let packages = apt::renewing(steps, "guests", || gather(steps, &downloads, &partial))?;
    let mut rustc = Command::new(partial.join("usr/bin/rustc"));
    rustc.env("LD_LIBRARY_PATH", libraries::path(&partial)?);
    let version = process::output(rustc.arg("--version"))?;
    if !library(&partial).join("Cargo.lock").is_file() {
        return Err(Error::new(format!(
            "rust-web-src holds no standard library at {}",
            library(&partial).display()
        )));
    }

    let stamp = partial.join(STAMP);
    let names: Vec<String> = packages.iter().map(ToString::to_string).collect();
    fs::write(&stamp, format!("{version}{}\n", names.join("\n")))
        .map_err(|error| Error::file("write", &stamp, &error))?;
    fs::rename(&partial, home).map_err(|error| Error::file("rename", &partial, &error))?;
    fetch::remove(&downloads)
}

/// Fetches the packages of the compiler, and of the libraries it lacks here, and unpacks them into
/// `partial`.
fn gather(steps: &Steps, downloads: &Path, partial: &Path) -> Result<Vec<Package>> {
    fetch::remove(partial)?;
    let mut packages = package::compiler()?;
    for package in &packages {
        steps.say("guests", format_args!("debian has {package}"));
    }
    fetch::unpack(&packages, downloads, partial)?;
    steps.say("guests", "unpacked Debian's compiler");

    let lacking = libraries::lacking(partial)?;
    if !lacking.is_empty() {
        steps.say("guests", format_args!("it lacks {}", lacking.join(", ")));
        let more = package::libraries(&packages)?;
        fetch::unpack(&more, downloads, partial)?;
        packages.extend(more);
        let lacking = libraries::lacking(partial)?;
        if !lacking.is_empty() {
            return Err(Error::new(format!(
                "Debian's rustc lacks {}, and the packages it depends on do not hold them",
                lacking.join(", ")
            )));
        }
    }
    Ok(packages)
}

/// How to call cargo with the compiler at `home`.
fn toolchain(home: &Path) -> Result<Toolchain> {
    Ok(Toolchain {
        environment: vec![
            ("RUSTC", home.join("usr/bin/rustc").into_os_string()),
            ("LD_LIBRARY_PATH", libraries::path(home)?),
            // Building the standard library is an unstable feature of a stable cargo.
            ("RUSTC_BOOTSTRAP", OsString::from("1")),
            ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker()?),
        ],
        arguments: vec!["-Zbuild-std=std,panic_abort"],
        library: Some(library(home)),
    })
}

/// Where cargo looks for the sources of the standard library.
fn library(home: &Path) -> PathBuf {
    home.join("usr/lib/rustlib/src/rust/library")
}

/// The `rust-lld` of the active toolchain; Debian's compiler comes without one.
fn linker() -> Result<OsString> {
    let about = process::output(installed::rustc().arg("-vV"))?;
    let host = about
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or_else(|| Error::new("`rustc -vV` names no host"))?;
    let sysroot = process::output(installed::rustc().args(["--print", "sysroot"]))?;
    let linker = Path::new(sysroot.trim()).join(format!("lib/rustlib/{host}/bin/rust-lld"));
    if linker.is_file() {
        return Ok(linker.into_os_string());
    }
    Err(Error::new(format!(
        "the active toolchain has no linker at {}",
        linker.display()
    ))
    .next("install Rust with rustup: https://rustup.rs"))
}
