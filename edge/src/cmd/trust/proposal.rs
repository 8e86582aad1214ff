//! A succession on its way between the people who sign it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use snapshot::trust::{Generation, Lineage, Refusal, Succession, TrustError, accept_succession};
use snapshot::{Envelope, Namespace, Signer, SiteName, Timestamp, encode, limits};

use super::words;
use crate::cmd::ops::Settings;
use crate::cmd::ops::armor::{self, Label};
use crate::cmd::ops::generations::Generations;
use crate::cmd::ops::plain::plain;
use crate::cmd::{Exit, Fault};
use crate::sync::wall_clock;

/// A succession, and who signed it so far.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    pub(super) envelope: Envelope,
    pub(super) succession: Succession,
}

/// How far its signatures are.
#[derive(Debug)]
pub(super) enum Standing {
    /// Edges that believe the generation in force will take it.
    Enough(Vec<String>),
    /// So many persons of so many have signed.
    Lacking { have: usize, need: usize },
    /// No signature could help.
    Refused(Refusal),
}

impl Proposal {
    /// Reads a file or standard input (`-`), armored or not. Blocking.
    pub(super) fn read(source: &Path, settings: &Settings) -> Result<Self, Fault> {
        let bytes = armor::read(source, Label::Trust, limits::ENVELOPE_BYTES)?;
        let shown = source.display();
        let unreadable = |error| Fault::failed(format!("{shown}: {error}"));
        let envelope = Envelope::from_bytes(&bytes).map_err(unreadable)?;
        let succession = Succession::of(&envelope).map_err(unreadable)?;
        if succession.site != settings.site {
            let (got, expected) = (&succession.site, &settings.site);
            let fault = Fault::usage(format!(
                "{shown}: it is about {got}, and not about {expected}"
            ));
            return Err(fault.hint("give --site, or the ops.toml of that site"));
        }
        Ok(Self {
            envelope,
            succession,
        })
    }

    pub(super) fn new(succession: Succession) -> Result<Self, Fault> {
        let payload = encode(&succession).map_err(Fault::failed)?;
        let (got, most) = (payload.len(), limits::STATEMENT_BYTES);
        if got > most {
            let fault = Fault::failed(format!(
                "the two files are too long to travel: {got} bytes, at most {most} are allowed"
            ));
            return Err(fault.hint(
                "take out remarks and persons who have left, or change the files on each edge",
            ));
        }
        Ok(Self {
            envelope: Envelope::seal(payload),
            succession,
        })
    }

    /// As text, to be sent by mail or chat, or read aloud if need be.
    pub(super) fn text(&self) -> Result<String, Fault> {
        let bytes = self.envelope.to_bytes().map_err(Fault::failed)?;
        Ok(armor::armor(Label::Trust, &bytes))
    }

    /// Writes it where it is wanted: a file, or standard output. Blocking.
    pub(super) fn write(&self, to: Option<&Path>) -> Result<(), Fault> {
        let text = self.text()?;
        let Some(path) = to.filter(|path| *path != Path::new("-")) else {
            let written = std::io::stdout().write_all(text.as_bytes());
            return written.map_err(|error| Fault::failed(format!("standard output: {error}")));
        };
        let written = snapshot::durable::write(path, text.as_bytes());
        written.map_err(|error| Fault::failed(format!("{}: {error}", path.display())))
    }

    /// Adds this key's signature.
    pub(super) async fn sign(&mut self, signer: Arc<dyn Signer>) -> Result<(), Fault> {
        let mut envelope = self.envelope.clone();
        let sign = move || {
            let signed = envelope.sign_with(signer.as_ref(), Namespace::Trust);
            signed
                .map_err(|error| Fault::failed(format!("the proposal was not signed: {error}")))?;
            Ok::<_, Fault>(envelope)
        };
        let signed = tokio::task::spawn_blocking(sign).await;
        self.envelope = signed.map_err(Fault::failed)??;
        Ok(())
    }

    /// How edges would judge it that are on the generation of `lineage`.
    pub(super) fn standing(&self, lineage: &Lineage, site: &SiteName) -> Standing {
        let (generation, number) = (lineage.generation(), lineage.number());
        let need = generation.thresholds().trust;
        match accept_succession(generation, number, &self.envelope, site, wall_clock()) {
            Ok((accepted, ..)) => {
                let persons = accepted.signers.persons().into_iter();
                Standing::Enough(persons.map(str::to_owned).collect())
            }
            Err(Refusal::Trust(TrustError::Unsigned)) => Standing::Lacking { have: 0, need },
            Err(Refusal::Trust(TrustError::TooFew { have, need, .. })) if have > 0 => {
                Standing::Lacking { have, need }
            }
            Err(refusal) => Standing::Refused(refusal),
        }
    }

    /// What it changes, one thing a line; in full where the generation before it is not known.
    pub(super) fn preview(&self, known: &Generations, now: Timestamp) -> String {
        let Succession {
            number, who, why, ..
        } = &self.succession;
        let (site, who) = (&self.succession.site, plain(who));
        let mut text = format!("generation {number} of {site}, by {who}");
        if !why.is_empty() {
            write!(text, ": {}", plain(why)).ok();
        }
        text.push('\n');
        let files = self.succession.files();
        let next = Generation::parse(&files.allowed_signers, &files.trust_toml);
        let next = match next {
            Ok(next) => next,
            Err(problems) => {
                for problem in problems {
                    writeln!(text, "  {}", plain(&problem.to_string())).ok();
                }
                return text;
            }
        };
        let before = known.generation();
        let before = before.filter(|before| before.digest() == self.succession.follows);
        let lines = match before {
            Some(before) => words::changes(before, &next, now),
            None => words::generation(&next, now),
        };
        if lines.is_empty() {
            text.push_str("  nobody comes or goes: only remarks and spaces change\n");
        }
        for line in lines {
            writeln!(text, "  {}", plain(&line)).ok();
        }
        for warning in words::warnings(&next, &self.succession.site, now) {
            writeln!(text, "  NOTE {}", plain(&warning)).ok();
        }
        text
    }
}

impl Standing {
    /// How many persons' signatures count.
    pub(super) fn persons(&self) -> usize {
        match self {
            Self::Enough(persons) => persons.len(),
            Self::Lacking { have, .. } => *have,
            Self::Refused(_) => 0,
        }
    }

    /// How a command ends that has added a signature.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Lacking { .. } => Exit::Proposed,
            Self::Enough(_) | Self::Refused(_) => Exit::Done,
        }
    }

    /// What is still to be done, in words; `file` is where the proposal lies.
    pub(super) fn words(&self, file: &str) -> String {
        match self {
            Self::Enough(persons) => {
                let persons = plain(&persons.join(", "));
                format!("signed by {persons}: that is enough; next: edge trust apply {file}\n")
            }
            Self::Lacking { have, need } => {
                let more = need.saturating_sub(*have);
                format!(
                    "{have} of {need} persons have signed: {more} more needed; next: edge trust sign {file}\n"
                )
            }
            Self::Refused(refusal) => {
                format!("edges would refuse it: {}\n", plain(&refusal.to_string()))
            }
        }
    }
}
