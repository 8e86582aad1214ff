//! The ways to a compiler, by the names that `HOLDFAST_GUESTS` takes.

use std::fmt;

use crate::error::{Error, Result};

/// A way to a compiler for the guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The active toolchain has the target.
    Installed,
    /// `rustup` adds the target to the active toolchain.
    Rustup,
    /// Debian's packages, unpacked under `target/`.
    Debian,
}

impl Way {
    /// Every way, in the order in which they are tried: the cheapest first.
    pub(crate) const ALL: [Way; 3] = [Way::Installed, Way::Rustup, Way::Debian];

    fn name(self) -> &'static str {
        match self {
            Way::Installed => "installed",
            Way::Rustup => "rustup",
            Way::Debian => "debian",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The way that `value` of `variable` forces; an empty value forces none.
pub(crate) fn forced(variable: &str, value: &str) -> Result<Option<Way>> {
    if value.is_empty() {
        return Ok(None);
    }
    let found = Way::ALL.into_iter().find(|way| way.name() == value);
    found.map(Some).ok_or_else(|| {
        let allowed = Way::ALL.map(Way::name).join(", ");
        Error::new(format!("{variable}={value} names no way"))
            .next(format!("set {variable} to one of {allowed}, or unset it"))
    })
}

/// The ways to try. A compiler that lies ready is taken before rustup is asked (again) for one,
/// or every run on a machine that rustup's server cannot reach would wait for it.
pub(crate) fn order(forced: Option<Way>, debian_is_ready: bool) -> Vec<Way> {
    match forced {
        Some(way) => vec![way],
        None if debian_is_ready => vec![Way::Installed, Way::Debian, Way::Rustup],
        None => Way::ALL.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_that_lies_ready_comes_before_a_download() {
        assert_eq!(order(None, false), Way::ALL);
        assert_eq!(
            order(None, true),
            [Way::Installed, Way::Debian, Way::Rustup]
        );
        assert_eq!(order(Some(Way::Rustup), true), [Way::Rustup]);
    }

    #[test]
    fn each_name_forces_its_way() {
        for way in Way::ALL {
            assert_eq!(forced("V", &way.to_string()).unwrap(), Some(way));
        }
        assert_eq!(forced("V", "").unwrap(), None);
    }

    #[test]
    fn another_name_is_refused_with_the_allowed_ones() {
        for value in ["Debian", "deb", " rustup"] {
            let error = forced("V", value).unwrap_err();
            let next = error.next_step().unwrap();
            assert!(next.contains("installed, rustup, debian"), "{next}");
        }
    }
}
