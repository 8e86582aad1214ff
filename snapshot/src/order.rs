//! Ops' signed statement about one scope.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Digest, Epoch, InvalidName, LocalText, Sequence, ServiceName, SiteName, Timestamp};

/// What an envelope in the namespace `order@holdfast` carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Format version: [`Order::VERSION`].
    pub version: u16,
    /// The site it speaks of.
    pub site: SiteName,
    /// The whole site or one service.
    pub scope: Scope,
    /// Its place in the scope's history.
    pub epoch: Epoch,
    /// BLAKE3 of the signed bytes of the order it follows, if its writer knew one.
    pub predecessor: Option<Digest>,
    /// Who decides: the breaker, or this order.
    pub mode: Mode,
    /// Words for readers, oldest first.
    pub notices: Vec<Notice>,
    /// A release to stay on; only in the scope `site`.
    pub pin: Option<Pin>,
    /// The person who wrote it.
    pub who: String,
    /// Their reason.
    pub why: String,
    /// When a forced mode turns into `automatic`. Notices and pins do not end with it.
    pub ends_at: Option<Timestamp>,
    /// When it was signed, by the signer's clock.
    pub signed_at: Timestamp,
}

impl Order {
    /// The one version this code reads and writes.
    pub const VERSION: u16 = 1;

    /// The mode in force at `now`.
    #[must_use]
    pub fn mode_at(&self, now: Timestamp) -> Mode {
        match self.ends_at {
            Some(end) if end <= now => Mode::Automatic,
            _ => self.mode,
        }
    }
}

/// What an order speaks of. Written `site` or `service:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Every service of the site.
    Site,
    /// One service.
    Service(ServiceName),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site => f.write_str("site"),
            Self::Service(name) => write!(f, "service:{name}"),
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("service:") {
            Some(name) => Ok(Self::Service(name.parse()?)),
            None if text == "site" => Ok(Self::Site),
            None => Err(InvalidName::scope(text)),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

/// Who decides how a service is answered. Ordered by strength: degraded > normal > automatic.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub enum Mode {
    /// The breaker decides.
    #[default]
    Automatic,
    /// Forced to the origin.
    Normal,
    /// Forced to the snapshot.
    Degraded,
}

impl Mode {
    /// Its name in commands, headers and status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Normal => "normal",
            Self::Degraded => "degraded",
        }
    }
}

impl From<Mode> for u8 {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Automatic => 0,
            Mode::Normal => 1,
            Mode::Degraded => 2,
        }
    }
}

impl TryFrom<u8> for Mode {
    type Error = String;

    fn try_from(code: u8) -> Result<Self, Self::Error> {
        match code {
            0 => Ok(Self::Automatic),
            1 => Ok(Self::Normal),
            2 => Ok(Self::Degraded),
            other => Err(format!("{other} is not a mode: expected 0, 1 or 2")),
        }
    }
}

/// One entry of a notice's time line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When it was written.
    pub at: Timestamp,
    /// Its words, by language.
    pub text: LocalText,
}

/// A release chosen by an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The release's sequence.
    pub sequence: Sequence,
    /// The manifest it must have.
    pub manifest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_what_they_write() {
        for text in ["site", "service:pay"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for bad in ["", "pay", "service:", "service:PAY", "Site"] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }

    #[test]
    fn degraded_is_strongest() {
        assert!(Mode::Degraded > Mode::Normal && Mode::Normal > Mode::Automatic);
    }
}
