//! What the numbers were taken on.

use std::thread;

/// One line about this machine.
pub(crate) fn line() -> String {
    let read = |path: &str| fs_err::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or_else(|| "unknown".to_owned(), |(_, v)| v.trim().to_owned())
    };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let processor = field(&read("/proc/cpuinfo"), "model name");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    format!(
        "{cores} cores ({processor}), {memory}, Linux {}, load {}",
        kernel.trim(),
        load.split(' ').next().unwrap_or_default()
    )
}
