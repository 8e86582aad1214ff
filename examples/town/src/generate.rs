//! The town's data, made from a seed: a database the origin runs on, and the files it exports.
//!
//! `town.db` holds every table; `meetings.csv` and `guides.ndjson` are exports of two of them, so
//! that the site publishes from each kind of source; `photos/` holds the pictures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::model::{
    BankAccount, Duty, Guide, Made, Meeting, Member, Payment, Place, SignIn, Table, Talk, Taxi,
    Wishes,
};
use crate::rng::Rng;
use crate::wedding::wedding;
use crate::{db, photo};

/// How much town to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Wedding invitations, each with its sealed accounts and its wishes.
    pub invitations: usize,
    /// Club meetings.
    pub meetings: usize,
    /// Photographs that the invitations share.
    pub photos: usize,
    /// Rows of each of the six large tables: rooms, bank accounts, bills, places, members, ways to
    /// sign in.
    pub rows: usize,
    /// Neighbourhoods with taxis, and duty sheets.
    pub sheets: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            invitations: 500,
            meetings: 200,
            photos: 24,
            rows: 2_000,
            sheets: 400,
        }
    }
}

/// The seed of the example.
pub const SEED: u64 = 20_221_015;

/// Makes the town in `dir` unless the same one is there already; says whether it was made.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn generate(dir: &Path, seed: u64, size: Size) -> Result<bool> {
    let database = dir.join("town.db");
    let edition = edition(seed, size);
    if database.exists() {
        if db::edition(&db::open(&database)?)? == edition {
            return Ok(false);
        }
        fs_err::remove_file(&database)?;
    }
    let photos = dir.join("photos");
    fs_err::create_dir_all(&photos)?;
    let names: Vec<String> = (1..=size.photos)
        .map(|n| format!("day-{n:02}.jpg"))
        .collect();
    for name in &names {
        fs_err::write(
            photos.join(name),
            photo::paint(seed, name).context("painting a photograph")?,
        )?;
    }
    // Under another name until it is whole: a half-made town is not taken for one.
    let making = dir.join("town.db.making");
    remove_if_there(&making)?;
    let mut connection = db::create(&making)?;
    fill(&mut connection, seed, size, &names)?;
    db::set_edition(&connection, edition)?;
    drop(connection);
    fs_err::rename(&making, &database)?;
    export(dir)?;
    Ok(true)
}

/// Tells one town from another, and one layout of its tables from another.
fn edition(seed: u64, size: Size) -> i32 {
    let digest = blake3::hash(format!("{seed} {size:?} {}", db::layout()).as_bytes());
    let [a, b, c, d, ..] = *digest.as_bytes();
    i32::from_le_bytes([a, b, c, d])
}

fn fill(
    connection: &mut rusqlite::Connection,
    seed: u64,
    size: Size,
    photos: &[String],
) -> Result<()> {
    let (invitations, accounts): (Vec<_>, Vec<_>) = (0..size.invitations)
        .map(|at| wedding(&mut Rng::new(seed, &format!("wedding {at}")), photos))
        .unzip();
    let wishes: Vec<_> = invitations
        .iter()
        .map(|invitation| {
            let label = format!("wishes {}", invitation.id);
            Wishes::of(invitation, &mut Rng::new(seed, &label))
        })
        .collect();
    let transaction = connection.transaction()?;
    db::insert(&transaction, &invitations)?;
    db::insert(&transaction, &accounts)?;
    db::insert(&transaction, &wishes)?;
    db::insert(&transaction, &Guide::all())?;
    db::insert(&transaction, &made::<Meeting>(seed, size.meetings))?;
    db::insert(&transaction, &made::<Talk>(seed, size.rows))?;
    db::insert(&transaction, &made::<BankAccount>(seed, size.rows))?;
    db::insert(&transaction, &made::<Payment>(seed, size.rows))?;
    db::insert(&transaction, &made::<Place>(seed, size.rows))?;
    db::insert(&transaction, &made::<Member>(seed, size.rows))?;
    db::insert(&transaction, &made::<SignIn>(seed, size.rows))?;
    db::insert(&transaction, &made::<Taxi>(seed, size.sheets))?;
    db::insert(&transaction, &made::<Duty>(seed, size.sheets))?;
    transaction.commit()?;
    Ok(())
}

/// The first `count` rows of a table; each depends on its number alone.
fn made<T: Made>(seed: u64, count: usize) -> Vec<T> {
    (0..count)
        .map(|at| T::make(&mut Rng::new(seed, &format!("{} {at}", T::NAME)), at))
        .collect()
}

/// Writes `meetings.csv` and `guides.ndjson` anew from the database.
///
/// # Errors
/// A database or file that cannot be read or written.
pub fn export(dir: &Path) -> Result<()> {
    let connection = db::open(&dir.join("town.db"))?;
    let mut csv =
        csv::Writer::from_path(dir.join("meetings.csv")).context("writing meetings.csv")?;
    csv.write_record(Meeting::COLUMNS)?;
    for meeting in db::all::<Meeting>(&connection)? {
        csv.write_record(meeting.values())?;
    }
    csv.flush()?;
    let mut ndjson = String::new();
    for guide in db::all::<Guide>(&connection)? {
        let row: serde_json::Map<_, _> = Guide::COLUMNS
            .iter()
            .map(|c| (*c).to_owned())
            .zip(guide.values().into_iter().map(Into::into))
            .collect();
        ndjson.push_str(&serde_json::to_string(&row)?);
        ndjson.push('\n');
    }
    fs_err::write(dir.join("guides.ndjson"), ndjson)?;
    Ok(())
}

fn remove_if_there(path: &PathBuf) -> Result<()> {
    match fs_err::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Accounts, Invitation};

    #[test]
    fn a_town_is_made_once_and_the_same_each_time() {
        let size = Size {
            invitations: 5,
            meetings: 3,
            photos: 1,
            rows: 4,
            sheets: 2,
        };
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(generate(a.path(), SEED, size).unwrap());
        assert!(!generate(a.path(), SEED, size).unwrap());
        generate(b.path(), SEED, size).unwrap();
        let rows = |dir: &Path| {
            let connection = db::open(&dir.join("town.db")).unwrap();
            (
                db::all::<Invitation>(&connection).unwrap(),
                db::all::<Accounts>(&connection).unwrap(),
                db::all::<Duty>(&connection).unwrap(),
                fs_err::read(dir.join("meetings.csv")).unwrap(),
                fs_err::read(dir.join("photos/day-01.jpg")).unwrap(),
            )
        };
        assert_eq!(rows(a.path()), rows(b.path()));
        assert_eq!(rows(a.path()).0.len(), 5);
    }
}
