//! Packages, downloaded by apt (which checks them against Debian's signed index) and unpacked
//! into a folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::package::Package;
use crate::error::{Error, Result};
use crate::process;

/// Downloads `packages` into `downloads`, unless they lie there, and unpacks them into `into`.
pub(super) fn unpack(packages: &[Package], downloads: &Path, into: &Path) -> Result<()> {
    for folder in [downloads, into] {
        fs::create_dir_all(folder).map_err(|error| Error::file("make", folder, &error))?;
    }
    let mut get = Command::new("apt-get");
    // As root, apt would fetch as a user of its own, who may not write here, and warn about it.
    get.args(["-qq", "-o", "APT::Sandbox::User=root", "download"])
        .args(packages.iter().map(ToString::to_string))
        .current_dir(downloads)
        .stdout(Stdio::null());
    process::run(&mut get)?;
    for package in packages {
        let archive = archive(downloads, package)?;
        let unpacked = process::output(Command::new("dpkg").arg("-x").arg(&archive).arg(into));
        if let Err(error) = unpacked {
            // Whatever is wrong with it, the next run shall fetch it again.
            remove(downloads)?;
            return Err(error);
        }
    }
    Ok(())
}

/// Removes a folder and all in it; an absent one is fine.
pub(super) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::file("remove", folder, &error))
        }
        _ => Ok(()),
    }
}

fn archive(downloads: &Path, package: &Package) -> Result<PathBuf> {
    let failed = |error| Error::file("read", downloads, &error);
    let prefix = package.file_prefix();
    for entry in fs::read_dir(downloads).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(".deb") {
            return Ok(entry.path());
        }
    }
    Err(Error::new(format!(
        "apt-get left no {prefix}*.deb in {}",
        downloads.display()
    )))
}
