//! NDJSON: one JSON object a line (RFC 8259 objects, UTF-8); empty lines are passed over.

use std::io::{BufRead, BufReader, Read};

use super::fault::At;
use super::workers::Reading;
use super::{Fault, SourceError};

/// What the file is read by, bytes.
const READ_BYTES: usize = 1 << 20;

pub(super) fn read(reading: &mut Reading<'_>) -> Result<(), SourceError> {
    let file = fs_err::File::open(reading.path).map_err(|error| reading.unreadable(error))?;
    let mut lines = BufReader::with_capacity(READ_BYTES, file);
    let limit = reading.limits.row_bytes;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let got = (&mut lines)
            .take(most)
            .read_until(b'\n', &mut line)
            .map_err(|error| reading.unreadable(error))?;
        if got == 0 {
            break;
        }
        let at = At::Line(number);
        if got > limit {
            // Where the line ends is not known, so nothing after it can be read either.
            reading.fault(Fault::of_row(
                &reading.place(at),
                format!("a row may have at most {limit} bytes"),
            ));
            break;
        }
        let mut text = line.as_slice();
        if number == 1 {
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        reading.begin_row()?;
        reading.line(at, text);
    }
    Ok(())
}
