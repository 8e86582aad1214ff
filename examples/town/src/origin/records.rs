//! The pages of single records, all alike: what the record says, and what only the living service
//! can do with it.

use anyhow::Result;
use minijinja::Value;

use super::Origin;
use super::respond::{self, Answer};
use crate::model::{BankAccount, Duty, Member, Payment, Place, Record, SignIn, Talk, Taxi, Wishes};

/// The page at `path`, if it is a record's.
pub(super) fn page(origin: &Origin, language: &str, path: &str) -> Result<Option<Answer>> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        ["bank", _, cap, ""] => record::<BankAccount>(origin, language, path, "cap", cap),
        ["login", _, cap, ""] => record::<SignIn>(origin, language, path, "cap", cap),
        ["work", _, cap, ""] => record::<Duty>(origin, language, path, "cap", cap),
        ["exchange", id, ""] => record::<Member>(origin, language, path, "id", id),
        ["map", id, ""] => record::<Place>(origin, language, path, "id", id),
        ["pay", id, ""] => record::<Payment>(origin, language, path, "id", id),
        ["talk", id, ""] => record::<Talk>(origin, language, path, "id", id),
        ["taxi", id, ""] => record::<Taxi>(origin, language, path, "id", id),
        ["i", id, "wishes"] => record::<Wishes>(origin, language, path, "id", id),
        _ => Ok(None),
    }
}

fn record<T: Record>(
    origin: &Origin,
    language: &str,
    path: &str,
    column: &str,
    key: &str,
) -> Result<Option<Answer>> {
    let row = origin.find::<T>(column, key)?;
    // The whole path must be the record's own: a capability opens nothing under another id.
    let Some(row) = row.filter(|row| row.path() == path) else {
        return Ok(None);
    };
    let say = |(ko, en): (&'static str, &'static str)| if language == "ko" { ko } else { en };
    let facts: Vec<Value> = row
        .facts(language)
        .into_iter()
        .map(|(name, value)| {
            Value::from_pairs([("name", Value::from(name)), ("value", value.into())])
        })
        .collect();
    let values = vec![
        ("title", say(T::TITLE).into()),
        ("action", say(T::ACTION).into()),
        ("service", T::SERVICE.into()),
        ("facts", facts.into()),
    ];
    Ok(Some(respond::page(origin.pages.render(
        "record.html",
        language,
        values,
    )?)))
}
