//! Reading the log back: all books as one, by time. Blocking.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use fs_err as fs;
use snapshot::{SiteName, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Book, Entry, Event, files};

/// Longest line that is read, bytes; a longer one is passed over.
pub const LINE_BYTES: u64 = 512 << 10;
/// Bytes that are given at once, about.
const PIECE_BYTES: usize = 64 << 10;
/// How long a reader may take for a piece.
pub const STALL: Duration = Duration::from_secs(10);
/// How a line starts.
const HEAD: &str = "{\"at\":\"";

/// Enough others read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("enough others read the log: ask again later")]
pub struct Busy;

/// What is asked of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// From this moment on; without it from the beginning.
    pub from: Option<Timestamp>,
    /// Before this moment; without it to the end.
    pub to: Option<Timestamp>,
    /// Of this site, and of the edge.
    pub site: Option<SiteName>,
    /// First what stood at `from`: of each service its state, of each scope its order, the release,
    /// alarms that were raised.
    pub standing: bool,
}

/// A line, and when it was written.
type Line = (String, Vec<u8>);

/// Sends what lies within `range` below `dir` until there is no more or nobody takes it.
pub(super) fn read(
    dir: &Path,
    range: &Range,
    stall: Duration,
    runtime: &Handle,
    to: &mpsc::Sender<Bytes>,
) {
    let mut piece = Vec::new();
    let mut send = |line: Option<&[u8]>| {
        piece.extend_from_slice(line.unwrap_or_default());
        if piece.is_empty() || (line.is_some() && piece.len() < PIECE_BYTES) {
            return true;
        }
        let sent = to.send(Bytes::from(std::mem::take(&mut piece)));
        runtime.block_on(async { matches!(timeout(stall, sent).await, Ok(Ok(()))) })
    };
    let within = Within::new(range);
    let mut books: Vec<Peekable<Lines>> = Book::ALL
        .iter()
        .map(|book| Lines::of(&dir.join(book.as_str())).peekable())
        .collect();
    let mut standing = Standing::default();
    let mut is_told = !range.standing;
    loop {
        let next = books.iter_mut().filter_map(|book| {
            let at = book.peek()?.0.clone();
            Some((at, book))
        });
        let Some((_, book)) = next.min_by(|(one, _), (other, _)| one.cmp(other)) else {
            break;
        };
        let Some((at, line)) = book.next() else {
            break;
        };
        if !within.is_of_site(&at, &line) {
            continue;
        }
        if within.is_before(&at) {
            if !is_told {
                standing.see(&line);
            }
            continue;
        }
        if !std::mem::replace(&mut is_told, true) && !standing.lines().all(|line| send(Some(line)))
        {
            return;
        }
        if within.is_in(&at) && !send(Some(&line)) {
            return;
        }
    }
    if !is_told && !standing.lines().all(|line| send(Some(line))) {
        return;
    }
    send(None);
}

/// A [`Range`] as lines are compared with it.
struct Within {
    from: String,
    to: Option<String>,
    site: Option<String>,
}

impl Within {
    fn new(range: &Range) -> Self {
        let site = range
            .site
            .as_ref()
            .map(|site| format!(",\"site\":\"{site}\","));
        Self {
            from: range.from.map(Timestamp::rfc3339_ms).unwrap_or_default(),
            to: range.to.map(Timestamp::rfc3339_ms),
            site,
        }
    }

    fn is_before(&self, at: &str) -> bool {
        at < self.from.as_str()
    }

    fn is_in(&self, at: &str) -> bool {
        !self.is_before(at) && self.to.as_ref().is_none_or(|to| at < to.as_str())
    }

    fn is_of_site(&self, at: &str, line: &[u8]) -> bool {
        let Some(site) = &self.site else {
            return true;
        };
        let rest = line.get(HEAD.len() + at.len() + 1..).unwrap_or_default();
        rest.starts_with(site.as_bytes()) || !rest.starts_with(b",\"site\":")
    }
}

/// What of the past still holds, each by what it is about.
#[derive(Default)]
struct Standing(BTreeMap<(String, String), Vec<u8>>);

impl Standing {
    fn see(&mut self, line: &[u8]) {
        let Ok(entry) = serde_json::from_slice::<Entry>(line) else {
            return;
        };
        let site = entry.site.unwrap_or_default();
        let about = match entry.event {
            Event::EdgeStarted { .. } | Event::EdgeStopped { .. } => {
                // One that starts knows no alarm, even if a crash left none of them cleared.
                self.0.retain(|(_, about), _| !about.starts_with("alarm "));
                "edge".to_owned()
            }
            Event::State { service, .. } => format!("state {service}"),
            Event::OrderAccepted(said) => format!("order {}", said.scope),
            Event::Release { .. } => "release".to_owned(),
            Event::AlarmRaised { alarm, .. } => format!("alarm {alarm}"),
            Event::AlarmCleared { alarm, .. } => {
                self.0.remove(&(site, format!("alarm {alarm}")));
                return;
            }
            _ => return,
        };
        self.0.insert((site, about), line.to_vec());
    }

    /// By time: they start with it.
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let mut lines: Vec<&[u8]> = self.0.values().map(Vec::as_slice).collect();
        lines.sort_unstable();
        lines.into_iter()
    }
}

/// The lines of a book's files, the oldest first.
struct Lines {
    files: std::vec::IntoIter<(u64, PathBuf)>,
    file: Option<BufReader<fs::File>>,
}

impl Lines {
    fn of(dir: &Path) -> Self {
        let files = files::list(dir).unwrap_or_else(|error| {
            tracing::warn!("the log is not read: {error}");
            Vec::new()
        });
        Self {
            files: files.into_iter(),
            file: None,
        }
    }

    /// The next line of the file that is open, whatever it is; none at its end.
    fn raw(&mut self) -> Option<Vec<u8>> {
        let file = self.file.as_mut()?;
        let mut line = Vec::new();
        let read = file.take(LINE_BYTES).read_until(b'\n', &mut line);
        let read = read.unwrap_or_else(|error| {
            tracing::warn!("a file of the log is not read to its end: {error}");
            0
        });
        (read > 0).then_some(line)
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        loop {
            let Some(line) = self.raw() else {
                let (_, path) = self.files.next()?;
                // One that was turned over meanwhile is gone.
                self.file = fs::File::open(path).ok().map(BufReader::new);
                continue;
            };
            // What is torn, or too long, does not start or end like a line.
            if line.last() == Some(&b'\n')
                && let Some(at) = moment(&line)
            {
                let at = at.to_owned();
                return Some((at, line));
            }
        }
    }
}

fn moment(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(HEAD.as_bytes())?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(rest.get(..end)?).ok()
}
