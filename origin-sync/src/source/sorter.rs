//! Puts records in order with bounded memory: they gather in one buffer, and each full buffer is
//! sorted and written to an unnamed file, as a run. [`super::Rows`] merges the runs.
//!
//! A record in a run: lengths of key and content (u32 each), number of its source row (u64), kind
//! (u8), key, content; integers little-endian. No run outlives the process that wrote it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use snapshot::Key;

use super::rows::Content;

/// Bytes of a record before its key.
const HEAD: usize = 17;
/// What a run is written by, bytes.
const WRITE_BYTES: usize = 256 << 10;

/// Takes records in any order.
#[derive(Debug)]
pub(super) struct Sorter {
    dir: PathBuf,
    most: usize,
    records: Vec<u8>,
    index: Vec<Place>,
    file: Option<BufWriter<File>>,
    written: u64,
    parts: Vec<Part>,
    count: u64,
}

/// A record in the buffer, with what settles most comparisons.
#[derive(Clone, Copy, Debug)]
struct Place {
    prefix: u64,
    at: usize,
}

/// Where a run lies in its file.
#[derive(Clone, Copy, Debug)]
struct Part {
    from: u64,
    to: u64,
}

impl Sorter {
    /// One that keeps up to `most` bytes in memory, and the rest in an unnamed file in `dir`.
    pub(super) fn new(dir: &Path, most: usize) -> Self {
        Self {
            dir: dir.to_owned(),
            most,
            records: Vec::new(),
            index: Vec::new(),
            file: None,
            written: 0,
            parts: Vec::new(),
            count: 0,
        }
    }

    /// Takes the record that the source's row `row` makes.
    pub(super) fn push(&mut self, key: &Key, content: &Content, row: u64) -> io::Result<()> {
        let key = key.as_bytes();
        let (kind, length, bytes) = match content {
            Content::Bytes(bytes) => (0, None, bytes.as_slice()),
            Content::File(path, length) => (1, Some(*length), path.as_os_str().as_bytes()),
            Content::Gone => (2, None, &[][..]),
        };
        let length = length.map(u64::to_le_bytes);
        let length = length.as_ref().map_or(&[][..], |length| length.as_slice());
        let content = length.len() + bytes.len();
        let held = self.records.len() + self.index.len() * size_of::<Place>();
        if held + HEAD + key.len() + content > self.most && !self.index.is_empty() {
            self.spill()?;
        }
        self.index.push(Place {
            prefix: prefix(key),
            at: self.records.len(),
        });
        self.records.extend(short(key.len())?);
        self.records.extend(short(content)?);
        self.records.extend(row.to_le_bytes());
        self.records.push(kind);
        for part in [key, length, bytes] {
            self.records.extend_from_slice(part);
        }
        self.count += 1;
        Ok(())
    }

    /// What was taken, in order.
    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        let order = self.sort();
        let file = self.file.map(BufWriter::into_inner).transpose();
        Ok(Sorted {
            count: self.count,
            file: file.map_err(io::IntoInnerError::into_error)?.map(Arc::new),
            parts: self.parts,
            last: (self.records, order),
        })
    }

    /// The places of what is in the buffer, in order.
    fn sort(&mut self) -> Vec<usize> {
        let mut index = std::mem::take(&mut self.index);
        let key = |at| key_at(&self.records, at);
        // Rows come in their order and the sort is stable: of equal keys the first row is first.
        index.sort_by(|a, b| {
            let prefixes = a.prefix.cmp(&b.prefix);
            prefixes.then_with(|| key(a.at).cmp(key(b.at)))
        });
        index.into_iter().map(|place| place.at).collect()
    }

    fn spill(&mut self) -> io::Result<()> {
        let order = self.sort();
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = tempfile::tempfile_in(&self.dir)?;
                none.insert(BufWriter::with_capacity(WRITE_BYTES, file))
            }
        };
        let from = self.written;
        for at in order {
            let record = record_at(&self.records, at);
            file.write_all(record)?;
            self.written += record.len() as u64;
        }
        self.parts.push(Part {
            from,
            to: self.written,
        });
        self.records.clear();
        Ok(())
    }
}

