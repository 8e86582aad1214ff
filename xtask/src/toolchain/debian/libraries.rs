//! The shared libraries of Debian's compiler: where they lie in the unpacked folder, and which
//! of those it needs are neither there nor on this machine.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::process;

/// The value of `LD_LIBRARY_PATH` with which the compiler unpacked at `home` starts.
pub(super) fn path(home: &Path) -> Result<OsString> {
    let mut folders = Vec::new();
    for parent in ["usr/lib", "lib"] {
        folders.extend(multiarch(&home.join(parent)));
    }
    std::env::join_paths(&folders).map_err(|error| {
        Error::new(format!(
            "{} cannot stand in LD_LIBRARY_PATH: {error}",
            home.display()
        ))
        .next("move the checkout to a folder without `:` in its name")
    })
}

/// The libraries that the compiler unpacked at `home` needs and that nothing here provides.
pub(super) fn lacking(home: &Path) -> Result<Vec<String>> {
    let mut ldd = Command::new("ldd");
    ldd.arg(home.join("usr/bin/rustc"))
        .env("LD_LIBRARY_PATH", path(home)?);
    Ok(not_found(&process::output(&mut ldd)?))
}

/// The folders named after a machine, as in `x86_64-linux-gnu`, in a `lib` folder.
fn multiarch(lib: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(lib) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("-linux-"))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
}

/// The names that `ldd` could not find, each once.
fn not_found(printed: &str) -> Vec<String> {
    let mut names: Vec<String> = printed
        .lines()
        .filter_map(|line| line.trim().strip_suffix("=> not found"))
        .map(|name| name.trim().to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_found_is_lacking() {
        let printed = "\tlinux-vdso.so.1 (0x00007f17c343d000)\n\
            \tlibz3.so.4 => not found\n\
            \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f17c3245000)\n\
            \tlibLLVM.so.22.1 => not found\n\
            \tlibz3.so.4 => not found\n\
            \t/lib64/ld-linux-x86-64.so.2 (0x00007f17c343f000)\n";
        assert_eq!(not_found(printed), ["libLLVM.so.22.1", "libz3.so.4"]);
    }

    #[test]
    fn nothing_lacking_is_an_empty_list() {
        assert!(not_found("\tstatically linked\n").is_empty());
        assert!(not_found("").is_empty());
    }
}
