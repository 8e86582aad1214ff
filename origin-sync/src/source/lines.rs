//! The lines of the last dump, so that the next one costs what is new in it.
//!
//! A full dump says nearly every record as the one before did. The rule: **a line that stood in the
//! dump which the release below was made of makes the record that is held, and is not looked at
//! again; the record of a line that is gone goes, unless another line makes it.** What comes of this
//! is a list of changes, and the segment is the same as if all had been read, because
//!
//! - a line is known by 128 bits of a hash keyed with a secret of the file (`HighwayHash`, arXiv
//!   1612.06257), so nobody can make two lines that are taken for one;
//! - the file counts for one state of one collection, read by one program from one source in one
//!   way, all of which its tag names;
//! - after the changes the collection must have as many records as the dump has lines. A key that
//!   stands twice makes it fewer. Then the dump is read as if nothing were remembered.
//!
//! The file is a cache: absent, damaged, or of another state, it is as if there were none.
//!
//! ```text
//! "holdfast lines 2\n", tag (32 bytes), secret (32), how many (u64)
//! for each, in order of the hashes: hash (16), the key's length (u16), key
//! BLAKE3 of all of this (32)
//! ```
//!
//! Integers are little-endian.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err::File;
use highway::{HighwayHash as _, HighwayHasher};
use snapshot::{Digest, Key};

use super::rows::{Content, Row, Rows};
use super::sorter::Sorter;
use crate::hashed::Hashed;

const HEAD: &[u8] = b"holdfast lines 2\n";
/// What the file is read and written by, bytes: long enough to be hashed on all lanes.
const BUFFER: usize = 256 << 10;
/// Lines are looked for among those whose hash begins with the same two bytes.
const STARTS: usize = 1 << 16;

/// The least that a line takes in the file, bytes.
const ENTRY_LEAST: u64 = 18;

/// What new lines may take of the memory for sorting, on top of it, as a part of so many.
pub(super) const NEW_SHARE: usize = 8;

/// A line's hash.
type Line = [u8; 16];

/// What is remembered of the last dump, and what of it was met again.
#[derive(Debug)]
pub struct Lines {
    tag: Digest,
    hashing: Hashing,
    /// In order.
    known: Vec<Line>,
    /// Of each two bytes: the first line that begins with them or with higher ones.
    starts: Vec<usize>,
    /// For each whether it was met.
    met: Vec<AtomicBool>,
    file: File,
}

/// How lines are hashed.
#[derive(Clone, Copy)]
pub(super) struct Hashing([u8; 32]);

impl Lines {
    /// What the file at `path` remembers, if it counts for the state that `tag` names. Blocks.
    #[must_use]
    pub fn open(path: &Path, tag: &Digest) -> Option<Self> {
        let file = File::open(path).ok()?;
        // Why it cannot be used changes nothing.
        Self::read(file, tag).ok().flatten()
    }

    fn read(mut file: File, tag: &Digest) -> io::Result<Option<Self>> {
        let Some(length) = file.metadata()?.len().checked_sub(32) else {
            return Ok(None);
        };
        let mut input = BufReader::with_capacity(BUFFER, Hashed::new((&mut file).take(length)));
        let (of, hashing, count) = head(&mut input)?;
        if of != *tag {
            return Ok(None);
        }
        // As many as there are, and no more than the file can hold.
        let most = length / ENTRY_LEAST;
        let mut known: Vec<Line> =
            Vec::with_capacity(usize::try_from(count.min(most)).unwrap_or(0));
        for _ in 0..count {
            let (line, key) = entry(&mut input)?;
            skip(&mut input, key)?;
            known.push(line);
        }
        let whole = input.fill_buf()?.is_empty();
        let found = input.into_inner().hash.finalize();
        let mut told = [0; 32];
        file.read_exact(&mut told)?;
        if !whole || found != told || !known.is_sorted() {
            return Ok(None);
        }
        let starts = (0..=STARTS).map(|two| known.partition_point(|line| first_two(line) < two));
        Ok(Some(Self {
            tag: of,
            hashing,
            starts: starts.collect(),
            met: known.iter().map(|_| AtomicBool::new(false)).collect(),
            known,
            file,
        }))
    }

    /// Whether that line is remembered; it is met then.
    pub(super) fn meet(&self, line: &Line) -> bool {
        let two = first_two(line);
        let start = |two: usize| self.starts.get(two).copied().unwrap_or_default();
        let near = self.known.get(start(two)..start(two + 1));
        let Ok(at) = near.unwrap_or_default().binary_search(line) else {
            return false;
        };
        if let Some(met) = self.met.get(start(two) + at) {
            met.store(true, Ordering::Relaxed);
        }
        true
    }

    fn is_met(&self, at: usize) -> bool {
        let met = self.met.get(at);
        met.is_some_and(|met| met.load(Ordering::Relaxed))
    }

    /// The records of lines that were not met: all that may be gone.
    pub(super) fn gone(&self, sorter: &mut Sorter) -> io::Result<()> {
        self.each(false, |_, key| {
            let key = Key::new(key).map_err(io::Error::other)?;
            sorter.push(&key, &Content::Gone, 0)
        })
    }

