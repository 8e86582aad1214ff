//! What one component may use. Everything a guest does is bounded here, and each bound is a
//! number that somebody chose.

use std::num::NonZero;
use std::time::Duration;

/// How often a running guest is interrupted to let others run and to count its time.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Core instances of one component: the module itself and the adapters around it.
pub(super) const CORE_INSTANCES: u32 = 16;

/// Tables of one component, adapters included.
pub(super) const TABLES: u32 = 8;

/// Elements of one table (function pointers, in practice).
pub(super) const TABLE_ELEMENTS: usize = 65_536;

/// Native stacks that one guest may use at once; its task and those the host calls back.
pub(super) const STACKS: u32 = 4;

/// Things of the host (requests, fields, open stores) that one guest may hold at once.
pub(super) const HANDLES: usize = 1_024;

/// Entries of a guest's own handle tables: those things, and the ends of its streams and futures.
pub(super) const INDICES: usize = 4 * HANDLES;

/// Look-ups and listings in one request; one more ends the guest as one that takes too long.
pub(super) const READS: usize = 4_096;

/// Keys that the listings of one request may read together; a collection that is longer than what
/// is left is an error to the guest, never a part of it.
pub(super) const LISTED_KEYS: usize = 10_000;

/// Bytes that a guest may hand to the host in one call: chunks of its body, keys, headers.
pub(super) const HANDED_BYTES: usize = 8 << 20;

/// Bytes of names and values that one set of response headers may have.
pub(super) const HEADER_BYTES: usize = 16 << 10;

/// Response headers of one answer.
pub(super) const HEADERS: usize = 64;

/// Bytes of a component before it is compiled.
pub(super) const COMPONENT_BYTES: usize = 32 << 20;

/// Compiled components kept on disk; the oldest go first.
pub(super) const COMPILED_FILES: usize = 64;

/// The limits that an operator may want to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostLimits {
    /// Linear memory of one instance, in bytes. Rounded up to whole pages of 64 KiB. Default 64 MiB.
    pub memory_bytes: usize,
    /// Body of one answer, in bytes. Default 4 MiB.
    pub output_bytes: usize,
    /// Time that a guest may run, in which it waits for nobody and nobody else has its thread.
    /// Default 1 s.
    pub running: Duration,
    /// Time for one answer, from instantiation to the last byte of the body, in which this process
    /// did not stand still: records come from disks that may be busy. Default 5 s.
    pub deadline: Duration,
    /// Instances that may live at once. Default 4 a core, at least 8: a guest computes and waits
    /// for nobody, so that more at once would only make each miss its deadline on a busy machine.
    pub concurrency: u32,
    /// How long a request may wait for its turn before it is refused as busy. Default 5 s, in which
    /// this process did not stand still.
    pub patience: Duration,
}

impl Default for HostLimits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            memory_bytes: 64 << 20,
            output_bytes: 4 << 20,
            running: Duration::from_secs(1),
            deadline: Duration::from_secs(5),
            concurrency: u32::try_from(cores).unwrap_or(1).saturating_mul(4).max(8),
            patience: Duration::from_secs(5),
        }
    }
}

impl HostLimits {
    /// The memory limit in whole pages, as the engine counts them.
    pub(super) fn memory(&self) -> usize {
        const PAGE: usize = 64 << 10;
        self.memory_bytes.div_ceil(PAGE).saturating_mul(PAGE)
    }

    /// The time to run in ticks, at least one.
    pub(super) fn ticks(&self) -> u64 {
        let ticks = self.running.as_millis().div_ceil(TICK.as_millis());
        u64::try_from(ticks).unwrap_or(u64::MAX).max(1)
    }
}