/// What a sorter took.
#[derive(Debug)]
pub(super) struct Sorted {
    pub(super) count: u64,
    file: Option<Arc<File>>,
    parts: Vec<Part>,
    /// What never left memory.
    last: (Vec<u8>, Vec<usize>),
}

impl Sorted {
    /// How many runs it is.
    pub(super) fn len(&self) -> usize {
        self.parts.len() + 1
    }

    /// Each run, those in the file through a buffer of `buffer` bytes.
    pub(super) fn runs(self, buffer: usize) -> impl Iterator<Item = Run> {
        let file = self.file.into_iter().flat_map(move |file| {
            let open = move |part| Section {
                file: Arc::clone(&file),
                part,
            };
            let open = self.parts.clone().into_iter().map(open);
            open.map(move |section| Run::File(BufReader::with_capacity(buffer, section)))
        });
        let (records, order) = self.last;
        file.chain([Run::Memory(records, order.into_iter())])
    }
}

/// Records in order of their keys.
#[derive(Debug)]
pub(super) enum Run {
    Memory(Vec<u8>, std::vec::IntoIter<usize>),
    File(BufReader<Section>),
}

/// One of them.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) key: Key,
    pub(super) content: Content,
    pub(super) row: u64,
}

impl Run {
    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        match self {
            Self::Memory(records, order) => {
                let Some(at) = order.next() else {
                    return Ok(None);
                };
                read(&mut record_at(records, at)).map(Some)
            }
            Self::File(file) if file.buffer().is_empty() && file.get_ref().is_at_end() => Ok(None),
            Self::File(file) => read(file).map(Some),
        }
    }
}

/// A part of a file, read from its start to its end.
#[derive(Debug)]
pub(super) struct Section {
    file: Arc<File>,
    part: Part,
}

impl Section {
    const fn is_at_end(&self) -> bool {
        self.part.from >= self.part.to
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.part.to - self.part.from).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let got = self
            .file
            .read_at(buffer.get_mut(..most).unwrap_or_default(), self.part.from)?;
        self.part.from += got as u64;
        Ok(got)
    }
}

fn read(input: &mut impl Read) -> io::Result<Record> {
    let mut head = [0; HEAD];
    input.read_exact(&mut head)?;
    let [a, b, c, d, e, f, g, h, row @ .., kind] = head;
    let mut take = |length: [u8; 4]| {
        let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut bytes).map(|()| bytes)
    };
    let key = Key::new(take([a, b, c, d])?).map_err(io::Error::other)?;
    let content = take([e, f, g, h])?;
    let content = match content.split_first_chunk() {
        Some((length, path)) if kind == 1 => {
            let path = std::ffi::OsString::from_vec(path.to_vec());
            Content::File(path.into(), u64::from_le_bytes(*length))
        }
        _ if kind == 2 => Content::Gone,
        _ => Content::Bytes(content),
    };
    let row = u64::from_le_bytes(row);
    Ok(Record { key, content, row })
}

fn short(length: usize) -> io::Result<[u8; 4]> {
    let short = u32::try_from(length).map_err(io::Error::other)?;
    Ok(short.to_le_bytes())
}

/// Eight bytes that compare as the keys do, as far as they go.
fn prefix(key: &[u8]) -> u64 {
    let mut prefix = [0; 8];
    for (to, from) in prefix.iter_mut().zip(key) {
        *to = *from;
    }
    u64::from_be_bytes(prefix)
}

fn key_at(records: &[u8], at: usize) -> &[u8] {
    let (key, _) = lengths(records, at);
    records.get(at + HEAD..at + HEAD + key).unwrap_or_default()
}

fn record_at(records: &[u8], at: usize) -> &[u8] {
    let (key, content) = lengths(records, at);
    records
        .get(at..at + HEAD + key + content)
        .unwrap_or_default()
}

/// Of the record at `at`: how long its key and its content are.
fn lengths(records: &[u8], at: usize) -> (usize, usize) {
    let length = |at: usize| {
        let bytes = records.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)
    };
    (length(at), length(at + 4))
}
