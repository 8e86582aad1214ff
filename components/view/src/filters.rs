//! The filters of templates beyond the engine's own, each in the reader's language.

use kit::{Clock, Day, Language, Moment};
use minijinja::{Environment, Error, State, Value};

/// How a row's text is said in a language.
type Say = fn(&str, &Language) -> String;

/// Adds them all.
pub(crate) fn add(environment: &mut Environment<'_>, language: &Language) {
    let own = language.clone();
    environment.add_filter("tr", move |record: &Value, name: &str| {
        tr(record, name, &own)
    });
    environment.add_filter("tel", |value: &Value| text(value, kit::tel));
    environment.add_filter("sms", |value: &Value, words: Option<&Value>| {
        let words = words.map(said).unwrap_or_default();
        text(value, |number| kit::sms(number, &words))
    });
    let say: [(&'static str, Say); 4] = [
        ("date", Day::say),
        ("clock", Clock::say),
        ("won", kit::won),
        ("stamp", stamp),
    ];
    for (name, say) in say {
        let own = language.clone();
        environment.add_filter(name, move |value: &Value| {
            text(value, |said| say(said, &own))
        });
    }
    environment.set_formatter(|out, state: &mut State, value| {
        let shown = if value.is_none() {
            &Value::UNDEFINED
        } else {
            value
        };
        minijinja::escape_formatter(out, state, shown)
    });
}

/// What `name` is in the reader's language: `name_LANG`, else any `name_*`, else `name`.
fn tr(record: &Value, name: &str, language: &Language) -> Result<Value, Error> {
    if record.is_undefined() || record.is_none() {
        return Ok(Value::from(""));
    }
    let names: Vec<String> = record.try_iter()?.map(|field| said(&field)).collect();
    let fields = names.iter().map(String::as_str);
    match kit::translated(fields, name, language) {
        Some(field) => record.get_attr(field),
        None => Ok(Value::from("")),
    }
}

fn stamp(text: &str, language: &Language) -> String {
    Moment::parse(text).map_or_else(|| text.to_owned(), |moment| moment.long(language))
}

/// A filter over text: an absent value stays nothing at all.
fn text(value: &Value, say: impl Fn(&str) -> String) -> String {
    let said = said(value);
    if said.is_empty() {
        String::new()
    } else {
        say(&said)
    }
}

fn said(value: &Value) -> String {
    if value.is_undefined() || value.is_none() {
        String::new()
    } else {
        value.to_string()
    }
}
