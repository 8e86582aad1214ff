//! Which packages make up Debian's compiler. Their names carry versions (`libllvm22`), so all but
//! the first two are found by following dependencies, and none is written down here.

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;

use crate::error::{Error, Result};
use crate::process;

/// Where the search begins: the compiler, and the sources of its standard library.
const ROOTS: [&str; 2] = ["rustc-web", "rust-web-src"];

/// Dependencies that are parts of the compiler, and so are fetched always.
const PARTS: [&str; 2] = ["libstd-rust-web", "libllvm"];

/// The C library belongs to the loader of this machine and must not be replaced.
const NEVER: [&str; 2] = ["libc6", "libc-bin"];

/// A package, as apt's candidate has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    name: String,
    version: String,
    depends: Vec<String>,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.version)
    }
}

impl Package {
    /// How the name of its file begins, as apt writes it.
    pub(super) fn file_prefix(&self) -> String {
        format!("{}_{}_", self.name, self.version.replace(':', "%3a"))
    }
}

/// The packages of the compiler, at the versions apt would take.
pub(super) fn compiler() -> Result<Vec<Package>> {
    let roots = ROOTS.map(str::to_owned).to_vec();
    let found = follow(roots, look_up, |name| starts_with_one_of(name, &PARTS))?;
    check(found, env!("CARGO_PKG_RUST_VERSION"))
}

/// Everything else that `packages` depend on, for a machine that lacks some of it.
pub(super) fn libraries(packages: &[Package]) -> Result<Vec<Package>> {
    let is_library = |name: &str| name.starts_with("lib") || name == "zlib1g";
    let roots = packages
        .iter()
        .filter(|package| starts_with_one_of(&package.name, &PARTS))
        .flat_map(|package| package.depends.clone())
        .filter(|name| is_library(name) && !NEVER.contains(&name.as_str()))
        .collect();
    let mut found = follow(roots, look_up, |name| {
        is_library(name) && !NEVER.contains(&name)
    })?;
    found.retain(|package| !packages.contains(package));
    Ok(found)
}

fn starts_with_one_of(name: &str, beginnings: &[&str]) -> bool {
    beginnings
        .iter()
        .any(|beginning| name.starts_with(beginning))
}

/// Whether the packages hold a compiler, and one that is new enough for this workspace. Renewing
/// apt's lists may mend it if not, so these failures carry a next step.
fn check(found: Vec<Package>, wanted: &str) -> Result<Vec<Package>> {
    let stale = |message| Err(Error::new(message).next("sudo apt-get update"));
    for root in ROOTS {
        if !found.iter().any(|package| package.name == root) {
            return stale(format!("apt knows no package {root}"));
        }
    }
    match found.iter().find(|package| package.name == "rustc-web") {
        Some(rustc) if release(&rustc.version) < release(wanted) => {
            stale(format!("apt offers {rustc}, and {wanted} is needed"))
        }
        _ => Ok(found),
    }
}

/// Major and minor version: `1.96.0+dfsg1-1` is (1, 96).
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The packages `names`, those that they depend on and that `follows` wants, and so on.
fn follow(
    names: Vec<String>,
    mut look_up: impl FnMut(&[String]) -> Result<Vec<Package>>,
    follows: impl Fn(&str) -> bool,
) -> Result<Vec<Package>> {
    let mut seen: BTreeSet<String> = names.iter().cloned().collect();
    let mut ahead: Vec<String> = seen.iter().cloned().collect();
    let mut found = Vec::new();
    while !ahead.is_empty() {
        let level = look_up(&ahead)?;
        ahead = level
            .iter()
            .flat_map(|package| &package.depends)
            .filter(|name| follows(name))
            .filter(|name| seen.insert((*name).clone()))
            .cloned()
            .collect();
        found.extend(level);
    }
    Ok(found)
}

/// The candidates of `names`; one that apt does not know is left out.
fn look_up(names: &[String]) -> Result<Vec<Package>> {
    let mut show = Command::new("apt-cache");
    show.args(["show", "--no-all-versions"])
        .args(names)
        .env("LC_ALL", "C");
    match process::output(&mut show) {
        Ok(printed) => Ok(stanzas(&printed)),
        Err(error) if error.to_string().contains("No packages found") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The packages in what `apt-cache show` printed.
fn stanzas(printed: &str) -> Vec<Package> {
    printed.split("\n\n").filter_map(stanza).collect()
}

fn stanza(text: &str) -> Option<Package> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    Some(Package {
        name: field("Package")?.to_owned(),
        version: field("Version")?.to_owned(),
        depends: field("Depends").map(dependencies).unwrap_or_default(),
    })
}

/// The names in a `Depends` field; of alternatives, the first.
fn dependencies(field: &str) -> Vec<String> {
    field
        .split(',')
        .filter_map(|one| {
            let name = one.trim().split([' ', '|', '(', ':']).next()?;
            (!name.is_empty()).then(|| name.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "Package: rustc-web\nVersion: 1.96.0+dfsg1-1\n\
        Depends: libc6 (>= 2.34), libstd-rust-web-dev (= 1.96.0), gcc:any, libc-dev | other\n\
        Description: a compiler\n\n\
        Package: libllvm22\nVersion: 1:22.1.8-1\n\n";

    fn package(name: &str, version: &str, depends: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            depends: depends.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn stanzas_are_read() {
        let depends = ["libc6", "libstd-rust-web-dev", "gcc", "libc-dev"];
        assert_eq!(
            stanzas(PRINTED),
            [
                package("rustc-web", "1.96.0+dfsg1-1", &depends),
                package("libllvm22", "1:22.1.8-1", &[]),
            ]
        );
    }

    #[test]
    fn a_file_is_named_as_apt_names_it() {
        let llvm = package("libllvm22", "1:22.1.8-1~deb12u1", &[]);
        assert_eq!(llvm.file_prefix(), "libllvm22_1%3a22.1.8-1~deb12u1_");
    }

    #[test]
    fn only_wanted_dependencies_are_followed_and_each_once() {
        let all = [
            package("a", "1", &["b", "c", "x"]),
            package("b", "1", &["c", "a"]),
            package("c", "1", &[]),
        ];
        let look_up = |names: &[String]| {
            let named = |package: &&Package| names.contains(&package.name);
            Ok(all.iter().filter(named).cloned().collect())
        };
        let found = follow(vec!["a".to_owned()], look_up, |name| name != "x").unwrap();
        let names: Vec<_> = found.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn an_absent_or_old_compiler_asks_for_new_lists() {
        let source = package("rust-web-src", "1.85.0", &[]);
        let old = package("rustc-web", "1.85.0+dfsg3-1", &[]);
        for found in [Vec::new(), vec![source, old]] {
            let error = check(found, "1.95").unwrap_err();
            assert_eq!(error.next_step(), Some("sudo apt-get update"), "{error}");
        }
    }

    #[test]
    fn a_new_enough_compiler_will_do() {
        let found = vec![
            package("rust-web-src", "1.100.0", &[]),
            package("rustc-web", "1.100.0+dfsg1-1", &[]),
        ];
        assert!(check(found, "1.95").is_ok());
    }
}
