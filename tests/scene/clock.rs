//! A machine's wall clock that jumps: `clock.c` stands between the real program and the kernel.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::Site;
use super::disk::compiled;

/// The wall clock of one machine. Right until it jumps.
#[derive(Clone, Debug)]
pub(crate) struct Clock(PathBuf);

impl Clock {
    /// One of a machine of this site.
    pub(crate) fn of(site: &Site) -> Self {
        Self(site.path("clock"))
    }

    /// From now on it is wrong by so many seconds.
    pub(crate) fn is_wrong_by(&self, seconds: i64) {
        snapshot::durable::write(&self.0, format!("{seconds}\n").as_bytes()).unwrap();
    }

    /// Lets `command` run by it.
    pub(crate) fn under(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("HOLDFAST_CLOCK", &self.0);
    }
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| compiled("clock"))
}
