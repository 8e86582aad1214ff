//! A limit on everything that comes from outside, each with its unit.

/// Longest record key, bytes.
pub const KEY_BYTES: usize = 1024;
/// A node closes before the entry that would pass this, bytes. A read of one record takes, hashes and
/// checks one leaf: half of this is half as quick to hash, twice as much costs as much again.
pub const NODE_BYTES: usize = 8 * 1024;
/// What the head of a root adds at most to [`NODE_BYTES`]: version, site, collection and count, bytes.
pub const ROOT_HEAD_BYTES: usize = 140;
/// A value longer than this becomes a blob reference, bytes.
pub const INLINE_VALUE_BYTES: usize = 4 * 1024;
/// Largest segment, uncompressed, bytes (64 GiB).
pub const SEGMENT_BYTES: u64 = 64 << 30;
/// At rest a frame closes before the node that would pass this, uncompressed bytes.
pub const FRAME_BYTES: usize = 128 * 1024;
/// A blob longer than this is verified in groups against its hash tree, bytes.
pub const WHOLE_BLOB_BYTES: u64 = 64 * 1024;
/// Largest blob, bytes.
pub const BLOB_BYTES: u64 = 1 << 30;
/// Largest manifest, bytes.
pub const MANIFEST_BYTES: usize = 16 << 20;
/// Largest release, order or succession before its signatures, bytes; so the trust files of a generation
/// that travels are together a little smaller than this.
pub const STATEMENT_BYTES: usize = 64 * 1024;
/// Longest words of a notice in one language, bytes.
pub const NOTICE_BYTES: usize = 1200;
/// Most presets of a site, and of each of its services.
pub const PRESETS: usize = 64;
/// Largest envelope (statement and signatures), bytes.
pub const ENVELOPE_BYTES: usize = 128 * 1024;
/// Largest bundle of orders, bytes.
pub const BUNDLE_BYTES: usize = 4 << 20;
/// Largest chain of generations, bytes.
pub const CHAIN_BYTES: usize = 1 << 20;
/// Most successions in one chain: an edge that slept through more needs its trust files changed by hand.
pub const CHAIN_SUCCESSIONS: usize = 64;
/// Most signatures in one envelope.
pub const SIGNATURES: usize = 16;
/// Largest trust file, bytes.
pub const TRUST_FILE_BYTES: usize = 1 << 20;
/// Largest compiled guest before compilation, bytes.
pub const COMPONENT_BYTES: usize = 16 << 20;
/// Most segments in one stack.
pub const STACK_SEGMENTS: usize = 64;
/// A sequence, an epoch or a generation's number further than this above the floor is refused.
pub const FAST_FORWARD: u64 = 1 << 32;
/// How far ahead of edge time a statement may be dated, milliseconds (7 days).
pub const AHEAD_MS: u64 = 7 * 24 * 3600 * 1000;
/// How long a forced mode lasts at most from its signing, milliseconds (7 days).
pub const FORCED_MS: u64 = 7 * 24 * 3600 * 1000;
/// Levels in a segment, leaves included: more than any reachable size needs.
pub const LEVELS: u8 = 12;
/// Largest single signature, bytes: the longest we accept, a hardware key's, has about 350.
pub const SIGNATURE_BYTES: usize = 1024;
/// How far ahead of edge time a statement may be dated without an alarm, milliseconds.
pub const SKEW_MS: u64 = 10 * 1000;
/// Most scopes in one bundle of orders.
pub const BUNDLE_ORDERS: usize = 256;
/// Most sets of keys whose highest release a floor remembers.
pub const FLOOR_MARKS: usize = 16;
