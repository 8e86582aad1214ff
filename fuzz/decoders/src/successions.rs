//! Generations that travel, and what an edge keeps of them: `snapshot/FORMAT.md`, section 14.

use std::sync::Arc;

use snapshot::trust::{Chain, Lineage, Succession, accept_succession};
use snapshot::{Namespace, encode, limits};

use crate::formats::{NOW, TRUST, signed, site};

crate::decoders![succession, chain, lineage];

/// What operators signed.
fn succession(bytes: &[u8]) -> bool {
    let Some(envelope) = signed(bytes, Namespace::Trust) else {
        assert!(bytes.len() > limits::STATEMENT_BYTES);
        return false;
    };
    let judged = accept_succession(&TRUST.1, 0, &envelope, &site(), NOW);
    let Ok((accepted, next, _)) = judged else {
        return false;
    };
    assert_eq!(encode(&accepted.succession).expect("it was read"), bytes);
    assert_eq!(next.digest(), accepted.succession.files().digest());
    let before = TRUST.1.thresholds().named().into_iter();
    let lowered = before.zip(next.thresholds().named());
    assert!(lowered.into_iter().all(|((_, from), (_, to))| to >= from));
    true
}

/// The chain that a mirror holds.
fn chain(bytes: &[u8]) -> bool {
    let Ok(chain) = Chain::from_bytes(bytes) else {
        return false;
    };
    assert!(bytes.len() <= limits::CHAIN_BYTES);
    assert!(chain.successions().count() <= limits::CHAIN_SUCCESSIONS);
    assert_eq!(chain.to_bytes().expect("it was read"), bytes);
    let mut grown = Lineage::new(0, Arc::new(TRUST.1.clone()));
    let advance = grown.merge(&chain, &site(), NOW);
    assert_eq!(advance.accepted.is_empty(), grown.newest().is_none());
    lineage(&grown.to_bytes().expect("it was accepted"))
}

/// An edge's own lineage, from a disk that may be damaged.
fn lineage(bytes: &[u8]) -> bool {
    Lineage::from_bytes(bytes).is_ok_and(|lineage| {
        assert_eq!(lineage.to_bytes().expect("it was read"), bytes);
        true
    })
}

mod valid {
    //! Successions as their writers write them.

    use snapshot::Envelope;
    use snapshot::trust::TrustFiles;

    use super::*;

    /// The generation after `from`: a remark more.
    fn after(from: &TrustFiles, number: u64) -> Succession {
        Succession {
            version: Succession::VERSION,
            site: site(),
            number,
            follows: from.digest(),
            allowed_signers: format!("{}# {number}\n", from.allowed_signers),
            trust_toml: from.trust_toml.clone(),
            who: "sora".to_owned(),
            why: "a stolen key".to_owned(),
            signed_at: NOW,
        }
    }

    fn statements() -> Vec<Succession> {
        let first = after(TRUST.1.files(), 1);
        let second = after(&first.files(), 2);
        vec![first, second]
    }

    fn whole() -> Chain {
        let mut chain = Chain::default();
        for statement in statements() {
            let bytes = encode(&statement).expect("it can be written");
            let envelope: Option<Envelope> = signed(&bytes, Namespace::Trust);
            let pushed = chain.push(envelope.expect("our key signs"));
            pushed.expect("it is a succession");
        }
        chain
    }

    pub(super) fn succession() -> Vec<Vec<u8>> {
        let first = statements().into_iter().take(1);
        first
            .map(|it| encode(&it).expect("it can be written"))
            .collect()
    }

    pub(super) fn chain() -> Vec<Vec<u8>> {
        vec![whole().to_bytes().expect("it can be written")]
    }

    pub(super) fn lineage() -> Vec<Vec<u8>> {
        let mut lineage = Lineage::new(0, Arc::new(TRUST.1.clone()));
        let begun = lineage.to_bytes().expect("it can be written");
        assert_eq!(lineage.merge(&whole(), &site(), NOW).accepted.len(), 2);
        vec![begun, lineage.to_bytes().expect("it can be written")]
    }
}
