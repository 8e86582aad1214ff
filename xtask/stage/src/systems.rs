//! The systems the outage took: for each, a randomly drawn record and what its page must show.

use anyhow::{Context, Result};
use rusqlite::Connection;
use town::db;
use town::model::{
    Accounts, BankAccount, Duty, Guide, Invitation, Meeting, Member, Payment, Place, Record,
    SignIn, Talk, Taxi, Wishes,
};

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
    /// Where links must lead, for a Korean and for an English reader.
    pub links: [Vec<String>; 2],
    /// Photographs that must load.
    pub photos: Vec<String>,
}

/// Draws a record at random for each system.
///
/// # Errors
/// A database that cannot be read or is empty.
pub fn draw(world: &World) -> Result<Vec<System>> {
    let connection = db::open(&world.database())?;
    let invitation = db::any::<Invitation>(&connection)?;
    let accounts = db::one::<Accounts>(&connection, "cap", &invitation.cap)?
        .context("the drawn invitation's accounts")?;
    Ok(vec![
        wedding(&invitation, &accounts),
        record::<Meeting>(&connection, "the hiking club without a sign-in")?,
        record::<Guide>(&connection, "the notice page: what to do now")?,
        record::<Talk>(&connection, "the messenger that cannot send")?,
        record::<BankAccount>(&connection, "the bank account, read-only")?,
        record::<Payment>(&connection, "the bill that the app cannot pay")?,
        record::<Taxi>(&connection, "a taxi, by telephone")?,
        record::<Place>(&connection, "the way there, in words")?,
        record::<Member>(&connection, "the exchange without its sign-in")?,
        record::<SignIn>(&connection, "the ways to sign in")?,
        record::<Duty>(&connection, "the colleague on weekend duty")?,
        record::<Wishes>(&connection, "the guest who cannot come")?,
    ])
}

/// Any record of a table: its page must tell every fact of it.
fn record<T: Record>(connection: &Connection, name: &'static str) -> Result<System> {
    let row = db::any::<T>(connection)?;
    let told = |language| {
        let facts = row.facts(language).into_iter().map(|(_, value)| value);
        facts.chain(row.says(language)).collect()
    };
    Ok(System {
        name,
        pages: vec![Page {
            url: row.path(),
            korean: told("ko"),
            english: told("en"),
            links: ["ko", "en"].map(|language| row.links(language)),
            photos: Vec::new(),
        }],
    })
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
                links: [vec!["gift".to_owned()], vec!["gift".to_owned()]],
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
                links: [Vec::new(), Vec::new()],
                photos: Vec::new(),
            },
        ],
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
                let [korean, english] = &page.links;
                for (language, values, links) in
                    [("ko", &page.korean, korean), ("en", &page.english, english)]
                {
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
                            let lead = visible::links(&html);
                            let absent = links.iter().filter(|link| !lead.contains(link));
                            missing.extend(absent.map(|l| format!("{place}: no link {l:?}")));
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
