//! The origin's database: every table a table of texts, and the guest book.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use crate::model::{Accounts, Guide, Invitation, Meeting};

/// Creates the tables in a new file.
///
/// # Errors
/// SQLite's, with the path.
pub fn create(path: &Path) -> Result<Connection> {
    let connection = open(path)?;
    for (table, columns) in [
        (Invitation::TABLE, Invitation::COLUMNS),
        (Accounts::TABLE, Accounts::COLUMNS),
        (Meeting::TABLE, Meeting::COLUMNS),
        (Guide::TABLE, Guide::COLUMNS),
    ] {
        let columns: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(at, name)| {
                format!(
                    "{name} text not null{}",
                    if at == 0 { " primary key" } else { "" }
                )
            })
            .collect();
        connection.execute(
            &format!("create table {table} ({})", columns.join(", ")),
            [],
        )?;
    }
    connection.execute(
        "create table guest_book (id text not null, who text not null, words text not null)",
        [],
    )?;
    Ok(connection)
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

/// Puts in all rows at once.
///
/// # Errors
/// SQLite's, a key used twice among them.
pub fn fill(
    connection: &mut Connection,
    invitations: &[Invitation],
    accounts: &[Accounts],
    meetings: &[Meeting],
    guides: &[Guide],
) -> Result<()> {
    let transaction = connection.transaction()?;
    insert(
        &transaction,
        Invitation::TABLE,
        invitations.iter().map(Invitation::values),
    )?;
    insert(
        &transaction,
        Accounts::TABLE,
        accounts.iter().map(Accounts::values),
    )?;
    insert(
        &transaction,
        Meeting::TABLE,
        meetings.iter().map(Meeting::values),
    )?;
    insert(&transaction, Guide::TABLE, guides.iter().map(Guide::values))?;
    transaction.commit()?;
    Ok(())
}

fn insert<'a>(
    connection: &Connection,
    table: &str,
    rows: impl Iterator<Item = Vec<&'a str>>,
) -> Result<()> {
    for row in rows {
        let places = vec!["?"; row.len()].join(", ");
        connection
            .prepare_cached(&format!("insert into {table} values ({places})"))?
            .execute(params_from_iter(row))?;
    }
    Ok(())
}

/// All rows of a table in the order of their keys.
///
/// # Errors
/// SQLite's.
pub fn all<T>(
    connection: &Connection,
    table: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare(&format!("select * from {table} order by 1"))?;
    let rows = statement.query_map([], |row| read(row))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The row of a table whose key is `key`.
///
/// # Errors
/// SQLite's.
pub fn one<T>(
    connection: &Connection,
    table: &str,
    column: &str,
    key: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>> {
    let mut statement =
        connection.prepare_cached(&format!("select * from {table} where {column} = ?"))?;
    Ok(statement.query_row([key], |row| read(row)).optional()?)
}