    /// Each line that was met, or each that was not, with its record's key.
    fn each(
        &self,
        met: bool,
        mut take: impl FnMut(Line, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if (0..self.known.len()).all(|at| self.is_met(at) != met) {
            return Ok(());
        }
        let mut file = &self.file;
        file.rewind()?;
        let mut input = BufReader::with_capacity(BUFFER, file);
        head(&mut input)?;
        let mut key = Vec::new();
        for at in 0..self.known.len() {
            let (line, length) = entry(&mut input)?;
            if self.is_met(at) != met {
                skip(&mut input, length)?;
                continue;
            }
            key.resize(length, 0);
            input.read_exact(&mut key)?;
            take(line, &key)?;
        }
        Ok(())
    }

    pub(super) const fn hashing(&self) -> Hashing {
        self.hashing
    }
}

impl Hashing {
    /// With a secret of its own.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(*Digest::of(&crate::erased::random()?).as_bytes()))
    }

    pub(super) fn of(&self, line: &[u8]) -> Line {
        let mut key = [0; 4];
        for (word, bytes) in key.iter_mut().zip(self.0.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let hasher = HighwayHasher::new(highway::Key(key));
        let [low, high] = hasher.hash128(line);
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }
}

impl std::fmt::Debug for Hashing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashing(***)")
    }
}

/// What a dump leaves to be remembered.
#[derive(Debug)]
pub struct Learned {
    /// Lines of the dump, each of them a record.
    pub(super) lines: u64,
    /// Records whose secret can be guessed, among those that were read.
    pub(super) weak_secrets: usize,
    /// Most that are remembered.
    pub(super) most: u64,
    pub(super) hashing: Hashing,
    /// What was remembered before.
    pub(super) before: Option<Lines>,
    /// The lines that were not: their hashes, and the keys of their records.
    pub(super) new: Rows,
}

impl Learned {
    /// How many records the dump has.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.lines
    }

    /// Records whose secret can be guessed, among those that were read.
    #[must_use]
    pub const fn weak_secrets(&self) -> usize {
        self.weak_secrets
    }

    /// Whether any of it was remembered.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.before.is_some()
    }

    /// Writes all lines of the dump to `path`, for the state that `tag` names; until they are whole they
    /// lie in `scratch`, on the same disk. Blocks.
    ///
    /// # Errors
    /// They cannot be written; what was there is gone then.
    pub fn keep(self, path: &Path, tag: &Digest, scratch: &Path) -> io::Result<()> {
        if self.lines > self.most {
            return forget(path);
        }
        if let Some(before) = &self.before
            && before.tag == *tag
            && self.new.is_empty()
            && self.lines == before.known.len() as u64
        {
            return Ok(());
        }
        forget(path)?;
        let dir = path.parent().unwrap_or(path);
        fs_err::create_dir_all(dir)?;
        let file = tempfile::NamedTempFile::new_in(scratch)?;
        let mut out = BufWriter::with_capacity(BUFFER, Hashed::new(file));
        out.write_all(HEAD)?;
        out.write_all(tag.as_bytes())?;
        out.write_all(&self.hashing.0)?;
        out.write_all(&self.lines.to_le_bytes())?;
        let mut new = self.new.peekable();
        if let Some(before) = self.before {
            before.each(true, |line, key| {
                while let Some(row) = new.next_if(|row| {
                    let below = |row: &Row| row.key.as_bytes() < line.as_slice();
                    row.as_ref().map_or(true, below)
                }) {
                    write_row(&mut out, row.map_err(io::Error::other)?)?;
                }
                write(&mut out, &line, key)
            })?;
        }
        for row in new {
            write_row(&mut out, row.map_err(io::Error::other)?)?;
        }
        let Hashed { mut inner, hash } =
            out.into_inner().map_err(io::IntoInnerError::into_error)?;
        inner.write_all(hash.finalize().as_bytes())?;
        inner.persist(path)?;
        Ok(())
    }
}

/// Removes the file at `path`.
///
/// # Errors
/// It is there and cannot be removed.
pub fn forget(path: &Path) -> io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn first_two(line: &Line) -> usize {
    let [first, second, ..] = *line;
    usize::from(u16::from_be_bytes([first, second]))
}

fn head(input: &mut impl Read) -> io::Result<(Digest, Hashing, u64)> {
    let begins: [u8; HEAD.len()] = array(input)?;
    if begins != HEAD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let tag = Digest::from_bytes(array(input)?);
    let hashing = Hashing(array(input)?);
    Ok((tag, hashing, u64::from_le_bytes(array(input)?)))
}

/// A line's hash, and how long the key is that follows.
fn entry(input: &mut impl Read) -> io::Result<(Line, usize)> {
    let line = array(input)?;
    Ok((line, usize::from(u16::from_le_bytes(array(input)?))))
}

fn skip(input: &mut impl BufRead, mut length: usize) -> io::Result<()> {
    while length > 0 {
        let there = input.fill_buf()?.len().min(length);
        if there == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        input.consume(there);
        length -= there;
    }
    Ok(())
}

fn array<const N: usize>(input: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn write_row(out: &mut impl Write, row: Row) -> io::Result<()> {
    match row.content {
        Content::Bytes(key) => write(out, row.key.as_bytes(), &key),
        Content::File(..) | Content::Gone => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn write(out: &mut impl Write, line: &[u8], key: &[u8]) -> io::Result<()> {
    let length = u16::try_from(key.len()).map_err(io::Error::other)?;
    out.write_all(line)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(key)
}

#[cfg(test)]
mod tests;
