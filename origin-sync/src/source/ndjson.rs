//! NDJSON: one JSON object a line (RFC 8259 objects, UTF-8); empty lines are passed over.

use std::io::{BufRead as _, Read as _};

use serde_json::Value;

use super::fault::At;
use super::workers::Reading;
use super::{Fault, Fields, Place, SourceError};

/// What the file is read by, and lines are handed on by, bytes.
const READ_BYTES: usize = 256 << 10;

pub(super) fn read(reading: &mut Reading<'_>) -> Result<(), SourceError> {
    let mut file = fs_err::File::open(reading.path).map_err(|error| reading.unreadable(error))?;
    let limit = reading.limits.row_bytes;
    let mut text = Vec::new();
    let mut first = 1;
    loop {
        // Room for all of it, and for finding out that there is no more.
        text.reserve(READ_BYTES + 64);
        let got = (&mut file)
            .take(READ_BYTES as u64)
            .read_to_end(&mut text)
            .map_err(|error| reading.unreadable(error))?;
        if got == 0 {
            let last = usize::from(!text.is_empty());
            return reading.lines(first, last, text);
        }
        let ended = text.iter().rposition(|byte| *byte == b'\n');
        let rest = text.split_off(ended.map_or(0, |at| at + 1));
        let count = ends(&text);
        reading.lines(first, count, text)?;
        first += count as u64;
        text = rest;
        if text.len() > limit {
            // Where the line ends is not known, so nothing after it can be read either.
            reading.fault(too_long(&reading.place(At::Line(first)), limit));
            return Ok(());
        }
    }
}

/// How many lines end in `text`. Sums of bytes, so that many are added at once.
fn ends(text: &[u8]) -> usize {
    let sum = |part: &[u8]| part.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    let parts = text.chunks(usize::from(u8::MAX));
    parts.map(|part| usize::from(sum(part))).sum()
}

/// Each line of `text` that is not empty, with its number; the first has the number `first`.
pub(super) fn lines(first: u64, mut text: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    if first == 1 {
        text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    }
    let each = std::iter::from_fn(move || {
        let whole = text;
        // Of a slice nothing fails.
        let length = text.skip_until(b'\n').unwrap_or_default();
        whole.get(..length).filter(|line| !line.is_empty())
    });
    let numbered = (first..).zip(each);
    numbered.filter(|(_, line)| !line.trim_ascii().is_empty())
}

/// What stands on one of them.
pub(super) fn fields(place: &Place, line: &[u8], limit: usize) -> Result<Fields, Fault> {
    if line.len() > limit {
        return Err(too_long(place, limit));
    }
    // The check that a text is UTF-8 takes half as long as parsing it where most of it is not ASCII.
    let read = match simdutf8::basic::from_utf8(line) {
        Ok(line) => serde_json::from_str(line),
        Err(_) => serde_json::from_slice(line),
    };
    match read {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Fault::of_row(place, "is JSON, but not an object")),
        Err(error) => Err(Fault::of_row(
            place,
            format!("is not a JSON object: {error}"),
        )),
    }
}

fn too_long(place: &Place, limit: usize) -> Fault {
    Fault::of_row(place, format!("a row may have at most {limit} bytes"))
}
