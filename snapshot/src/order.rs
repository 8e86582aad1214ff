//! Ops' signed statement about one scope.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    Digest, Epoch, InvalidName, LocalText, Sequence, ServiceName, SiteName, Timestamp, limits,
};

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
    /// With the mode `normal`: also where an edge has not seen the origin well.
    pub insists: bool,
    /// Words for readers, oldest first.
    pub notices: Vec<Notice>,
    /// A release to stay on; only in the scope `site`.
    pub pin: Option<Pin>,
    /// After a recovery: since when what the scope names is back, and for how long that is said.
    pub back: Option<Back>,
    /// The person who wrote it.
    pub who: String,
    /// Their reason.
    pub why: String,
    /// When a forced mode turns into `automatic`, if before [`limits::FORCED_MS`] are over. Notices
    /// and pins do not end with it.
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
        match self.end() {
            Some(end) if end <= now => Mode::Automatic,
            _ => self.mode,
        }
    }

    /// When the forced mode ends; each does, [`limits::FORCED_MS`] after it was signed at the latest.
    /// `None` where the breaker decides already.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        let last = Timestamp(self.signed_at.0.saturating_add(limits::FORCED_MS));
        (self.mode != Mode::Automatic).then(|| self.ends_at.map_or(last, |end| end.min(last)))
    }

    /// From when on people are told that the forced mode ends: a quarter of its duration before.
    #[must_use]
    pub fn end_announced_at(&self) -> Option<Timestamp> {
        let end = self.end()?;
        let lasts = end.0.saturating_sub(self.signed_at.0);
        Some(Timestamp(end.0.saturating_sub(lasts / 4)))
    }

    /// Since when what the scope names is back, as long as that is said.
    #[must_use]
    pub fn back_at(&self, now: Timestamp) -> Option<Timestamp> {
        let back = self.back.filter(|back| now < back.until)?;
        Some(back.since)
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

/// What readers are told after a recovery: "back since 21:05".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// Since when.
    pub since: Timestamp,
    /// Until when that is said.
    pub until: Timestamp,
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

    fn forced(mode: Mode, ends_at: Option<u64>) -> Order {
        Order {
            version: Order::VERSION,
            site: "dasom".parse().unwrap(),
            scope: Scope::Site,
            epoch: Epoch(1),
            predecessor: None,
            mode,
            insists: false,
            notices: Vec::new(),
            pin: None,
            back: None,
            who: String::new(),
            why: String::new(),
            ends_at: ends_at.map(Timestamp),
            signed_at: Timestamp(1000),
        }
    }

    #[test]
    fn a_forced_mode_always_ends_and_says_so_a_quarter_before() {
        let last = 1000 + limits::FORCED_MS;
        for (mode, ends_at, end) in [
            (Mode::Degraded, Some(5000), Some(5000)),
            (Mode::Normal, None, Some(last)),
            (Mode::Degraded, Some(u64::MAX), Some(last)),
            (Mode::Automatic, Some(5000), None),
        ] {
            let order = forced(mode, ends_at);
            assert_eq!(order.end(), end.map(Timestamp), "{mode:?} {ends_at:?}");
        }
        let order = forced(Mode::Degraded, Some(5000));
        assert_eq!(order.end_announced_at(), Some(Timestamp(4000)));
        assert_eq!(order.mode_at(Timestamp(4999)), Mode::Degraded);
        assert_eq!(order.mode_at(Timestamp(5000)), Mode::Automatic);
        // An end before the beginning is one.
        let order = forced(Mode::Degraded, Some(0));
        assert_eq!(order.mode_at(Timestamp(1000)), Mode::Automatic);
        assert_eq!(order.end_announced_at(), Some(Timestamp(0)));
    }

    #[test]
    fn being_back_is_said_for_as_long_as_the_order_says() {
        let mut order = forced(Mode::Automatic, None);
        order.back = Some(Back {
            since: Timestamp(900),
            until: Timestamp(2000),
        });
        assert_eq!(order.back_at(Timestamp(1999)), Some(Timestamp(900)));
        assert_eq!(order.back_at(Timestamp(2000)), None);
    }

    #[test]
    fn degraded_is_strongest() {
        assert!(Mode::Degraded > Mode::Normal && Mode::Normal > Mode::Automatic);
    }
}
