//! SQLite: the rows of one query, from a connection that can only read.

use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::{Number, Value};

use super::fault::At;
use super::record::parse_json;
use super::workers::Reading;
use super::{Fault, Fields, Place, SourceError};

/// How long a writer of the database is waited for.
const BUSY: Duration = Duration::from_secs(10);

pub(super) fn read(
    query: &str,
    json: &[String],
    reading: &mut Reading<'_>,
) -> Result<(), SourceError> {
    let path = reading.path;
    // SQLite's own words for an absent file ("unable to open") name no cause.
    fs_err::metadata(path).map_err(|error| reading.unreadable(error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database =
        Connection::open_with_flags(path, flags).map_err(|error| reading.unreadable(error))?;
    database
        .busy_timeout(BUSY)
        .map_err(|error| reading.unreadable(error))?;
    let mut statement = database
        .prepare(query)
        .map_err(|error| reading.unreadable(format!("query: {error}")))?;
    if !statement.readonly() {
        return Err(reading.unreadable("query: it writes; a source is only read"));
    }
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    for (at, column) in names.iter().enumerate() {
        if names.iter().take(at).any(|earlier| earlier == column) {
            reading.fault(Fault::new(
                &reading.place(At::Whole),
                column,
                "is the name of two columns of the query",
            ));
        }
    }
    let mut rows = statement
        .query([])
        .map_err(|error| reading.unreadable(format!("query: {error}")))?;
    for number in 1.. {
        let Some(row) = rows
            .next()
            .map_err(|error| reading.unreadable(format!("row {number} of the query: {error}")))?
        else {
            break;
        };
        reading.begin_row()?;
        let at = At::Row(number);
        let place = reading.place(at);
        match fields(&place, &names, row, json, reading.limits.row_bytes) {
            Ok((fields, bytes)) => reading.fields(at, fields, bytes),
            Err(fault) => reading.fault(fault),
        }
    }
    Ok(())
}

fn fields(
    place: &Place,
    names: &[String],
    row: &Row<'_>,
    json: &[String],
    limit: usize,
) -> Result<(Fields, usize), Fault> {
    let mut fields = Fields::new();
    let mut bytes = 0;
    for (at, name) in names.iter().enumerate() {
        let fault = |why: String| Fault::new(place, name, why);
        let value = match row.get_ref(at).map_err(|error| fault(error.to_string()))? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Number(number.into()),
            ValueRef::Real(number) => Number::from_f64(number)
                .map(Value::Number)
                .ok_or_else(|| fault("is not a finite number".to_owned()))?,
            ValueRef::Text(text) => {
                bytes += text.len();
                let text =
                    std::str::from_utf8(text).map_err(|_| fault("is not UTF-8".to_owned()))?;
                Value::String(text.to_owned())
            }
            ValueRef::Blob(_) => {
                return Err(fault(
                    "is a blob: give it a text form in the query, as in hex(..)".to_owned(),
                ));
            }
        };
        fields.insert(name.clone(), value);
    }
    if bytes > limit {
        return Err(Fault::of_row(
            place,
            format!("a row may have at most {limit} bytes"),
        ));
    }
    parse_json(place, &mut fields, json)?;
    Ok((fields, bytes))
}
