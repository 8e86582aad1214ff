//! Generations of one site whose operators change, and the successions between them.

use snapshot::trust::{Succession, TrustFiles};
use snapshot::{Envelope, Generation, Namespace};

use crate::world::*;

pub(crate) const HARU: u8 = 8;
pub(crate) const DORI: u8 = 10;

/// Sora publishes; each of these operates, with this key and these options on its line.
pub(crate) fn files_with(operators: &[(&str, &str, u8)], thresholds: &str) -> TrustFiles {
    let mut allowed_signers = line("sora", "", SORA);
    let mut trust_toml = "[person.sora]\nroles = [\"publisher\"]\nsites = [\"dasom\"]\n".to_owned();
    for (person, options, seed) in operators {
        allowed_signers += &line(person, options, *seed);
        let roles = "roles = [\"operator\"]\nsites = [\"dasom\"]\n";
        let known = format!("[person.{person}]\n");
        if !trust_toml.contains(&known) {
            trust_toml += &(known + roles);
        }
    }
    trust_toml += &format!("[thresholds]\n{thresholds}\n");
    TrustFiles {
        allowed_signers,
        trust_toml,
    }
}

pub(crate) fn files(operators: &[(&str, u8)], thresholds: &str) -> TrustFiles {
    let bare = operators.iter().map(|(name, seed)| (*name, "", *seed));
    files_with(&bare.collect::<Vec<_>>(), thresholds)
}

pub(crate) fn of(files: &TrustFiles) -> Generation {
    Generation::parse(&files.allowed_signers, &files.trust_toml).unwrap()
}

/// From one generation to the next.
pub(crate) fn succession(from: &TrustFiles, number: u64, to: &TrustFiles) -> Succession {
    Succession {
        version: Succession::VERSION,
        site: site(),
        number,
        follows: from.digest(),
        allowed_signers: to.allowed_signers.clone(),
        trust_toml: to.trust_toml.clone(),
        who: "mina".into(),
        why: "a key was stolen".into(),
        signed_at: NOW,
    }
}

pub(crate) fn signed_succession(succession: &Succession, seeds: &[u8]) -> Envelope {
    signed(succession, Namespace::Trust, seeds)
}
