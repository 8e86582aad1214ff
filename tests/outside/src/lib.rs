//! Programs and files from outside that tests need. `cargo xtask test` installs what a machine lacks of them
//! where it may; elsewhere a test without its program is skipped by name, and `CI=true` allows no
//! skip. Standard library only: it stands below every room.

use std::env;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::Location;
use std::thread;

/// A program or a file, and who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// What is looked for on the path, or at its own absolute place.
    pub name: &'static str,
    /// Debian's package of it.
    pub package: &'static str,
}

/// Every program that a test looks for.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "ssh-keygen",
        package: "openssh-client",
    },
    Program {
        name: "ssh-agent",
        package: "openssh-client",
    },
    Program {
        name: "curl",
        package: "curl",
    },
    Program {
        name: "/usr/share/doc/debian-handbook/html/en-US/index.html",
        package: "debian-handbook",
    },
    Program {
        name: "cc",
        package: "gcc",
    },
    Program {
        name: "script",
        package: "bsdutils",
    },
];

/// Programs that a bench measures Holdfast beside.
pub const PEERS: &[Program] = &[
    Program {
        name: "sort",
        package: "coreutils",
    },
    Program {
        name: "zstd",
        package: "zstd",
    },
    Program {
        name: "b3sum",
        package: "b3sum",
    },
];

/// The file that skips are noted in, one line each, for whoever counts them.
pub const SKIPS: &str = "HOLDFAST_SKIPS";

/// Whether the program is installed. A test that is told `false` ends: it is noted as skipped,
/// under its name and place.
///
/// # Panics
/// In a test that would be skipped while `CI` is `true`, and for a program that [`PROGRAMS`] does
/// not name, which nothing would install.
#[must_use]
#[track_caller]
pub fn have(program: &str) -> bool {
    assert!(
        PROGRAMS.iter().any(|known| known.name == program),
        "outside::PROGRAMS does not name {program}: add it with its package"
    );
    if is_there(program) {
        return true;
    }
    // The test runner names its threads after the tests, unless there is only one of them.
    let runner = thread::current();
    let test = runner.name().filter(|name| *name != "main").unwrap_or("");
    skip(
        &format!(
            "{test} ({}): {program} is not installed",
            Location::caller()
        ),
        env::var_os("CI").is_some_and(|ci| ci == "true"),
        env::var_os(SKIPS).as_deref(),
    );
    false
}

/// Whether the program is on the path, or the file in its place.
#[must_use]
pub fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // An absolute path joined to a folder stands for itself.
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[track_caller]
fn skip(what: &str, ci: bool, notes: Option<&OsStr>) {
    assert!(!ci, "CI=true allows no skip: {what}");
    eprintln!("skipped {what}");
    if let Some(notes) = notes {
        // One write a line: other tests append to the same file.
        let noted = OpenOptions::new()
            .create(true)
            .append(true)
            .open(notes)
            .and_then(|mut file| file.write_all(format!("{what}\n").as_bytes()));
        assert!(noted.is_ok(), "{}: {noted:?}", notes.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_on_the_path() {
        assert!(is_there("cargo"));
        assert!(!is_there("no-such-program"));
    }

    #[test]
    #[should_panic(expected = "add it with its package")]
    fn a_program_that_nothing_would_install_is_no_skip() {
        let _ = have("no-such-program");
    }

    #[test]
    #[should_panic(expected = "CI=true allows no skip: one")]
    fn a_skip_fails_in_ci() {
        skip("one", true, None);
    }

    #[test]
    fn skips_are_noted_one_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let notes = folder.path().join("skips");
        for test in ["one", "two"] {
            skip(test, false, Some(notes.as_os_str()));
        }
        assert_eq!(fs_err::read_to_string(&notes).unwrap(), "one\ntwo\n");
    }
}
