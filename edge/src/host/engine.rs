//! The engine: how guests are compiled, where their memory comes from, and the clock that
//! interrupts them.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use super::limits::{CORE_INSTANCES, HostLimits, STACKS, TABLE_ELEMENTS, TABLES, TICK};

/// Linear memory of a slot that is wiped in place and kept, in bytes. Wiping little is cheaper
/// than giving pages back and faulting them in again.
const KEEP_RESIDENT_BYTES: usize = 256 << 10;

pub(super) fn engine(limits: &HostLimits) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .cranelift_opt_level(OptLevel::Speed)
        // The same component and the same release give the same page on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .memory_reservation(limits.memory() as u64)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    Engine::new(&config)
}

fn pool(limits: &HostLimits) -> PoolingAllocationConfig {
    let each = |count: u32| limits.concurrency.saturating_mul(count);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(each(1))
        .total_core_instances(each(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(each(1))
        .max_memories_per_component(1)
        .max_memory_size(limits.memory())
        .total_tables(each(TABLES))
        .max_tables_per_component(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .total_stacks(each(STACKS))
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES);
    pool
}

/// Advances the engine's epoch every [`TICK`] on a thread of its own, so that a guest is
/// interrupted even when every other thread is busy with guests. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Ticker {
    _alive: mpsc::Sender<()>,
}

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (alive, stop) = mpsc::channel();
        let engine = engine.weak();
        thread::Builder::new()
            .name("guest-ticker".to_owned())
            .spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(TICK) {
                    match engine.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => break,
                    }
                }
            })?;
        Ok(Self { _alive: alive })
    }
}
