//! One line of the log. `docs/log.md` is the schema for who reads it with other programs.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use snapshot::trust::AcceptedOrder;
use snapshot::{Digest, Envelope, Order, Timestamp};

use super::Book;
use crate::on_change::Ran;

/// Longest words of an entry that come from elsewhere, bytes; the rest is cut off.
pub const WORDS_BYTES: usize = 1024;

/// What happened, when, and at which site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Edge time: RFC 3339, UTC, milliseconds. First in its line, so that lines sort by it.
    pub at: String,
    /// The site; absent where it is about the whole edge. Second in its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened. The variant's name, in kebab case, is the line's `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// The edge started.
    EdgeStarted {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// The edge stopped when told to.
    EdgeStopped {
        /// Its name.
        name: String,
    },
    /// An order came into force.
    OrderAccepted(OrderSaid),
    /// A valid order lost against another of its epoch: `equal_epoch` names that one.
    OrderOutranked(OrderSaid),
    /// Another generation of trust came into force.
    TrustAccepted {
        /// Its number.
        generation: u64,
        /// Who wrote it, by their own word.
        who: String,
        /// Their reason.
        why: String,
        /// The persons whose signatures held.
        signers: Vec<String>,
        /// How it came.
        came: Came,
    },
    /// Orders, or a generation of trust, that were offered are not believed.
    Refused {
        /// `orders` or `trust`.
        what: String,
        /// Why, by a short name that does not change.
        reason: String,
        /// The same in words.
        why: String,
        /// How they came.
        came: Came,
        /// How many more were refused since the last such line and have none of their own.
        #[serde(default, skip_serializing_if = "is_zero")]
        more: u64,
    },
    /// Another answers for a service, or for another reason.
    State {
        /// The service; `-` for paths that no route claims.
        service: String,
        /// `normal`, `probing` or `degraded`; absent for the first one since the edge started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// What it is now.
        to: String,
        /// Why, as `/status` has it.
        reason: String,
    },
    /// A quarter of a forced mode's time is left; then the breaker decides.
    ForcedEnds {
        /// The order's scope.
        scope: String,
        /// Its epoch.
        epoch: u64,
        /// When the mode ends.
        ends_at: String,
    },
    /// A forced mode has ended: the breaker decides.
    ForcedEnded {
        /// The order's scope.
        scope: String,
        /// Its epoch.
        epoch: u64,
    },
    /// A release came into use.
    Release {
        /// Its sequence.
        sequence: u64,
        /// The one before it, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<u64>,
        /// Its manifest, hex.
        manifest: String,
        /// When it was known to be true.
        as_of: String,
        /// Who signed it.
        signers: Vec<String>,
    },
    /// A release that was offered is not used.
    ReleaseRefused {
        /// Its sequence, where it got as far as being read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sequence: Option<u64>,
        /// The check it did not pass.
        check: String,
        /// The source to blame.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// In words.
        why: String,
    },
    /// One of the five alarms is raised.
    AlarmRaised {
        /// Its name.
        alarm: String,
        /// In words.
        why: String,
    },
    /// It is over.
    AlarmCleared {
        /// Its name.
        alarm: String,
        /// Since when it was raised.
        since: String,
    },
    /// What readers of a service were shown since the last such line.
    Pages {
        /// The service; `-` for paths that no route claims.
        service: String,
        /// Answers of the living origin.
        origin: u64,
        /// Answers out of the copy that were fresh.
        fresh: u64,
        /// That were stale, and said so.
        stale: u64,
        /// That were too old for their route.
        too_old: u64,
        /// Pages of the edge itself: there was nothing better.
        none: u64,
        /// The greatest age of the copy that was shown, seconds.
        oldest_s: u64,
    },
    /// A write was refused: nothing of it was kept.
    WriteRefused {
        /// What its reader was shown to refer to it.
        reference: String,
        /// The route's template.
        route: String,
        /// The route's service.
        service: String,
    },
    /// A write died on its way to the origin: nobody knows whether it arrived.
    WriteUnknown {
        /// What its reader was shown to refer to it.
        reference: String,
        /// The route's template.
        route: String,
        /// The route's service.
        service: String,
    },
    /// A program of `on_change` was run.
    ProgramRan {
        /// The program.
        program: String,
        /// The kind of entry that it was told.
        about: String,
        /// `done`, `exit N`, `signal N`, `killed: …`, `not started: …`.
        ended: String,
        /// How long it took, milliseconds.
        took_ms: u64,
        /// The first bytes of what it said.
        output: String,
        /// Changes that it was never told, since the last such line.
        #[serde(default, skip_serializing_if = "is_zero")]
        missed: u64,
    },
    /// Entries were lost: the disk was full or too slow.
    Lost {
        /// How many.
        entries: u64,
    },
    /// The edge crashed while it wrote: this line is not whole.
    Torn {
        /// The file.
        file: String,
        /// How many bytes of the line there are.
        bytes: u64,
    },
}

