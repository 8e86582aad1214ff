//! Bytes into the publisher's own copy: values too large for a node, files, components.

use std::io::{Read, Write};
use std::path::Path;

use fs_err as fs;
use snapshot::manifest::Component;
use snapshot::{BlobRef, Digest, Entry, Store, StoreError, limits};

use super::BuildError;
use crate::config;
use crate::mirror::Object;
use crate::source::Content;

/// The entry for `content`; a blob is in `store` afterwards.
pub(super) fn entry(store: &Store, content: Content) -> Result<Entry, BuildError> {
    match content {
        Content::Gone => Ok(Entry::Tombstone),
        Content::Bytes(bytes) => Ok(store.entry(bytes)?),
        Content::File(path, bytes) => {
            let blob = hash(&path, bytes)?;
            if !store.contains(&blob.digest) {
                copy(store, &path, &blob)?;
            }
            Ok(Entry::Blob(blob))
        }
    }
}

fn hash(path: &Path, expected: u64) -> Result<BlobRef, BuildError> {
    let mut hasher = blake3::Hasher::new();
    let bytes = pass(path, |chunk| {
        hasher.update(chunk);
        Ok(())
    })?;
    if bytes != expected {
        return Err(BuildError::Changed(path.to_owned()));
    }
    let digest = Digest::from_bytes(*hasher.finalize().as_bytes());
    Ok(BlobRef { digest, bytes })
}

fn copy(store: &Store, path: &Path, blob: &BlobRef) -> Result<(), BuildError> {
    let mut staged = store.stage()?;
    let mut hasher = blake3::Hasher::new();
    pass(path, |chunk| {
        hasher.update(chunk);
        // The own disk, not the source.
        Ok(staged.write_all(chunk).map_err(StoreError::from)?)
    })?;
    if hasher.finalize().as_bytes() != blob.digest.as_bytes() {
        return Err(BuildError::Changed(path.to_owned()));
    }
    Ok(staged.persist(&blob.digest)?)
}

fn pass(
    path: &Path,
    mut each: impl FnMut(&[u8]) -> Result<(), BuildError>,
) -> Result<u64, BuildError> {
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 128 * 1024];
    let mut bytes = 0;
    loop {
        let got = file.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..got).filter(|chunk| !chunk.is_empty()) else {
            return Ok(bytes);
        };
        bytes += got as u64;
        each(chunk)?;
    }
}

/// A guest's file as an object.
pub(super) fn component(
    store: &Store,
    declared: &config::Component,
) -> Result<(Component, Object), BuildError> {
    let file = &declared.file;
    let refuse = |why: String| BuildError::Component {
        file: file.clone(),
        why,
    };
    let length = fs::metadata(file)?.len();
    if length > limits::COMPONENT_BYTES as u64 {
        return Err(refuse(format!(
            "{length} bytes where at most {} are allowed",
            limits::COMPONENT_BYTES
        )));
    }
    let bytes = fs::read(file)?;
    // The preamble of a component, not of a core module (component model, "Binary Format").
    if !bytes.starts_with(b"\0asm\x0d\0\x01\0") {
        return Err(refuse("is not a WebAssembly component".to_owned()));
    }
    let digest = Digest::of(&bytes);
    if !store.contains(&digest) {
        store.put_bytes(&digest, &bytes)?;
    }
    let component = Component {
        name: declared.name.clone(),
        digest,
        bytes: length,
    };
    Ok((component, Object::raw(digest)))
}
