//! The town's data, made from a seed: a database the origin runs on, and the files it exports.
//!
//! `town.db` holds every table; `meetings.csv` and `guides.ndjson` are exports of two of them, so
//! that the site publishes from each kind of source; `photos/` holds the pictures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::model::{Accounts, Guide, Invitation, Meeting};
use crate::rng::Rng;
use crate::words::{self, Pair};
use crate::{db, photo};

/// How much town to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Wedding invitations, each with its sealed accounts.
    pub invitations: usize,
    /// Club meetings.
    pub meetings: usize,
    /// Photographs that the invitations share.
    pub photos: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            invitations: 500,
            meetings: 200,
            photos: 24,
        }
    }
}

/// The seed of the example.
pub const SEED: u64 = 20_221_015;

/// Makes the town in `dir` unless it is there already; says whether it was made.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn generate(dir: &Path, seed: u64, size: Size) -> Result<bool> {
    let database = dir.join("town.db");
    if database.exists() {
        return Ok(false);
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
    let (invitations, accounts): (Vec<_>, Vec<_>) = (0..size.invitations)
        .map(|n| wedding(&mut Rng::new(seed, &format!("wedding {n}")), &names))
        .unzip();
    let meetings: Vec<_> = (0..size.meetings)
        .map(|n| meeting(&mut Rng::new(seed, &format!("meeting {n}"))))
        .collect();
    // Under another name until it is whole: a half-made town is not taken for one.
    let making = dir.join("town.db.making");
    remove_if_there(&making)?;
    let mut connection = db::create(&making)?;
    db::fill(
        &mut connection,
        &invitations,
        &accounts,
        &meetings,
        &guides(),
    )?;
    drop(connection);
    fs_err::rename(&making, &database)?;
    export(dir)?;
    Ok(true)
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
    for meeting in db::all(&connection, Meeting::TABLE, Meeting::from_row)? {
        csv.write_record(meeting.values())?;
    }
    csv.flush()?;
    let mut ndjson = String::new();
    for guide in db::all(&connection, Guide::TABLE, Guide::from_row)? {
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

fn pair(rng: &mut Rng, choices: &[Pair]) -> (String, String) {
    rng.pick(choices)
        .map(|(ko, en)| ((*ko).to_owned(), (*en).to_owned()))
        .unwrap_or_default()
}

/// A person: Korean puts the family name first without a space.
fn person(rng: &mut Rng, family: &(String, String), given: &[Pair]) -> (String, String) {
    let (ko, en) = pair(rng, given);
    (format!("{}{ko}", family.0), format!("{en} {}", family.1))
}

fn mobile(rng: &mut Rng) -> String {
    format!("010-{}-{}", rng.digits(4), rng.digits(4))
}

fn day(rng: &mut Rng, months: std::ops::RangeInclusive<u64>) -> String {
    let month = months.start() + rng.below(months.end() - months.start() + 1);
    format!("2026-{month:02}-{:02}", 1 + rng.below(28))
}

fn wedding(rng: &mut Rng, photos: &[String]) -> (Invitation, Accounts) {
    let (groom_family, bride_family) = (pair(rng, words::FAMILY), pair(rng, words::FAMILY));
    let groom = person(rng, &groom_family, words::GROOMS);
    let bride = person(rng, &bride_family, words::BRIDES);
    let parents: Vec<_> = [&groom_family, &bride_family]
        .into_iter()
        .map(|family| {
            let mother = pair(rng, words::FAMILY);
            (
                person(rng, family, words::PARENTS),
                person(rng, &mother, words::PARENTS),
            )
        })
        .collect();
    let couple = |at: usize, ko: bool| {
        parents
            .get(at)
            .map_or_else(String::new, |(father, mother)| {
                if ko {
                    format!("{} · {}", father.0, mother.0)
                } else {
                    format!("{} and {}", father.1, mother.1)
                }
            })
    };
    let (venue, hall, address, directions) = rng.pick(words::VENUES).copied().unwrap_or_default();
    let message = pair(rng, words::MESSAGES);
    let chosen: Vec<&str> = (0..3)
        .filter_map(|_| rng.pick(photos).map(String::as_str))
        .collect();
    let (id, cap) = (rng.id(12), rng.id(26));
    let invitation = Invitation {
        id: id.clone(),
        cap: cap.clone(),
        groom_ko: groom.0.clone(),
        groom_en: groom.1.clone(),
        bride_ko: bride.0.clone(),
        bride_en: bride.1.clone(),
        groom_parents_ko: couple(0, true),
        groom_parents_en: couple(0, false),
        bride_parents_ko: couple(1, true),
        bride_parents_en: couple(1, false),
        date: day(rng, 11..=12),
        time: format!(
            "{}:{}",
            11 + rng.below(6),
            rng.pick(&["00", "20", "30", "40"]).copied().unwrap_or("00")
        ),
        venue_ko: venue.0.into(),
        venue_en: venue.1.into(),
        hall_ko: hall.0.into(),
        hall_en: hall.1.into(),
        address_ko: address.0.into(),
        address_en: address.1.into(),
        phone: format!("02-{}-{}", rng.digits(4), rng.digits(4)),
        directions_ko: directions.0.into(),
        directions_en: directions.1.into(),
        message_ko: message.0,
        message_en: message.1,
        photos: chosen.join(","),
        family_phone: mobile(rng),
    };
    let father = |at: usize| {
        parents
            .get(at)
            .map(|(father, _)| father.clone())
            .unwrap_or_default()
    };
    let mut account = || {
        let bank = pair(rng, words::BANKS);
        (
            bank,
            format!("{}-{}-{}", rng.digits(3), rng.digits(3), rng.digits(6)),
        )
    };
    let ((b1, n1), (b2, n2), (b3, n3), (b4, n4)) = (account(), account(), account(), account());
    let (groom_father, bride_father) = (father(0), father(1));
    let accounts = Accounts {
        cap,
        id,
        groom_ko: groom.0.clone(),
        groom_en: groom.1.clone(),
        bride_ko: bride.0.clone(),
        bride_en: bride.1.clone(),
        a1_side: "groom".into(),
        a1_relation_ko: "신랑".into(),
        a1_relation_en: "Groom".into(),
        a1_holder_ko: groom.0,
        a1_holder_en: groom.1,
        a1_bank_ko: b1.0,
        a1_bank_en: b1.1,
        a1_number: n1,
        a2_side: "groom".into(),
        a2_relation_ko: "신랑 아버지".into(),
        a2_relation_en: "Groom's father".into(),
        a2_holder_ko: groom_father.0,
        a2_holder_en: groom_father.1,
        a2_bank_ko: b2.0,
        a2_bank_en: b2.1,
        a2_number: n2,
        a3_side: "bride".into(),
        a3_relation_ko: "신부".into(),
        a3_relation_en: "Bride".into(),
        a3_holder_ko: bride.0,
        a3_holder_en: bride.1,
        a3_bank_ko: b3.0,
        a3_bank_en: b3.1,
        a3_number: n3,
        a4_side: "bride".into(),
        a4_relation_ko: "신부 아버지".into(),
        a4_relation_en: "Bride's father".into(),
        a4_holder_ko: bride_father.0,
        a4_holder_en: bride_father.1,
        a4_bank_ko: b4.0,
        a4_bank_en: b4.1,
        a4_number: n4,
    };
    (invitation, accounts)
}

fn meeting(rng: &mut Rng) -> Meeting {
    let club = pair(rng, words::CLUBS);
    let (mountain, course) = rng.pick(words::COURSES).copied().unwrap_or_default();
    let (point, bring) = (pair(rng, words::POINTS), pair(rng, words::BRING));
    let family = pair(rng, words::FAMILY);
    let organiser = person(rng, &family, words::PARENTS);
    Meeting {
        id: rng.id(12),
        club_ko: club.0,
        club_en: club.1,
        title_ko: format!("{} 정기 산행", mountain.0),
        title_en: format!("{} hike", mountain.1),
        date: day(rng, 11..=12),
        time: format!(
            "0{}:{}",
            6 + rng.below(4),
            rng.pick(&["00", "30"]).copied().unwrap_or("00")
        ),
        point_ko: point.0,
        point_en: point.1,
        course_ko: course.0.into(),
        course_en: course.1.into(),
        bring_ko: bring.0,
        bring_en: bring.1,
        fee_won: format!("{}000", 5 + rng.below(4) * 5),
        organiser_ko: organiser.0,
        organiser_en: organiser.1,
        organiser_phone: mobile(rng),
    }
}

fn guides() -> Vec<Guide> {
    words::GUIDES
        .iter()
        .enumerate()
        .map(|(at, (service, title, meanwhile, how, phone))| Guide {
            service: (*service).into(),
            order_no: (at + 1).to_string(),
            title_ko: title.0.into(),
            title_en: title.1.into(),
            meanwhile_ko: meanwhile.0.into(),
            meanwhile_en: meanwhile.1.into(),
            how_ko: how.0.into(),
            how_en: how.1.into(),
            phone: (*phone).into(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_town_is_made_once_and_the_same_each_time() {
        let size = Size {
            invitations: 5,
            meetings: 3,
            photos: 1,
        };
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(generate(a.path(), SEED, size).unwrap());
        assert!(!generate(a.path(), SEED, size).unwrap());
        generate(b.path(), SEED, size).unwrap();
        let rows = |dir: &Path| {
            let connection = db::open(&dir.join("town.db")).unwrap();
            (
                db::all(&connection, Invitation::TABLE, Invitation::from_row).unwrap(),
                db::all(&connection, Accounts::TABLE, Accounts::from_row).unwrap(),
                fs_err::read(dir.join("meetings.csv")).unwrap(),
                fs_err::read(dir.join("photos/day-01.jpg")).unwrap(),
            )
        };
        assert_eq!(rows(a.path()), rows(b.path()));
        assert_eq!(rows(a.path()).0.len(), 5);
    }
}
