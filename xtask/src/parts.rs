//! Outside programs that tests look for. What this machine lacks of them is installed where it may
//! be, by root with apt; elsewhere it is said, and tests that need it are skipped by name.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use crate::apt;
use crate::error::{Error, Result};
use crate::process;
use crate::step::Steps;

/// How long one package may take.
const LIMIT: Duration = Duration::from_secs(180);

/// Installs what is lacking of `programs`. A failure is said and no error: whoever needs the program
/// says so.
pub(crate) fn install(steps: &Steps, programs: &[outside::Program]) {
    let lacking = lacking(programs, outside::is_there);
    if lacking.is_empty() {
        return;
    }
    for (package, programs) in lacking {
        let programs = programs.join(" and ");
        let begun = steps.elapsed();
        let installed = permitted(outside::is_there("apt-get"), is_root()).and_then(|()| {
            apt::renewing(steps, "parts", || {
                process::run_within(LIMIT, &mut get(package))
            })
        });
        let took = steps.elapsed().saturating_sub(begun).as_secs_f64();
        let outcome = match installed {
            Ok(()) => format!("installed for {programs} in {took:.1} s"),
            Err(error) => format!("not installed, {error}: nothing can be tried with {programs}"),
        };
        steps.say("parts", format_args!("{package} {outcome}"));
    }
}

/// The packages to install, each with its programs that are not there.
fn lacking(
    programs: &[outside::Program],
    is_there: impl Fn(&str) -> bool,
) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut packages: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for program in programs {
        if !is_there(program.name) {
            packages
                .entry(program.package)
                .or_default()
                .push(program.name);
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
