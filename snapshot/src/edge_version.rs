//! Which edges read a release: the least version of the program that does.
//!
//! Edges are updated by whoever runs them, each in its own time, so a format can only move behind a
//! number that every edge can compare: a release states it before anything that may ever change.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of the program, `0.1.0`; later is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EdgeVersion {
    major: u16,
    minor: u16,
    patch: u16,
}

/// Not three numbers between dots.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a version: expected three numbers, as in \"0.1.0\"")]
pub struct InvalidVersion(String);

impl EdgeVersion {
    /// The first there is: it reads whatever keeps to version 1 of every format.
    pub const FIRST: Self = Self::new(0, 1, 0);

    /// The one this code is part of.
    pub const THIS: Self = Self::new(
        part(env!("CARGO_PKG_VERSION_MAJOR")),
        part(env!("CARGO_PKG_VERSION_MINOR")),
        part(env!("CARGO_PKG_VERSION_PATCH")),
    );

    /// Of its three numbers.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

const fn part(digits: &str) -> u16 {
    match u16::from_str_radix(digits, 10) {
        Ok(number) => number,
        // Cargo gives digits; an edge that would not know its version could read nothing.
        Err(_) => 0,
    }
}

impl fmt::Display for EdgeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for EdgeVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let mut parts = text.split('.').map(str::parse);
        let read = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => {
                Some(Self::new(major, minor, patch))
            }
            _ => None,
        };
        // One version has one spelling.
        read.filter(|version| version.to_string() == text)
            .ok_or_else(|| InvalidVersion(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_spelling_and_its_place() {
        for (text, version) in [
            ("0.1.0", EdgeVersion::FIRST),
            (env!("CARGO_PKG_VERSION"), EdgeVersion::THIS),
            ("65535.0.10", EdgeVersion::new(u16::MAX, 0, 10)),
        ] {
            assert_eq!(text.parse(), Ok(version));
        }
        for bad in [
            "",
            "1",
            "0.1",
            "0.1.0.0",
            "0.01.0",
            "+0.1.0",
            "0.1.0-rc.1",
            "65536.0.0",
        ] {
            assert!(bad.parse::<EdgeVersion>().is_err(), "{bad}");
        }
        let rising = ["0.1.0", "0.1.2", "0.1.10", "0.2.0", "1.0.0"];
        assert!(
            rising
                .map(|v| v.parse::<EdgeVersion>().unwrap())
                .is_sorted()
        );
    }
}