/// What an order says, and how it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSaid {
    /// `site` or `service:NAME`.
    pub scope: String,
    /// Its place in the scope's history.
    pub epoch: u64,
    /// BLAKE3 of its signed bytes, hex.
    pub digest: String,
    /// `automatic`, `degraded` or `normal`.
    pub mode: String,
    /// `normal` even on an edge that has not seen this service's origin healthy.
    #[serde(default, skip_serializing_if = "is_false")]
    pub insists: bool,
    /// How many notices it carries.
    pub notices: usize,
    /// The sequence of the release it pins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<u64>,
    /// Who wrote it, by their own word.
    pub who: String,
    /// Their reason.
    pub why: String,
    /// The persons whose signatures held.
    pub signers: Vec<String>,
    /// When it was signed.
    pub signed_at: String,
    /// When a forced mode ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// The digest of the other order of this epoch, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equal_epoch: Option<String>,
    /// How it came.
    pub came: Came,
    /// The signed bytes with their signatures, base64: anybody may check them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<String>,
}

/// How something came to this edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Came {
    /// Found on a mirror.
    Mirror {
        /// Its URL.
        url: String,
    },
    /// Found at another edge, which was asked.
    Peer {
        /// The URL of its peer listener.
        url: String,
    },
    /// Brought to this edge's peer listener.
    Pushed {
        /// What its bringer showed: `certificate`, `token` or `nothing`.
        showed: String,
    },
}

impl Came {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Mirror { url } => format!("from the mirror {url}"),
            Self::Peer { url } => format!("from the edge at {url}"),
            Self::Pushed { showed } => match showed.as_str() {
                "nothing" => "brought by somebody".to_owned(),
                showed => format!("brought by one of the fleet (showed a {showed})"),
            },
        }
    }
}

impl Entry {
    /// What happened at `at`.
    #[must_use]
    pub fn new(at: Timestamp, site: Option<String>, event: Event) -> Self {
        let at = at.rfc3339_ms();
        Self { at, site, event }
    }

    /// Its line.
    pub(super) fn line(&self) -> Vec<u8> {
        // Texts and numbers always serialise.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

impl Event {
    /// What became of a program.
    #[must_use]
    pub fn of(ran: Ran) -> Self {
        Self::ProgramRan {
            program: ran.program,
            about: ran.about,
            ended: ran.ended,
            took_ms: u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX),
            output: ran.output,
            missed: ran.missed,
        }
    }

    /// Where it is kept.
    #[must_use]
    pub const fn book(&self) -> Book {
        match self {
            Self::Pages { .. } | Self::ProgramRan { .. } => Book::Pages,
            Self::Refused { .. } => Book::Refusals,
            Self::WriteRefused { .. } | Self::WriteUnknown { .. } => Book::Writes,
            _ => Book::Decisions,
        }
    }
}

impl OrderSaid {
    /// What `accepted` says. `equal_epoch` is the digest of another order of its epoch.
    #[must_use]
    pub fn of(accepted: &AcceptedOrder, came: Came, equal_epoch: Option<Digest>) -> Self {
        Self {
            equal_epoch: equal_epoch.map(|digest| digest.to_string()),
            ..Self::new(
                &accepted.order,
                &accepted.envelope,
                &accepted.signers.persons(),
                came,
            )
        }
    }

    /// What an order says that these persons signed.
    #[must_use]
    pub fn new(order: &Order, envelope: &Envelope, signers: &BTreeSet<&str>, came: Came) -> Self {
        let bytes = envelope.to_bytes();
        Self {
            scope: order.scope.to_string(),
            epoch: order.epoch.0,
            digest: envelope.payload_digest().to_string(),
            mode: order.mode.as_str().to_owned(),
            insists: order.insists,
            notices: order.notices.len(),
            pin: order.pin.as_ref().map(|pin| pin.sequence.0),
            who: order.who.clone(),
            why: order.why.clone(),
            signers: signers.iter().map(|person| (*person).to_owned()).collect(),
            signed_at: order.signed_at.rfc3339(),
            ends_at: order.end().map(Timestamp::rfc3339),
            equal_epoch: None,
            came,
            envelope: bytes.ok().map(|bytes| BASE64_STANDARD.encode(bytes)),
        }
    }
}

/// Words from elsewhere, as long as an entry may have them.
#[must_use]
pub fn words(text: &str) -> String {
    let mut end = WORDS_BYTES.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}

const fn is_zero(count: &u64) -> bool {
    *count == 0
}
