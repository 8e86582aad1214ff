//! A compiler for the guests. There are three ways to one; the first that works is taken, unless
//! `HOLDFAST_GUESTS` names one. When none works, the error lists what was tried, and why each
//! failed.

mod debian;
mod installed;
mod rustup;
mod way;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Result};
use crate::step::Steps;
use way::Way;

/// The target of the guests: no system interface at all, so that a component imports only what it
/// asks for itself.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The variable that forces a way.
const VARIABLE: &str = "HOLDFAST_GUESTS";

/// How to call cargo so that it builds for [`TARGET`].
#[derive(Debug, Default)]
pub(crate) struct Toolchain {
    environment: Vec<(&'static str, OsString)>,
    arguments: Vec<&'static str>,
    /// The sources of the standard library, when it is built from them.
    library: Option<PathBuf>,
}

impl Toolchain {
    /// Points a cargo command at this compiler.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.args(&self.arguments).envs(
            self.environment
                .iter()
                .map(|(name, value)| (*name, value.as_os_str())),
        );
    }

    /// The sources of the standard library, when it is built from them.
    pub(crate) fn library(&self) -> Option<&PathBuf> {
        self.library.as_ref()
    }
}

/// Finds a way to a compiler, and says which.
pub(crate) fn find(steps: &Steps) -> Result<Toolchain> {
    let forced = match std::env::var_os(VARIABLE) {
        Some(value) => way::forced(VARIABLE, &value.to_string_lossy())?,
        None => None,
    };
    let ways = way::order(forced, debian::is_ready());
    first_that_works(&ways, |way| {
        let toolchain = match way {
            Way::Installed => installed::find(),
            Way::Rustup => rustup::find(steps),
            Way::Debian => debian::find(steps),
        };
        match &toolchain {
            Ok(_) => steps.say("guests", format_args!("the way is {way}")),
            Err(error) => steps.say("guests", format_args!("not {way}: {error}")),
        }
        toolchain
    })
}

fn first_that_works<T>(ways: &[Way], mut attempt: impl FnMut(Way) -> Result<T>) -> Result<T> {
    let mut tried = Vec::new();
    let mut next = None;
    for way in ways {
        match attempt(*way) {
            Ok(found) => return Ok(found),
            Err(error) => {
                tried.push(format!("\n  {way}: {error}"));
                // The last way asks for the least, so its advice is the one to give.
                next = error.next_step().map(str::to_owned).or(next);
            }
        }
    }
    let error = Error::new(format!(
        "no compiler for {TARGET} was found; tried:{}",
        tried.concat()
    ));
    Err(error.next(next.unwrap_or_else(|| format!("rustup target add {TARGET}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_way_that_works_is_taken() {
        let found = first_that_works(&Way::ALL, |way| match way {
            Way::Installed => Err(Error::new("absent")),
            other => Ok(other),
        });
        assert_eq!(found.unwrap(), Way::Rustup);
    }

    #[test]
    fn a_failure_lists_every_way_and_one_command() {
        let error = first_that_works::<()>(&Way::ALL, |way| {
            let error = Error::new(format!("no {way} here"));
            Err(match way {
                Way::Installed => error,
                Way::Rustup => error.next("first advice"),
                Way::Debian => error.next("sudo apt-get update"),
            })
        })
        .unwrap_err();
        let text = error.to_string();
        for way in Way::ALL {
            assert!(text.contains(&format!("{way}: no {way} here")), "{text}");
        }
        assert_eq!(error.next_step(), Some("sudo apt-get update"));
    }

    #[test]
    fn without_advice_there_is_still_a_command() {
        let error =
            first_that_works::<()>(&[Way::Installed], |_| Err(Error::new("no"))).unwrap_err();
        assert_eq!(
            error.next_step(),
            Some("rustup target add wasm32-unknown-unknown")
        );
    }
}
