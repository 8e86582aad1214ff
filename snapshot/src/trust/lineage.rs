//! The generation in force, and how it came to be: what an edge keeps of trust.
//!
//! A lineage begins with the generation of an edge's own trust files and grows by successions, each
//! judged by the generation before it. What mirrors and peers offer is a [`Chain`]; merging goes on from
//! the newest generation that the chain and the lineage have in common, one step after another, so that
//! an edge that slept through several rotations catches up, and one bad step takes none before it along.
//!
//! **Old.** What ends in a number below that of the generation in force changes nothing, and no signature
//! of it is looked at: a draft that was signed once and never used, or a chain of a mirror that lags,
//! leads nobody back to keys that were thrown out since.
//!
//! **Two successors of one generation** are two operators at once, or a stolen key; both are alarms. Each
//! branch ends in a number and begins with a digest; the greater pair, number first, is in force on every
//! edge that sees both, whichever came first: an edge on the smaller one leaves it, with all that was
//! built on it. But a branch replaces another only if everybody who signed it would still be believed in
//! the generation in force. So when the operators who are left throw a stolen key out, it cannot answer
//! with a greater branch of its own. If two keys throw each other out, each edge stays with the one
//! that it saw first, and says so: then people decide, by the trust files on each edge.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::trust::{
    AcceptedSuccession, Alarm, Chain, Generation, Refusal, Succession, TrustFiles, TrustProblem,
    accept_succession,
};
use crate::{CodecError, Digest, Envelope, Namespace, SiteName, Timestamp, decode, encode, limits};

/// Longest encoded lineage, bytes: the files that it began with, and its successions, which are in it as
/// they were signed and as they were read.
const LINEAGE_BYTES: usize = 2 * limits::TRUST_FILE_BYTES + 3 * limits::CHAIN_BYTES;

/// The generations from the one that an edge began with to the one in force. Never empty.
#[derive(Clone, Debug)]
pub struct Lineage {
    number: u64,
    base: Arc<Generation>,
    steps: Vec<Step>,
}

/// One succession, and what came of it.
#[derive(Clone, Debug)]
struct Step {
    accepted: AcceptedSuccession,
    generation: Arc<Generation>,
}

/// What became of a chain that was merged.
#[derive(Debug, Default)]
pub struct Advance {
    /// Successions that are new in force, oldest first.
    pub accepted: Vec<AcceptedSuccession>,
    /// What people should look at.
    pub alarms: Vec<Alarm>,
    /// Why the chain, or its rest, is not in force.
    pub refused: Option<Refusal>,
}

/// As it lies on an edge's disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u16,
    number: u64,
    files: TrustFiles,
    steps: Vec<AcceptedSuccession>,
}

/// Why what lies on an edge's disk is no lineage.
#[derive(Debug, thiserror::Error)]
pub enum LineageError {
    /// Damaged.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Files that are no generation; the first problem.
    #[error("generation {number}: {problem}")]
    Files {
        /// The generation's number.
        number: u64,
        /// What is wrong.
        problem: TrustProblem,
    },
}

impl Lineage {
    const VERSION: u16 = 1;

    /// Begins with the generation of an edge's own files. Those that replace others have the number
    /// after the one that was in force, so that what was signed before is old; the first have 0.
    #[must_use]
    pub const fn new(number: u64, base: Arc<Generation>) -> Self {
        Self {
            number,
            base,
            steps: Vec::new(),
        }
    }

    /// The generation in force.
    #[must_use]
    pub fn generation(&self) -> &Arc<Generation> {
        self.steps
            .last()
            .map_or(&self.base, |step| &step.generation)
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        let last = self.newest();
        last.map_or(self.number, |accepted| accepted.succession.number)
    }

    /// The succession that made the generation in force; `None` if the edge's own files did.
    #[must_use]
    pub fn newest(&self) -> Option<&AcceptedSuccession> {
        self.steps.last().map(|step| &step.accepted)
    }

    /// Whether the generation of that digest is in force or came before it.
    #[must_use]
    pub fn holds(&self, generation: Digest) -> bool {
        (0..=self.steps.len()).any(|at| self.after(at).1.digest() == generation)
    }

    /// The chain as mirrors and peers carry it; `None` if there was no succession.
    #[must_use]
    pub fn offer(&self) -> Option<Chain> {
        let mut chain = Chain::default();
        for step in &self.steps {
            // What was accepted is what a chain takes.
            chain.push(step.accepted.envelope.clone()).ok()?;
        }
        (!chain.is_empty()).then_some(chain)
    }

    /// Takes in what a mirror or a peer offers.
    pub fn merge(&mut self, chain: &Chain, site: &SiteName, edge_time: Timestamp) -> Advance {
        let offered: Vec<_> = chain.successions().collect();
        let Some((last, end)) = offered.last() else {
            return Advance::default();
        };
        let newest = self.newest().map(|accepted| accepted.digest);
        if newest == Some(last.payload_digest()) {
            return Advance::default();
        }
        // 14.10 What ends before the generation in force is old.
        if end.number < self.number() {
            return Advance::refused(Refusal::OldGeneration {
                got: end.number,
                floor: self.number(),
            });
        }
        let Some((from, branch)) = self.branch(&offered) else {
            if end.files().digest() == self.generation().digest() {
                // Somebody has brought this edge's own files up to date.
                return Advance::default();
            }
            return Advance::refused(Refusal::OtherPredecessor {
                got: end.follows,
                expected: self.generation().digest(),
            });
        };
        let (steps, mut advance) = self.judge(from, branch, site, edge_time);
        let accepted = steps.iter().map(|step| step.accepted.clone()).collect();
        match self.replace(from, steps, site) {
            Ok(alarm) => {
                advance.alarms.extend(alarm);
                advance.accepted = accepted;
                self.forget_oldest();
                advance
            }
            Err(refusal) => Advance::refused(refusal),
        }
    }

