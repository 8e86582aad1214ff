//! CSV with a header line (RFC 4180): every field is a text, unless it is declared as JSON.

use std::path::Path;
use std::sync::Arc;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use serde_json::Value;

use super::fault::At;
use super::record::parse_json;
use super::{Fault, Fields, Place, Reading, SourceError, Take};

pub(super) fn read(
    path: &Path,
    json: &[String],
    reading: &mut Reading<'_>,
    take: &mut Take<'_>,
) -> Result<(), SourceError> {
    let file = fs_err::File::open(path).map_err(|error| reading.unreadable(error))?;
    let name = Arc::new(path.to_owned());
    let place = |line| Place {
        file: Arc::clone(&name),
        at: At::Line(line),
    };
    let mut rows = ReaderBuilder::new().from_reader(file);
    let header = rows
        .byte_headers()
        .map_err(|error| reading.unreadable(error))?
        .clone();
    let mut names: Vec<String> = Vec::new();
    for field in &header {
        let field = String::from_utf8_lossy(field).into_owned();
        if names.contains(&field) {
            reading.fault(Fault::new(&place(1), &field, "stands twice in the header"));
        }
        names.push(field);
    }
    let mut record = ByteRecord::new();
    loop {
        match rows.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                reading.check_count()?;
                let place = place(record.position().map_or(0, csv::Position::line));
                if record.as_slice().len() > reading.limits.row_bytes {
                    let limit = reading.limits.row_bytes;
                    reading.fault(Fault::of_row(
                        &place,
                        format!("a row may have at most {limit} bytes"),
                    ));
                    continue;
                }
                match fields(&place, &names, &record, json) {
                    Ok(fields) => take(place, fields, reading),
                    Err(fault) => reading.fault(fault),
                }
            }
            Err(error) => match error.kind() {
                ErrorKind::UnequalLengths {
                    pos,
                    expected_len,
                    len,
                } => {
                    let place = place(pos.as_ref().map_or(0, csv::Position::line));
                    reading.fault(Fault::of_row(
                        &place,
                        format!("has {len} fields where the header has {expected_len}"),
                    ));
                }
                _ => return Err(reading.unreadable(error)),
            },
        }
    }
    Ok(())
}

fn fields(
    place: &Place,
    names: &[String],
    record: &ByteRecord,
    json: &[String],
) -> Result<Fields, Fault> {
    let mut fields = Fields::new();
    for (name, value) in names.iter().zip(record) {
        let text =
            std::str::from_utf8(value).map_err(|_| Fault::new(place, name, "is not UTF-8"))?;
        fields.insert(name.clone(), Value::String(text.to_owned()));
    }
    parse_json(place, &mut fields, json)?;
    Ok(fields)
}
