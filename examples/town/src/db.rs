//! The origin's database: every table a table of texts, and the guest book.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use crate::model::{
    Accounts, BankAccount, Duty, Guide, Invitation, Meeting, Member, Payment, Place, SignIn, Table,
    Talk, Taxi, Wishes,
};

/// Creates the tables in a new file.
///
/// # Errors
/// SQLite's, with the path.
pub fn create(path: &Path) -> Result<Connection> {
    let connection = open(path)?;
    connection.execute_batch(&layout())?;
    Ok(connection)
}

/// The statements that create every table.
#[must_use]
pub fn layout() -> String {
    [
        table::<Accounts>(),
        table::<BankAccount>(),
        table::<Duty>(),
        table::<Guide>(),
        table::<Invitation>(),
        table::<Meeting>(),
        table::<Member>(),
        table::<Payment>(),
        table::<Place>(),
        table::<SignIn>(),
        table::<Talk>(),
        table::<Taxi>(),
        table::<Wishes>(),
        "create table guest_book (id text not null, who text not null, words text not null);"
            .to_owned(),
    ]
    .concat()
}

/// What [`set_edition`] wrote; 0 before.
///
/// # Errors
/// SQLite's.
pub fn edition(connection: &Connection) -> Result<i32> {
    Ok(connection.query_row("pragma user_version", [], |row| row.get(0))?)
}

/// Marks the database as whole, and as this edition of the town.
///
/// # Errors
/// SQLite's.
pub fn set_edition(connection: &Connection, edition: i32) -> Result<()> {
    Ok(connection.pragma_update(None, "user_version", edition)?)
}

fn table<T: Table>() -> String {
    let columns: Vec<String> = T::COLUMNS
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let key = if at == 0 { " primary key" } else { "" };
            format!("{name} text not null{key}")
        })
        .collect();
    format!("create table {} ({});", T::NAME, columns.join(", "))
}

/// Opens a database.
///
/// # Errors
/// SQLite's, with the path.
pub fn open(path: &Path) -> Result<Connection> {
    let connection =
        Connection::open(path).with_context(|| format!("opening {}", path.display()))?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

/// Puts in `rows`.
///
/// # Errors
/// SQLite's, a key used twice among them.
pub fn insert<T: Table>(connection: &Connection, rows: &[T]) -> Result<()> {
    let places = vec!["?"; T::COLUMNS.len()].join(", ");
    let mut statement =
        connection.prepare(&format!("insert into {} values ({places})", T::NAME))?;
    for row in rows {
        statement.execute(params_from_iter(row.values()))?;
    }
    Ok(())
}

/// All rows of a table in the order of their keys.
///
/// # Errors
/// SQLite's.
pub fn all<T: Table>(connection: &Connection) -> Result<Vec<T>> {
    let mut statement = connection.prepare(&format!("select * from {} order by 1", T::NAME))?;
    let rows = statement.query_map([], T::from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The row of a table whose `column` is `key`.
///
/// # Errors
/// SQLite's.
pub fn one<T: Table>(connection: &Connection, column: &str, key: &str) -> Result<Option<T>> {
    let mut statement =
        connection.prepare_cached(&format!("select * from {} where {column} = ?", T::NAME))?;
    Ok(statement.query_row([key], T::from_row).optional()?)
}

/// A row drawn at random.
///
/// # Errors
/// SQLite's; an empty table.
pub fn any<T: Table>(connection: &Connection) -> Result<T> {
    let drawn = connection.query_row(
        &format!("select * from {} order by random() limit 1", T::NAME),
        [],
        T::from_row,
    );
    drawn.with_context(|| format!("drawing one of {}", T::NAME))
}
