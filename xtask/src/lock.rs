//! One run at a time for what cannot be done twice at once. The lock ends with the process, so
//! nothing is left behind by a killed one.

use std::fs::{self, File};
use std::path::Path;

use crate::error::{Error, Result};
use crate::step::Steps;

/// Holds the lock at `path` until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, and says so when another run has to end first.
    pub(crate) fn take(steps: &Steps, path: &Path) -> Result<Self> {
        let failed = |error| Error::file("lock", path, &error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| Error::file("make", folder, &error))?;
        }
        let file = File::create(path).map_err(failed)?;
        if file.try_lock().is_err() {
            steps.say("lock", "waiting for another run to end");
            file.lock().map_err(failed)?;
        }
        Ok(Lock { _file: file })
    }
}
