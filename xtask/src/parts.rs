//! Outside programs that tests look for. What this machine lacks of them is installed where it may
//! be, by root with apt, or for this user from a registry; elsewhere it is said, and tests that need
//! it are skipped by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use outside::{From, Kept, Registry};

use crate::apt;
use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::process;
use crate::step::Steps;

/// How long one package of Debian may take.
const LIMIT: Duration = Duration::from_secs(180);
/// How much longer than expected a package of a registry may take: machines differ.
const PATIENCE: u32 = 10;

/// Installs what is lacking of `programs`. A failure is said and no error: whoever needs the program
/// says so.
pub(crate) fn install(steps: &Steps, programs: &[outside::Program]) {
    for (package, programs) in lacking(programs, outside::is_there) {
        let programs = programs.join(" and ");
        let begun = steps.elapsed();
        let installed = permitted(outside::is_there("apt-get"), is_root()).and_then(|()| {
            apt::renewing(steps, "parts", || {
                process::run_within(LIMIT, &mut get(package))
            })
        });
        say(steps, package, &programs, begun, installed);
    }
    for program in programs.iter().filter(|p| !outside::is_there(p.name)) {
        if let From::Kept(package) = &program.from {
            let begun = steps.elapsed();
            let name = format!("{} {}", package.package, package.version);
            let installed = keep(steps, &name, program.name, package);
            say(steps, &name, program.name, begun, installed);
        }
    }
}

fn say(steps: &Steps, package: &str, programs: &str, begun: Duration, installed: Result<()>) {
    let took = steps.elapsed().saturating_sub(begun).as_secs_f64();
    let outcome = match installed {
        Ok(()) => format!("installed for {programs} in {took:.1} s"),
        Err(error) => format!("not installed, {error}: nothing can be tried with {programs}"),
    };
    steps.say("parts", format_args!("{package} {outcome}"));
}

/// Installs a package once for this user. What a run that was broken off left of it goes first.
fn keep(steps: &Steps, name: &str, program: &str, package: &Kept) -> Result<()> {
    let folder = &package.folder();
    let lock = format!("{}-{}.lock", package.package, package.version);
    let _lock = Lock::take(steps, &folder.with_file_name(lock))?;
    if outside::is_there(program) {
        return Ok(());
    }
    fs::remove_dir_all(folder).ok();
    let minutes = match package.minutes {
        1 => "a minute".to_owned(),
        minutes => format!("about {minutes} minutes"),
    };
    let place = folder.display();
    steps.say(
        "parts",
        format_args!("{name} takes {minutes}, once: it is kept in {place}"),
    );
    let limit = Duration::from_secs(package.minutes * 60) * PATIENCE;
    match package.registry {
        Registry::Cargo => process::run_within(limit, &mut build(package, folder))?,
        Registry::Python => {
            let mut make = Command::new("python3");
            process::run_within(limit, make.args(["-m", "venv"]).arg(folder))?;
            process::run_within(limit, &mut pip(package, folder))?;
        }
    }
    Ok(())
}

fn build(package: &Kept, folder: &Path) -> Command {
    let mut build = Command::new(crate::workspace::cargo());
    build
        .args(["install", package.package, "--version", package.version])
        .args(["--locked", "--quiet", "--root"])
        .arg(folder)
        // Not in the workspace's folder, which may be thrown away, nor under its settings.
        .current_dir("/")
        .env_remove("RUSTFLAGS");
    if !package.features.is_empty() {
        build.args(["--features", package.features]);
    }
    build
}

fn pip(package: &Kept, folder: &Path) -> Command {
    let Kept {
        package,
        version,
        features,
        ..
    } = package;
    let mut pip = Command::new(folder.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--quiet"])
        .arg("--disable-pip-version-check")
        .arg(format!("{package}[{features}]=={version}"));
    pip
}

/// Debian's packages to install, each with its programs that are not there.
fn lacking(
    programs: &[outside::Program],
    is_there: impl Fn(&str) -> bool,
) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut packages: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for program in programs {
        if let From::Debian(package) = program.from
            && !is_there(program.name)
        {
            packages.entry(package).or_default().push(program.name);
        }
    }
    packages
}

/// Whether anything can be installed here.
fn permitted(has_apt: bool, is_root: bool) -> Result<()> {
    match (has_apt, is_root) {
        (false, _) => Err(Error::new("there is no apt-get here")),
        (true, false) => Err(Error::new("which takes root")),
        (true, true) => Ok(()),
    }
}

/// Nobody is asked anything, and a lock that somebody else holds is waited for.
fn get(package: &str) -> Command {
    let mut get = Command::new("apt-get");
    get.args(["install", "--yes", "--no-install-recommends", package])
        .args(["-qq", "-o", "DPkg::Lock::Timeout=60"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    get
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|user| user.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_one_package_are_installed_together() {
        assert!(lacking(outside::PROGRAMS, |_| true).is_empty());
        let lacking = lacking(outside::PROGRAMS, |program| !program.starts_with("ssh-"));
        let openssh = ("openssh-client", vec!["ssh-keygen", "ssh-agent"]);
        assert_eq!(lacking.into_iter().collect::<Vec<_>>(), [openssh]);
    }

    #[test]
    fn only_root_with_apt_installs() {
        let refused = |has_apt, is_root| permitted(has_apt, is_root).unwrap_err().to_string();
        assert!(permitted(true, true).is_ok());
        assert_eq!(refused(true, false), "which takes root");
        for is_root in [true, false] {
            assert_eq!(refused(false, is_root), "there is no apt-get here");
        }
    }

    #[test]
    fn a_package_of_a_registry_is_one_version_with_what_it_needs() {
        let of = |name: &str| {
            let mut all = outside::PROGRAMS.iter();
            let program = all.find(|program| program.name == name).unwrap();
            let From::Kept(package) = program.from else {
                panic!("{name} is Debian's");
            };
            package
        };
        let words = |command: &Command| {
            let words = command.get_args().map(|word| word.to_string_lossy());
            words.collect::<Vec<_>>().join(" ")
        };
        let folder = Path::new("/kept");
        assert_eq!(
            words(&build(&of("s3s-fs"), folder)),
            "install s3s-fs --version 0.14.1 --locked --quiet --root /kept --features binary"
        );
        assert!(words(&pip(&of("moto_server"), folder)).ends_with("moto[server]==5.2.1"));
    }

    #[test]
    fn nobody_is_asked() {
        let get = get("curl");
        let words: Vec<_> = get.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(
            words[..4],
            ["install", "--yes", "--no-install-recommends", "curl"]
        );
        let silent = ("DEBIAN_FRONTEND".as_ref(), Some("noninteractive".as_ref()));
        assert!(get.get_envs().any(|variable| variable == silent));
    }
}
