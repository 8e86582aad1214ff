//! The files of one book: appended to, turned over, the oldest dropped. Blocking.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use snapshot::durable;

use super::Event;

/// A file of a book that has grown to this is closed and a new one begun, bytes.
pub const FILE_BYTES: u64 = 4 << 20;
/// Files of a book; before one more is begun the oldest goes.
pub const FILES: usize = 16;
/// The same of the book of refusals, which is as full as strangers want it to be.
pub const REFUSAL_FILES: usize = 4;

/// The end of every file's name.
const ENDING: &str = "ndjson";

/// The files of a book, open for appending.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    /// How many there may be.
    most: usize,
    number: u64,
    file: fs::File,
    bytes: u64,
}

impl Files {
    /// Opens the newest file below `dir`, of at most so many, or begins the first one. A line that a crash
    /// left unfinished is ended, and told.
    pub(super) fn open(dir: &Path, most: usize) -> std::io::Result<(Self, Option<Event>)> {
        durable::create_dir(dir)?;
        let number = list(dir)?.last().map_or(1, |(number, _)| *number);
        let (mut file, mut bytes) = begin(dir, number)?;
        let unfinished = unfinished(&file, bytes)?;
        let torn = (unfinished > 0).then(|| Event::Torn {
            file: name(number),
            bytes: unfinished,
        });
        if torn.is_some() {
            file.write_all(b"\n")?;
            bytes += 1;
        }
        let dir = dir.to_owned();
        let files = Self {
            dir,
            most,
            number,
            file,
            bytes,
        };
        Ok((files, torn))
    }

    /// Appends whole lines. What does not get in wholly is taken out again.
    pub(super) fn append(&mut self, lines: &[u8], sync: bool) -> std::io::Result<()> {
        if self.bytes > 0 && self.bytes.saturating_add(lines.len() as u64) > FILE_BYTES {
            self.turn_over()?;
        }
        let written = self.file.write_all(lines);
        let written = written.and_then(|()| if sync { self.file.sync_data() } else { Ok(()) });
        match written {
            Ok(()) => self.bytes = self.bytes.saturating_add(lines.len() as u64),
            // A part that stays is a torn line, which every reader passes over.
            Err(_) => drop(self.file.set_len(self.bytes)),
        }
        written
    }

    fn turn_over(&mut self) -> std::io::Result<()> {
        self.file.sync_data()?;
        let files = list(&self.dir)?;
        let beyond = (files.len() + 1).saturating_sub(self.most);
        for (_, oldest) in files.iter().take(beyond) {
            fs::remove_file(oldest)?;
        }
        let number = self.number.saturating_add(1);
        let (file, bytes) = begin(&self.dir, number)?;
        durable::sync_dir(&self.dir)?;
        (self.number, self.file, self.bytes) = (number, file, bytes);
        Ok(())
    }
}

/// The files of a book with their numbers, oldest first; none where there is no folder yet.
pub(super) fn list(dir: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_ours = path.extension().is_some_and(|ending| ending == ENDING);
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if let Some(number) = stem.filter(|_| is_ours).and_then(|stem| stem.parse().ok()) {
            files.push((number, path));
        }
    }
    files.sort();
    Ok(files)
}

fn name(number: u64) -> String {
    format!("{number:08}.{ENDING}")
}

fn begin(dir: &Path, number: u64) -> std::io::Result<(fs::File, u64)> {
    let mut open = fs::OpenOptions::new();
    let open = open.read(true).append(true).create(true).mode(0o600);
    let file = open.open(dir.join(name(number)))?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

/// Bytes behind the last end of a line.
fn unfinished(file: &fs::File, bytes: u64) -> std::io::Result<u64> {
    const STEP: u64 = 64 << 10;
    let (mut file, mut end, mut behind) = (file.file(), bytes, 0);
    while end > 0 {
        let start = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(start))?;
        let mut piece = Vec::new();
        file.take(end - start).read_to_end(&mut piece)?;
        if let Some(last) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(behind + (piece.len() - 1 - last) as u64);
        }
        behind += piece.len() as u64;
        end = start;
    }
    Ok(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(files: &mut Files, times: u64) {
        let line = [vec![b'x'; 64 << 10], b"\n".to_vec()].concat();
        for _ in 0..times * FILE_BYTES / (64 << 10) {
            files.append(&line, false).unwrap();
        }
    }

    #[test]
    fn a_file_is_turned_over_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let (mut files, _) = Files::open(dir.path(), FILES).unwrap();
        fill(&mut files, FILES as u64 + 3);
        let kept = list(dir.path()).unwrap();
        assert_eq!(kept.len(), FILES);
        assert!(kept[0].0 > 1, "{kept:?}");
        for (_, path) in &kept {
            assert!(fs::metadata(path).unwrap().len() <= FILE_BYTES);
        }
        // And goes on where it was.
        let newest = kept[FILES - 1].0;
        let (files, torn) = Files::open(dir.path(), FILES).unwrap();
        assert_eq!((files.number, torn), (newest, None));
    }

    #[test]
    fn a_line_that_a_crash_tore_is_ended_and_named() {
        let dir = tempfile::tempdir().unwrap();
        for (torn, bytes) in [("{\"at\":\"2", 8), (&*"y".repeat(100_000), 100_000)] {
            let (mut files, _) = Files::open(dir.path(), FILES).unwrap();
            files.append(b"{}\n", true).unwrap();
            files.file.write_all(torn.as_bytes()).unwrap();
            let (mut files, told) = Files::open(dir.path(), FILES).unwrap();
            let file = "00000001.ndjson".to_owned();
            assert_eq!(told, Some(Event::Torn { file, bytes }));
            files.append(b"{}\n", true).unwrap();
            let (_, told) = Files::open(dir.path(), FILES).unwrap();
            assert_eq!(told, None);
        }
        let text = fs::read_to_string(dir.path().join("00000001.ndjson")).unwrap();
        assert_eq!(text.lines().count(), 6);
    }
}
