//! Where a segment's nodes come from: its file, or elsewhere. Neither is believed: every node is
//! hashed when it is read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::node::Place;
use crate::segment::Fault;
use crate::{Digest, limits};

/// Gives nodes of a segment that does not lie on this disk.
pub trait Nodes: std::fmt::Debug + Send + Sync {
    /// The `bytes` bytes at `at` of the uncompressed segment, which `name` names ([`node_name`]).
    /// May wait for a network.
    ///
    /// # Errors
    /// They cannot be had now.
    fn node(&self, at: u64, bytes: u64, name: &Digest) -> io::Result<Vec<u8>>;
}

/// What a node of these bytes is named by its parent, or a root by the manifest; `None` for more
/// bytes than a node may have.
#[must_use]
pub fn node_name(bytes: &[u8]) -> Option<Digest> {
    if bytes.len() > limits::NODE_BYTES + limits::ROOT_HEAD_BYTES {
        return None;
    }
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().max(limits::NODE_BYTES), 0);
    Some(Digest::of(&padded))
}

#[derive(Debug)]
pub(super) enum Source {
    File(File),
    Far(Arc<dyn Nodes>),
}

impl Source {
    /// Fills `into` with the node at `place`.
    pub(super) fn read(&self, place: &Place<'_>, into: &mut [u8]) -> Result<(), Fault> {
        match self {
            Self::File(file) => file
                .read_exact_at(into, place.at)
                .map_err(|e| match e.kind() {
                    io::ErrorKind::UnexpectedEof => Fault::Short {
                        expected: place.bytes,
                    },
                    _ => Fault::Io(e),
                }),
            Self::Far(nodes) => {
                let node = nodes.node(place.at, place.bytes, &place.digest)?;
                if node.len() != into.len() {
                    let expected = place.bytes;
                    return Err(Fault::Short { expected });
                }
                into.copy_from_slice(&node);
                Ok(())
            }
        }
    }
}
