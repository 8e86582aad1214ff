//! CSV with a header line (RFC 4180): every field is a text, unless it is declared as JSON.

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use serde_json::Value;

use super::fault::At;
use super::record::parse_json;
use super::workers::Reading;
use super::{Fault, Fields, Place, SourceError};

pub(super) fn read(json: &[String], reading: &mut Reading<'_>) -> Result<(), SourceError> {
    let file = fs_err::File::open(reading.path).map_err(|error| reading.unreadable(error))?;
    let mut rows = ReaderBuilder::new().from_reader(file);
    let header = rows
        .byte_headers()
        .map_err(|error| reading.unreadable(error))?
        .clone();
    let mut names: Vec<String> = Vec::new();
    for field in &header {
        let field = String::from_utf8_lossy(field).into_owned();
        if names.contains(&field) {
            reading.fault(Fault::new(
                &reading.place(At::Line(1)),
                &field,
                "stands twice in the header",
            ));
        }
        names.push(field);
    }
    let mut record = ByteRecord::new();
    loop {
        match rows.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                reading.begin_row()?;
                let at = At::Line(record.position().map_or(0, csv::Position::line));
                let place = reading.place(at);
                let bytes = record.as_slice().len();
                if bytes > reading.limits.row_bytes {
                    let limit = reading.limits.row_bytes;
                    reading.fault(Fault::of_row(
                        &place,
                        format!("a row may have at most {limit} bytes"),
                    ));
                    continue;
                }
                match fields(&place, &names, &record, json) {
                    Ok(fields) => reading.fields(at, fields, bytes),
                    Err(fault) => reading.fault(fault),
                }
            }
            Err(error) => match error.kind() {
                ErrorKind::UnequalLengths {
                    pos,
                    expected_len,
                    len,
                } => {
                    let line = pos.as_ref().map_or(0, csv::Position::line);
                    let place = reading.place(At::Line(line));
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
