//! NDJSON: one JSON object a line (RFC 8259 objects, UTF-8); empty lines are passed over.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::fault::At;
use super::{Fault, Place, Reading, SourceError, Take};

pub(super) fn read(
    path: &Path,
    reading: &mut Reading<'_>,
    take: &mut Take<'_>,
) -> Result<(), SourceError> {
    let file = fs_err::File::open(path).map_err(|error| reading.unreadable(error))?;
    let mut lines = BufReader::new(file);
    let name = Arc::new(path.to_owned());
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
        let place = Place {
            file: Arc::clone(&name),
            at: At::Line(number),
        };
        if got > limit {
            // Where the line ends is not known, so nothing after it can be read either.
            reading.fault(Fault::of_row(
                &place,
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
        reading.check_count()?;
        match serde_json::from_slice(text) {
            Ok(Value::Object(fields)) => take(place, fields, reading),
            Ok(_) => reading.fault(Fault::of_row(&place, "is JSON, but not an object")),
            Err(error) => reading.fault(Fault::of_row(
                &place,
                format!("is not a JSON object: {error}"),
            )),
        }
    }
    Ok(())
}
