//! Compiled components on disk, and the only `unsafe` of the project.
//!
//! Compiling takes a large part of a second and an edge must answer at once after a restart, so
//! machine code is kept. Machine code that is loaded is run: whoever can write such a file owns
//! the process. So the directory is 0700, a file is written once under its final name by a
//! rename, and it carries a BLAKE3 keyed with a secret that never leaves the directory, over its
//! own name and its bytes. What does not match is compiled anew and replaced, never run.
//!
//! A crash can lose a file or leave a torn one; both look like a miss, so nothing is synced.

use std::fs::Permissions;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use snapshot::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::error::HostError;
use super::limits::COMPILED_FILES;

const KEY_FILE: &str = "key";
const SUFFIX: &str = "compiled";
const TAG_BYTES: usize = 32;

/// The directory of compiled components.
#[derive(Debug)]
pub(super) struct Compiled {
    directory: PathBuf,
    key: Key,
    /// Names the engine, its version and its configuration.
    engine: u64,
}

#[derive(Clone)]
struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Compiled {
    /// Opens the directory, making it and its key if they are missing. Blocking.
    pub(super) fn open(directory: &Path, engine: &Engine) -> Result<Self, HostError> {
        if let Some(parent) = directory.parent() {
            fs_err::create_dir_all(parent)?;
        }
        let made = std::fs::DirBuilder::new().mode(0o700).create(directory);
        match made {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(HostError::Cache(error)),
        }
        private(directory, 0o077)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            directory: directory.to_owned(),
            key: key(directory)?,
            engine: hasher.finish(),
        })
    }

    /// The compiled component, if this host wrote it and it is unchanged. Blocking.
    pub(super) fn load(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let name = self.name(digest);
        let file = match fs_err::read(self.directory.join(&name)) {
            Ok(file) => file,
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    tracing::warn!(%error, "a compiled component cannot be read; compiling anew");
                }
                return None;
            }
        };
        let (tag, code) = file.split_at_checked(TAG_BYTES)?;
        // blake3's own comparison takes the same time wherever the difference is.
        if self.tag(&name, code) != *tag {
            tracing::warn!(
                name,
                "a compiled component is not as it was written; compiling anew"
            );
            return None;
        }
        match deserialize(engine, code) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(name, %error, "a compiled component does not load; compiling anew");
                None
            }
        }
    }

    /// Keeps a compiled component. A failure costs the next start some time and nothing else. Blocking.
    pub(super) fn keep(&self, digest: &Digest, component: &Component) {
        if let Err(error) = self
            .write(digest, component)
            .and_then(|()| self.forget_oldest())
        {
            tracing::warn!(%error, "a compiled component is not kept");
        }
    }

    fn write(&self, digest: &Digest, component: &Component) -> std::io::Result<()> {
        let name = self.name(digest);
        let code = component.serialize().map_err(std::io::Error::other)?;
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(self.tag(&name, &code).as_bytes())?;
        file.write_all(&code)?;
        file.persist(self.directory.join(&name))?;
        Ok(())
    }

    /// Removes the files written longest ago, beyond [`COMPILED_FILES`].
    fn forget_oldest(&self) -> std::io::Result<()> {
        let mut files = Vec::new();
        for entry in fs_err::read_dir(&self.directory)? {
            let entry = entry?;
            let path = entry.path();
            if path
                .extension()
                .is_some_and(|extension| extension == SUFFIX)
            {
                files.push((entry.metadata()?.modified()?, path));
            }
        }
        files.sort();
        let surplus = files.len().saturating_sub(COMPILED_FILES);
        for (_, path) in files.iter().take(surplus) {
            fs_err::remove_file(path)?;
        }
        Ok(())
    }

    fn name(&self, digest: &Digest) -> String {
        format!("{digest}-{:016x}.{SUFFIX}", self.engine)
    }

    fn tag(&self, name: &str, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key.0);
        hasher.update(name.as_bytes());
        hasher.update(&[0]);
        hasher.update(code);
        hasher.finalize()
    }
}

#[expect(
    unsafe_code,
    reason = "the engine cannot check machine code; our keyed hash did"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` needs bytes that `Component::serialize` made. `code` is a private
    // copy in memory whose keyed hash was just checked; only `Compiled::write` knows the key, and
    // it hashes nothing but what `serialize` returned. Another version or configuration of the
    // engine is noticed by `deserialize` itself.
    unsafe { Component::deserialize(engine, code) }
}

/// The secret of this directory; made when it is missing. One that others can read refuses the start.
/// A disk that keeps none costs the next start its time to compile, and nothing else.
fn key(directory: &Path) -> Result<Key, HostError> {
    let path = directory.join(KEY_FILE);
    match fs_err::read(&path) {
        Ok(bytes) => {
            private(&path, 0o177)?;
            if let Ok(key) = bytes.try_into() {
                return Ok(Key(key));
            }
            tracing::warn!("the key of the compiled components is damaged; all are compiled anew");
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(HostError::Cache(error)),
    }
    let mut key = [0; 32];
    fs_err::File::open("/dev/urandom")?.read_exact(&mut key)?;
    if let Err(error) = keep_key(directory, &key) {
        tracing::warn!(%error, "the key of the compiled components is not kept");
    }
    Ok(Key(key))
}

fn keep_key(directory: &Path, key: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.as_file()
        .set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(key)?;
    file.persist(directory.join(KEY_FILE))?;
    Ok(())
}

fn private(path: &Path, forbidden: u32) -> Result<(), HostError> {
    let mode = fs_err::metadata(path)?.permissions().mode() & 0o777;
    if mode & forbidden != 0 {
        return Err(HostError::CacheOpen {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::host::HostLimits;

    #[test]
    fn beyond_the_limit_the_oldest_files_go_and_the_new_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let engine = super::super::engine::engine(&HostLimits::default()).unwrap();
        let compiled = Compiled::open(&dir.path().join("compiled"), &engine).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        let place = |n: usize| compiled.directory.join(format!("old-{n:03}.{SUFFIX}"));
        for n in 0..COMPILED_FILES + 3 {
            let file = fs_err::File::create(place(n)).unwrap();
            let age = Duration::from_secs(u64::try_from(n).unwrap());
            file.set_modified(long_ago + age).unwrap();
        }
        // The smallest component there is.
        let wasm = b"\0asm\x0d\0\x01\0";
        let digest = Digest::of(wasm);
        compiled.keep(&digest, &Component::from_binary(&engine, wasm).unwrap());
        let files = fs_err::read_dir(&compiled.directory).unwrap();
        let kept = files.filter(|file| {
            let path = file.as_ref().unwrap().path();
            path.extension()
                .is_some_and(|extension| extension == SUFFIX)
        });
        assert_eq!(kept.count(), COMPILED_FILES);
        assert!(!place(3).exists() && place(4).exists());
        assert!(compiled.load(&engine, &digest).is_some());
        assert!(compiled.directory.join(KEY_FILE).exists());
    }
}
