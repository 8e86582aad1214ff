//! What is wrong with the trust files: all of it at once, each with its file and line.

use std::fmt;

use crate::trust::policy::Role;
use crate::{Fingerprint, limits};

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrustFile {
    /// `allowed_signers`.
    AllowedSigners,
    /// `trust.toml`.
    TrustToml,
}

impl fmt::Display for TrustFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllowedSigners => "allowed_signers",
            Self::TrustToml => "trust.toml",
        })
    }
}

/// One problem and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustProblem {
    /// The file.
    pub file: TrustFile,
    /// The line, counted from 1; `None` if it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for TrustProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.problem),
            None => write!(f, "{}: {}", self.file, self.problem),
        }
    }
}

impl std::error::Error for TrustProblem {}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing was parsed.
    #[error("{got} bytes where at most {limit} are allowed", limit = limits::TRUST_FILE_BYTES)]
    TooLarge {
        /// The file's length.
        got: usize,
    },
    /// A quote is opened and not closed.
    #[error("a quote is not closed")]
    UnclosedQuote,
    /// The principals are not a list of patterns.
    #[error("{0:?} are no principals: expected names or patterns, separated by commas")]
    Principals(String),
    /// A certificate authority, which this project does not follow.
    #[error("cert-authority is not supported: list the person's own key")]
    CertAuthority,
    /// An option that does not exist.
    #[error("unknown option {0:?}: expected namespaces, valid-after or valid-before")]
    UnknownOption(String),
    /// An option given twice, or without its quoted value.
    #[error("option {0}: expected once, with a value in double quotes")]
    Option(String),
    /// A list of namespaces that is none.
    #[error("{0:?} are no namespaces: expected patterns, separated by commas")]
    Namespaces(String),
    /// A date in the machine's own zone.
    #[error("date {0:?} has no zone: write it in UTC, with Z at its end")]
    LocalDate(String),
    /// Not a date.
    #[error("{0:?} is no date: expected YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ")]
    Date(String),
    /// A validity that ends before it starts.
    #[error("valid-after lies after valid-before")]
    NeverValid,
    /// Not a public key.
    #[error("no public key: {0}")]
    Key(String),
    /// A key whose signatures are never accepted.
    #[error("{0}")]
    Algorithm(String),
    /// One key that stands for two persons: a threshold could not count it.
    #[error("key {key} stands for {first} and for {second}: each person needs a key of their own")]
    SharedKey {
        /// The key.
        key: Fingerprint,
        /// A person it stands for.
        first: String,
        /// Another one.
        second: String,
    },
    /// TOML that cannot be read, or a value of the wrong kind.
    #[error("{0}")]
    Toml(String),
    /// A key of the document that does not exist.
    #[error("unknown {key:?}: expected {expected}")]
    Unknown {
        /// What is written.
        key: String,
        /// What may be written there.
        expected: String,
    },
    /// A role that does not exist.
    #[error("{0:?} is no role: expected publisher or operator")]
    Role(String),
    /// A site name that is none.
    #[error("{0:?} is no site: expected a site's name or *")]
    Site(String),
    /// A threshold that no envelope can reach.
    #[error("threshold {name} is {got}: expected 1 to {limit}", limit = limits::SIGNATURES)]
    Threshold {
        /// Which one.
        name: &'static str,
        /// What is written.
        got: i64,
    },
    /// A person without any role, or without any site.
    #[error("person {person:?} has no {what}")]
    Idle {
        /// The person.
        person: String,
        /// What is missing.
        what: &'static str,
    },
    /// A person without a key.
    #[error("person {0:?} has no key in allowed_signers")]
    NoKey(String),
    /// Nobody at all.
    #[error("empty: nobody can sign releases{}", for_site(.site))]
    Empty {
        /// The site; `None` for any.
        site: Option<String>,
    },
    /// A threshold higher than there are persons.
    #[error("{what} of {site} need {need} persons, {have} can sign as {role}")]
    Unreachable {
        /// What needs them: releases, orders.
        what: &'static str,
        /// The site.
        site: String,
        /// The role.
        role: Role,
        /// How many there are.
        have: usize,
        /// How many it takes.
        need: usize,
    },
}

fn for_site(site: &Option<String>) -> String {
    site.as_ref()
        .map(|site| format!(" of site {site}"))
        .unwrap_or_default()
}
