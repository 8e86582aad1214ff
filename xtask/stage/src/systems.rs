//! The systems the outage took: for each, a randomly drawn record and what its page must show.

use anyhow::{Context, Result};
use town::db;
use town::model::{Accounts, Guide, Invitation, Meeting};

use crate::visible;
use crate::world::World;

/// One system of the drill, with the record that was drawn for it.
#[derive(Clone, Debug)]
pub struct System {
    /// What it is to its users.
    pub name: &'static str,
    /// The pages, each with the values it must show in Korean and in English.
    pub pages: Vec<Page>,
}

/// One page and the source's own values that must be on it.
#[derive(Clone, Debug)]
pub struct Page {
    /// Path.
    pub url: String,
    /// Values a Korean reader must see.
    pub korean: Vec<String>,
    /// Values an English reader must see.
    pub english: Vec<String>,
    /// Photographs that must load.
    pub photos: Vec<String>,
}

/// Draws a record at random for each system.
///
/// # Errors
/// A database that cannot be read or is empty.
pub fn draw(world: &World) -> Result<Vec<System>> {
    let connection = db::open(&world.database())?;
    let random = |table: &str| -> Result<String> {
        let (key, query) = match table {
            "guides" => (
                "service",
                "select service from guides order by random() limit 1",
            ),
            "meetings" => ("id", "select id from meetings order by random() limit 1"),
            _ => ("id", "select id from invitations order by random() limit 1"),
        };
        connection
            .query_row(query, [], |row| row.get(key))
            .with_context(|| format!("drawing one of {table}"))
    };
    let invitation = db::one(
        &connection,
        Invitation::TABLE,
        "id",
        &random("invitations")?,
        Invitation::from_row,
    )?
    .context("the drawn invitation")?;
    let accounts = db::one(
        &connection,
        Accounts::TABLE,
        "cap",
        &invitation.cap,
        Accounts::from_row,
    )?
    .context("the drawn invitation's accounts")?;
    let meeting = db::one(
        &connection,
        Meeting::TABLE,
        "id",
        &random("meetings")?,
        Meeting::from_row,
    )?
    .context("the drawn meeting")?;
    let guide = db::one(
        &connection,
        Guide::TABLE,
        "service",
        &random("guides")?,
        Guide::from_row,
    )?
    .context("the drawn guide")?;
    Ok(vec![
        wedding(&invitation, &accounts),
        hiking(&meeting),
        notice(&guide),
    ])
}

fn wedding(row: &Invitation, accounts: &Accounts) -> System {
    let numbers = accounts.numbers().map(str::to_owned);
    let below = format!("/i/{}/{}/", row.id, row.cap);
    System {
        name: "the wedding invitation and its gift",
        pages: vec![
            Page {
                url: below.clone(),
                korean: texts(&[
                    &row.groom_ko,
                    &row.bride_ko,
                    &row.venue_ko,
                    &row.hall_ko,
                    &row.directions_ko,
                    &row.phone,
                ]),
                english: texts(&[
                    &row.groom_en,
                    &row.bride_en,
                    &row.venue_en,
                    &row.hall_en,
                    &row.directions_en,
                    &row.phone,
                ]),
                photos: row
                    .photos
                    .split(',')
                    .map(|name| format!("/photos/{name}"))
                    .collect(),
            },
            Page {
                url: format!("{below}gift"),
                korean: [
                    &numbers[..],
                    &texts(&[&accounts.a1_bank_ko, &accounts.a4_holder_ko]),
                ]
                .concat(),
                english: [
                    &numbers[..],
                    &texts(&[&accounts.a1_bank_en, &accounts.a4_holder_en]),
                ]
                .concat(),
                photos: Vec::new(),
            },
        ],
    }
}

fn hiking(row: &Meeting) -> System {
    System {
        name: "the hiking club without a sign-in",
        pages: vec![Page {
            url: format!("/club/{}/", row.id),
            korean: texts(&[
                &row.title_ko,
                &row.point_ko,
                &row.course_ko,
                &row.organiser_ko,
                &row.organiser_phone,
            ]),
            english: texts(&[
                &row.title_en,
                &row.point_en,
                &row.course_en,
                &row.organiser_en,
                &row.organiser_phone,
            ]),
            photos: Vec::new(),
        }],
    }
}

fn notice(row: &Guide) -> System {
    System {
        name: "the notice page: what to do now",
        pages: vec![Page {
            url: format!("/guide/{}/", row.service),
            korean: texts(&[&row.title_ko, &row.meanwhile_ko, &row.how_ko, &row.phone]),
            english: texts(&[&row.title_en, &row.meanwhile_en, &row.how_en, &row.phone]),
            photos: Vec::new(),
        }],
    }
}

fn texts(values: &[&String]) -> Vec<String> {
    values.iter().map(|value| (*value).clone()).collect()
}

impl System {
    /// The page named in tables.
    #[must_use]
    pub fn url(&self) -> &str {
        self.pages.first().map_or("", |page| page.url.as_str())
    }

    /// Asks every page in both languages at every edge; gives what was missing, empty when the
    /// system is answered.
    ///
    /// # Errors
    /// None of its own: a request that fails is something missing.
    pub async fn missing(&self, world: &World) -> Vec<String> {
        let mut missing = Vec::new();
        for edge in &world.edges {
            for page in &self.pages {
                for (language, values) in [("ko", &page.korean), ("en", &page.english)] {
                    let place = format!("{} in {language} at {}", template(&page.url), edge.name);
                    match world.client.get(edge.public, &page.url, language).await {
                        Ok(answer) if answer.status.is_success() => {
                            let html = answer.text();
                            missing.extend(
                                values
                                    .iter()
                                    .filter(|v| !visible::shows(&html, v))
                                    .map(|v| format!("{place}: no {v:?}")),
                            );
                        }
                        Ok(answer) => missing.push(format!("{place}: {}", answer.status)),
                        Err(error) => missing.push(format!("{place}: {error:#}")),
                    }
                }
                for photo in &page.photos {
                    let whole = world.client.get(edge.public, photo, "ko").await;
                    if !whole.is_ok_and(|answer| {
                        answer.status.is_success() && answer.body.starts_with(&[0xff, 0xd8])
                    }) {
                        missing.push(format!("{photo} at {}", edge.name));
                    }
                }
            }
        }
        missing
    }
}

/// A path without its ids: capabilities stay out of what is printed.
pub fn template(url: &str) -> String {
    url.split('/')
        .map(|part| if part.len() >= 12 { "…" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}
