//! Debian's apt. Its lists of packages are empty in a bare container and old on a machine that was
//! left alone, and either shows only when a package cannot be had.

use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::process;
use crate::step::Steps;

/// How long renewing the lists may take: some 20 MB from a server in reach.
const LIMIT: Duration = Duration::from_secs(120);

/// Does `work`, which takes packages from apt. If it fails, apt's lists are renewed, which needs
/// root, and it has a second try.
pub(crate) fn renewing<T>(steps: &Steps, step: &str, work: impl FnMut() -> Result<T>) -> Result<T> {
    twice(work, |error| {
        steps.say(step, format_args!("{error}: trying `apt-get update`"));
        process::run_within(LIMIT, Command::new("apt-get").args(["-qq", "update"]))
    })
}

fn twice<T>(
    mut work: impl FnMut() -> Result<T>,
    renew: impl FnOnce(&Error) -> Result<()>,
) -> Result<T> {
    let error = match work() {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    match renew(&error) {
        Ok(()) => work(),
        Err(update) => Err(Error::new(format!("{error}; {update}")).next("sudo apt-get update")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that succeeds at the try of that number, counted from one.
    fn at_try(number: usize) -> impl FnMut() -> Result<usize> {
        let mut tries = 0;
        move || {
            tries += 1;
            if tries == number {
                Ok(tries)
            } else {
                Err(Error::new("apt knows no package"))
            }
        }
    }

    #[test]
    fn lists_are_renewed_only_when_something_is_lacking() {
        let never = |_: &Error| panic!("renewed for nothing");
        assert_eq!(twice(at_try(1), never).unwrap(), 1);
        assert_eq!(twice(at_try(2), |_| Ok(())).unwrap(), 2);
        let error = twice(at_try(3), |_| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "apt knows no package");
    }

    #[test]
    fn both_failures_are_told_and_what_to_do() {
        let error = twice(at_try(2), |_| Err(Error::new("not root"))).unwrap_err();
        assert_eq!(error.to_string(), "apt knows no package; not root");
        assert_eq!(error.next_step(), Some("sudo apt-get update"));
    }
}
