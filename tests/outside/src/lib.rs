//! Programs and files from outside that tests need. `cargo xtask test` installs what a machine lacks of them
//! where it may; elsewhere a test without its program is skipped by name, and `CI=true` allows no
//! skip. Standard library only: it stands below every room.

use std::env;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::Location;
use std::path::PathBuf;
use std::thread;

/// A program or a file, and who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// What is looked for on the path, or at its own absolute place.
    pub name: &'static str,
    /// Who has it.
    pub from: From,
}

/// Who has a program, and so how it is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Debian's package of this name.
    Debian(&'static str),
    /// A package that is installed once for each user and lies in [`kept`]: nobody waits for it
    /// twice, and a fresh `target` does not lose it.
    Kept(Kept),
}

/// A package of a registry in one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which registry.
    pub registry: Registry,
    /// Its name there.
    pub package: &'static str,
    /// The version.
    pub version: &'static str,
    /// The features or extras that it needs.
    pub features: &'static str,
    /// What to expect, for whoever waits.
    pub minutes: u64,
}

/// A registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registry {
    /// crates.io: built by `cargo install`.
    Cargo,
    /// PyPI: put into an environment of its own.
    Python,
}

const fn debian(name: &'static str, package: &'static str) -> Program {
    Program {
        name,
        from: From::Debian(package),
    }
}

/// Every program that a test looks for.
pub const PROGRAMS: &[Program] = &[
    debian("ssh-keygen", "openssh-client"),
    debian("ssh-agent", "openssh-client"),
    debian("curl", "curl"),
    debian("openssl", "openssl"),
    debian(
        "/usr/share/doc/debian-handbook/html/en-US/index.html",
        "debian-handbook",
    ),
    debian("cc", "gcc"),
    Program {
        name: "s3s-fs",
        from: From::Kept(Kept {
            registry: Registry::Cargo,
            package: "s3s-fs",
            version: "0.14.1",
            features: "binary",
            minutes: 4,
        }),
    },
    Program {
        name: "moto_server",
        from: From::Kept(Kept {
            registry: Registry::Python,
            package: "moto",
            version: "5.2.1",
            features: "server",
            minutes: 1,
        }),
    },
    debian("script", "bsdutils"),
];

/// Programs that take so long to build, or so much room, that only `cargo xtask test all` installs them; a test uses
/// one that is there, and is a skip without it only then.
pub const LARGE: &[Program] = &[
    Program {
        name: "garage",
        from: From::Kept(Kept {
            registry: Registry::Cargo,
            package: "garage",
            version: "2.5.0",
            features: "",
            minutes: 10,
        }),
    },
    PROMTOOL,
];

/// Those of them that come with a server, which nobody wants on his own machine for a test.
pub const SERVERS: &[Program] = &[PROMTOOL];

const PROMTOOL: Program = debian("promtool", "prometheus");

/// Programs that a bench measures Holdfast beside, or needs for it.
pub const PEERS: &[Program] = &[
    debian("sort", "coreutils"),
    debian("zstd", "zstd"),
    debian("b3sum", "b3sum"),
    debian("restic", "restic"),
    debian("ostree", "ostree"),
    debian("casync", "casync"),
    debian("rsync", "rsync"),
    debian("vmtouch", "vmtouch"),
    debian("/usr/sbin/nginx", "nginx-light"),
];

/// Set while everything is tested: with programs that take minutes to build, and at size.
pub const ALL: &str = "HOLDFAST_TEST_ALL";
/// The file that skips are noted in, one line each, for whoever counts them.
pub const SKIPS: &str = "HOLDFAST_SKIPS";

/// Whether everything is tested, what takes long as well.
#[must_use]
pub fn all() -> bool {
    env::var_os(ALL).is_some()
}

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
        known(program).is_some(),
        "outside::PROGRAMS does not name {program}: add it with its package"
    );
    if is_there(program) {
        return true;
    }
    if LARGE.iter().any(|large| large.name == program) && !all() {
        eprintln!("{program} is not there: `cargo xtask test all` builds it");
        return false;
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

/// Whether the program is on the path or kept, or the file in its place.
#[must_use]
pub fn is_there(program: &str) -> bool {
    find(program).is_some()
}

/// Where the program is: kept, if it is one of those, else on the path.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let kept = known(program).and_then(|known| match known.from {
        From::Kept(package) => Some(package.folder().join("bin")),
        From::Debian(_) => None,
    });
    let path = env::var_os("PATH").unwrap_or_default();
    // An absolute path joined to a folder stands for itself.
    kept.into_iter()
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn known(program: &str) -> Option<&'static Program> {
    let mut all = PROGRAMS.iter().chain(LARGE);
    all.find(|known| known.name == program)
}

/// Where a user's packages lie, outside of every checkout: `$XDG_CACHE_HOME/holdfast`.
#[must_use]
pub fn kept() -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache")));
    cache.unwrap_or_else(env::temp_dir).join("holdfast")
}

impl Kept {
    /// Its own folder, with its programs in `bin`.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        kept().join(format!("{}-{}", self.package, self.version))
    }
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
