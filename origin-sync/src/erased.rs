//! What was erased, remembered so that no source brings it back unnoticed.
//!
//! `erased.list` lies beside `site.toml` and is worth a backup: the own copy may be lost, and this must
//! not. It names collections, and of each key only a hash keyed with the list's own secret: who has
//! the list and no source learns nothing from it but how many there are and when.
//!
//! ```text
//! holdfast erased v1 <64 hex digits: the secret>
//! <collection> <64 hex digits: the key's hash> <when, RFC 3339> <release, 0 before it was committed>
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use snapshot::{CollectionName, Digest, Key, Sequence, Timestamp, durable};

/// How the first line begins.
const HEAD: &str = "holdfast erased v1 ";
/// Longest list, bytes.
const LIST_BYTES: u64 = 16 << 20;

/// The list.
#[derive(Clone, Debug)]
pub struct Erased {
    path: PathBuf,
    secret: [u8; 32],
    keys: BTreeMap<(CollectionName, Digest), (String, Sequence)>,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ErasedError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no such list, or damaged.
    #[error("{path}, line {line}: {why}")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
}

impl Erased {
    /// The list at `path`; empty where there is none.
    ///
    /// # Errors
    /// See [`ErasedError`].
    pub fn open(path: &Path) -> Result<Self, ErasedError> {
        use std::io::Read as _;
        let mut text = String::new();
        match fs_err::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret = *Digest::of(&random()?).as_bytes();
                return Ok(Self {
                    path: path.to_owned(),
                    secret,
                    keys: BTreeMap::new(),
                });
            }
            Err(error) => return Err(error.into()),
            Ok(file) => file.take(LIST_BYTES + 1).read_to_string(&mut text)?,
        };
        let bad = |line: usize, why| ErasedError::Line {
            path: path.display().to_string(),
            line: line + 1,
            why,
        };
        if text.len() as u64 > LIST_BYTES {
            return Err(bad(0, "the list is longer than any may be"));
        }
        let mut lines = text.lines().enumerate();
        let secret = lines
            .next()
            .and_then(|(_, first)| first.strip_prefix(HEAD)?.parse::<Digest>().ok())
            .ok_or_else(|| bad(0, "is not the head of a list of erased keys"))?;
        let mut keys = BTreeMap::new();
        for (at, line) in lines {
            let mut words = line.split_whitespace();
            let mut read = || {
                let name = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                let when = words.next()?.to_owned();
                Some((name, (when, Sequence(words.next()?.parse().ok()?))))
            };
            let read = read().filter(|_| words.next().is_none());
            let (name, how) =
                read.ok_or_else(|| bad(at, "expected a collection, a hash, a time and a release"))?;
            keys.insert(name, how);
        }
        Ok(Self {
            path: path.to_owned(),
            secret: *secret.as_bytes(),
            keys,
        })
    }

    /// Whether a key of a collection was erased.
    #[must_use]
    pub fn has(&self, collection: &CollectionName, key: &Key) -> bool {
        self.keys.contains_key(&self.name(collection, key))
    }

    /// The release that erased a key, if that was committed.
    #[must_use]
    pub fn by(&self, collection: &CollectionName, key: &Key) -> Option<Sequence> {
        let (_, by) = self.keys.get(&self.name(collection, key))?;
        (by.0 > 0).then_some(*by)
    }

    /// Whether any key of a collection was.
    #[must_use]
    pub fn any(&self, collection: &CollectionName) -> bool {
        self.keys.keys().any(|(known, _)| known == collection)
    }

    /// Remembers a key, and the release that erased it once that is committed, durably.
    ///
    /// # Errors
    /// See [`ErasedError`].
    pub fn add(
        &mut self,
        collection: &CollectionName,
        key: &Key,
        now: Timestamp,
        by: Option<Sequence>,
    ) -> Result<(), ErasedError> {
        let name = self.name(collection, key);
        let known = self.keys.entry(name);
        let known = known.or_insert_with(|| (now.rfc3339(), Sequence(0)));
        known.1 = by.unwrap_or(known.1);
        self.write()
    }

    /// Forgets keys, durably.
    ///
    /// # Errors
    /// See [`ErasedError`].
    pub fn forget(&mut self, keys: &[(CollectionName, Key)]) -> Result<(), ErasedError> {
        for (collection, key) in keys {
            let name = self.name(collection, key);
            self.keys.remove(&name);
        }
        self.write()
    }

    fn name(&self, collection: &CollectionName, key: &Key) -> (CollectionName, Digest) {
        let hash = blake3::keyed_hash(&self.secret, key.as_bytes());
        (collection.clone(), Digest::from_bytes(*hash.as_bytes()))
    }

    fn write(&self) -> Result<(), ErasedError> {
        let mut text = format!("{HEAD}{}\n", Digest::from_bytes(self.secret));
        for ((collection, hash), (when, by)) in &self.keys {
            text.push_str(&format!("{collection} {hash} {when} {by}\n"));
        }
        Ok(durable::write(&self.path, text.as_bytes())?)
    }
}

/// 32 bytes that nobody can guess.
pub(crate) fn random() -> io::Result<[u8; 32]> {
    use std::io::Read as _;
    let mut bytes = [0; 32];
    fs_err::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_remembered_and_does_not_stand_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("erased.list");
        let (clubs, key) = ("clubs".parse().unwrap(), Key::new("sora-kim").unwrap());
        let mut erased = Erased::open(&path).unwrap();
        assert!(!erased.has(&clubs, &key) && !path.exists());
        erased.add(&clubs, &key, Timestamp(0), None).unwrap();
        assert_eq!(Erased::open(&path).unwrap().by(&clubs, &key), None);
        let by = Some(Sequence(7));
        erased.add(&clubs, &key, Timestamp(1), by).unwrap();
        erased.add(&clubs, &key, Timestamp(2), None).unwrap();
        let text = fs_err::read_to_string(&path).unwrap();
        assert!(!text.contains("sora") && text.contains("clubs "), "{text}");
        let mut again = Erased::open(&path).unwrap();
        assert!(again.has(&clubs, &key) && again.any(&clubs));
        assert_eq!(again.by(&clubs, &key), by);
        assert!(!again.has(&"pages".parse().unwrap(), &key));
        assert!(!again.has(&clubs, &Key::new("sora").unwrap()));
        again.forget(&[(clubs.clone(), key.clone())]).unwrap();
        assert!(!Erased::open(&path).unwrap().has(&clubs, &key));
    }

    #[test]
    fn a_damaged_list_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("erased.list");
        let secret = Digest::of(b"x");
        for (text, line) in [
            (String::new(), 1),
            ("something else\n".to_owned(), 1),
            (format!("{HEAD}{secret}\nclubs\n"), 2),
            (
                format!("{HEAD}{secret}\nclubs {secret} now 1\nclubs x now 1\n"),
                3,
            ),
            (format!("{HEAD}{secret}\nclubs {secret} now 1 2\n"), 2),
            (format!("{HEAD}{secret}\nclubs {secret} now\n"), 2),
        ] {
            fs_err::write(&path, text).unwrap();
            let error = Erased::open(&path).unwrap_err().to_string();
            assert!(
                error.contains(&format!("erased.list, line {line}: ")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_list_longer_than_any_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("erased.list");
        let file = fs_err::File::create(&path).unwrap();
        file.file().set_len(LIST_BYTES + 1).unwrap();
        let error = Erased::open(&path).unwrap_err().to_string();
        assert!(error.contains("longer than any"), "{error}");
    }
}