    /// For an edge's own disk, with who signed.
    ///
    /// # Errors
    /// Never in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let steps = self.steps.iter().map(|step| step.accepted.clone());
        encode(&Kept {
            version: Self::VERSION,
            number: self.number,
            files: self.base.files().clone(),
            steps: steps.collect(),
        })
    }

    /// From an edge's own disk: believed, not judged again.
    ///
    /// # Errors
    /// A damaged file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LineageError> {
        let kept: Kept = decode(bytes, LINEAGE_BYTES)?;
        let read = |number, files: &TrustFiles| {
            let read = Generation::parse(&files.allowed_signers, &files.trust_toml);
            read.map(Arc::new).map_err(|problems| {
                let mut problems = problems.into_iter();
                problems
                    .next()
                    .map(|problem| LineageError::Files { number, problem })
            })
        };
        let sound = |number, files: &TrustFiles| match read(number, files) {
            Ok(generation) => Ok(generation),
            Err(Some(error)) => Err(error),
            Err(None) => Err(CodecError::NotCanonical.into()),
        };
        let base = sound(kept.number, &kept.files)?;
        let steps = kept.steps.into_iter().map(|accepted| {
            let (number, files) = (accepted.succession.number, accepted.succession.files());
            let generation = sound(number, &files)?;
            Ok(Step {
                accepted,
                generation,
            })
        });
        Ok(Self {
            number: kept.number,
            base,
            steps: steps.collect::<Result<_, LineageError>>()?,
        })
    }

    /// The generation after so many steps, and its number.
    fn after(&self, steps: usize) -> (u64, &Arc<Generation>) {
        let step = steps.checked_sub(1).and_then(|at| self.steps.get(at));
        step.map_or((self.number, &self.base), |step| {
            (step.accepted.succession.number, &step.generation)
        })
    }

    /// After how many of our steps the chain leaves them, and what it has from there on.
    fn branch<'c, 'e>(
        &self,
        offered: &'c [(&'e Envelope, Succession)],
    ) -> Option<(usize, &'c [(&'e Envelope, Succession)])> {
        let ours = |digest| self.steps.iter().any(|step| step.accepted.digest == digest);
        offered
            .iter()
            .enumerate()
            .find_map(|(at, (envelope, next))| {
                if ours(envelope.payload_digest()) {
                    return None;
                }
                let follows = |steps: &usize| {
                    let (number, generation) = self.after(*steps);
                    generation.digest() == next.follows && number < next.number
                };
                let from = (0..=self.steps.len()).rev().find(follows)?;
                Some((from, offered.get(at..)?))
            })
    }

    /// Judges one step after another, up to the first bad one.
    fn judge(
        &self,
        from: usize,
        branch: &[(&Envelope, Succession)],
        site: &SiteName,
        edge_time: Timestamp,
    ) -> (Vec<Step>, Advance) {
        let (mut steps, mut advance) = (Vec::new(), Advance::default());
        let (mut number, generation) = self.after(from);
        let mut generation = Arc::clone(generation);
        for (envelope, _) in branch {
            match accept_succession(&generation, number, envelope, site, edge_time) {
                Ok((accepted, next, alarm)) => {
                    number = accepted.succession.number;
                    generation = Arc::new(next);
                    advance.alarms.extend(alarm);
                    steps.push(Step {
                        accepted,
                        generation: Arc::clone(&generation),
                    });
                }
                Err(refusal) => {
                    advance.refused = Some(refusal);
                    break;
                }
            }
        }
        (steps, advance)
    }

    /// Puts a judged branch behind the first `from` steps, if it is greater than what stands there.
    fn replace(
        &mut self,
        from: usize,
        branch: Vec<Step>,
        site: &SiteName,
    ) -> Result<Option<Alarm>, Refusal> {
        let Some(theirs) = ends(&branch) else {
            return Ok(None);
        };
        let mut alarm = None;
        if let Some(ours) = ends(self.steps.get(from..).unwrap_or_default()) {
            let in_force = self.generation();
            let believed = |step: &Step| {
                let keys = step.accepted.signers.keys();
                in_force.still_trusts(&keys, Namespace::Trust, site, None)
            };
            let (number, got) = theirs;
            if number < ours.0 {
                let floor = ours.0;
                return Err(Refusal::OldGeneration { got: number, floor });
            }
            // 14.11 Whoever was thrown out takes nothing back.
            if !branch.iter().all(believed) {
                let kept = ours.1;
                return Err(Refusal::ThrownOut { number, kept, got });
            }
            // 14.12 The greater branch is in force.
            if theirs < ours {
                let kept = ours.1;
                return Err(Refusal::TwoSuccessors { number, kept, got });
            }
            alarm = Some(Alarm::TwoSuccessors {
                number,
                kept: got,
                dropped: ours.1,
            });
        }
        self.steps.truncate(from);
        self.steps.extend(branch);
        Ok(alarm)
    }

    /// What a chain has no room for is begun with.
    fn forget_oldest(&mut self) {
        let room = self.offer().map_or(0, |chain| chain.successions().count());
        let oldest = self.steps.len() - room;
        for step in self.steps.drain(..oldest) {
            self.number = step.accepted.succession.number;
            self.base = step.generation;
        }
    }
}

impl Advance {
    fn refused(refusal: Refusal) -> Self {
        Self {
            refused: Some(refusal),
            ..Self::default()
        }
    }
}

/// The number that a branch ends in, and the digest that it begins with.
fn ends(branch: &[Step]) -> Option<(u64, Digest)> {
    let (first, last) = (branch.first()?, branch.last()?);
    Some((last.accepted.succession.number, first.accepted.digest))
}
