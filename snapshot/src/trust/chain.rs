//! Successions as mirrors and peers carry them: one after another, so that an edge that slept through
//! several goes from one to the next.

use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError};
use crate::trust::Succession;
use crate::{CodecError, Envelope, encode, limits};

/// The newest successions of a site, oldest first: nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    version: u16,
    envelopes: Vec<Envelope>,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            envelopes: Vec::new(),
        }
    }
}

impl Chain {
    /// The one version this code reads and writes.
    pub const VERSION: u16 = 1;

    /// Reads a chain.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DocumentError> {
        // 14.1 Bounded, of a known version, canonical.
        let chain: Self = document::read("chain", bytes, limits::CHAIN_BYTES, Self::VERSION)?;
        if chain.envelopes.len() > limits::CHAIN_SUCCESSIONS {
            return Err(DocumentError::TooMany {
                what: "chain",
                parts: "successions",
                got: chain.envelopes.len(),
                limit: limits::CHAIN_SUCCESSIONS,
            });
        }
        for envelope in &chain.envelopes {
            envelope.check()?;
            Succession::of(envelope)?;
        }
        Ok(chain)
    }

    /// Encodes the chain.
    ///
    /// # Errors
    /// Never in practice: it was bounded when it was made.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        encode(self)
    }

    /// Puts the next succession at the end; the oldest make room.
    ///
    /// # Errors
    /// An envelope that carries none.
    pub fn push(&mut self, envelope: Envelope) -> Result<(), DocumentError> {
        envelope.check()?;
        Succession::of(&envelope)?;
        self.envelopes.push(envelope);
        let surplus = self.surplus();
        self.envelopes.drain(..surplus);
        Ok(())
    }

    /// What it says, whoever signed it, oldest first.
    pub fn successions(&self) -> impl Iterator<Item = (&Envelope, Succession)> {
        let read = |envelope| Some((envelope, Succession::of(envelope).ok()?));
        self.envelopes.iter().filter_map(read)
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.envelopes.is_empty()
    }

    /// How many of the oldest it has no room for.
    fn surplus(&self) -> usize {
        let sizes = self.envelopes.iter().rev().map(Envelope::encoded_bytes);
        let mut bytes = 16;
        let fits = sizes.take(limits::CHAIN_SUCCESSIONS).take_while(|size| {
            bytes += size;
            bytes <= limits::CHAIN_BYTES
        });
        self.envelopes.len() - fits.count()
    }
}
