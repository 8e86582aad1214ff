//! What templates see: the context and the records as the engine's values.

use kit::{Context, Notice, Row, Service, Shell, Words};
use minijinja::Value;
use serde_json::Value as Json;

use crate::status;

/// The records of a page.
#[derive(Clone, Debug)]
pub enum Records {
    /// The one that the path names: `record`.
    One(Row),
    /// Those of the collection: `records`.
    List(Vec<Row>),
}

/// The variables of a page.
pub(crate) fn variables(context: &Context, records: &Records) -> Value {
    let is_status = !context.title.is_empty();
    let shell = Shell::new(context, if is_status { status::SHEET } else { "" });
    let (record, records) = match records {
        Records::One(row) => (from_row(row), Value::UNDEFINED),
        Records::List(rows) => (
            Value::UNDEFINED,
            Value::from(rows.iter().map(from_row).collect::<Vec<_>>()),
        ),
    };
    let list = |items: Vec<Value>| Value::from(items);
    Value::from_pairs([
        ("language", Value::from(context.language.tag())),
        (
            "languages",
            list(context.languages.iter().map(Value::from).collect()),
        ),
        ("site", Value::from(&context.site)),
        ("title", from_option(in_language(context, &context.title))),
        (
            "release",
            context.release.map_or(Value::UNDEFINED, Value::from),
        ),
        ("as_of", Value::from(&context.as_of_text)),
        ("freshness", Value::from(context.freshness.as_str())),
        ("now", from_option(context.now.as_deref())),
        ("modes", Value::from_pairs(&context.modes)),
        (
            "services",
            list(context.services.iter().map(from_service).collect()),
        ),
        (
            "notices",
            list(
                context
                    .notices
                    .iter()
                    .map(|n| from_notice(context, n))
                    .collect(),
            ),
        ),
        ("record", record),
        ("records", records),
        (
            "shell",
            Value::from_pairs([
                ("before_title", safe(&shell.before_title)),
                ("before_content", safe(&shell.before_content)),
                ("end", safe(&shell.end)),
            ]),
        ),
    ])
}

fn safe(html: &kit::Html) -> Value {
    Value::from_safe_string(html.as_str().to_owned())
}

fn from_option(text: Option<&str>) -> Value {
    text.map_or(Value::UNDEFINED, Value::from)
}

fn from_service(service: &Service) -> Value {
    Value::from_pairs([
        ("name", Value::from(&service.name)),
        ("title", Value::from(&service.title)),
        ("meanwhile", Value::from(&service.meanwhile)),
        ("state", Value::from(&service.state)),
        ("mode", Value::from(&service.mode)),
        ("since", from_option(service.since.as_deref())),
        ("back", from_option(service.back.as_deref())),
    ])
}

/// What a status page calls itself: the site's title in the reader's language, or in its first.
fn in_language<'c>(context: &Context, words: &'c Words) -> Option<&'c str> {
    let own = |(tag, _): &&(String, String)| tag == context.language.tag();
    let found = words.iter().find(own).or_else(|| words.first())?;
    Some(found.1.as_str())
}

fn from_notice(context: &Context, notice: &Notice) -> Value {
    let of = |service: &&Service| notice.scope.strip_prefix("service:") == Some(&service.name);
    let about = context.services.iter().find(of);
    let texts = notice.texts.iter().map(|(language, text)| {
        Value::from_pairs([
            ("language", Value::from(language)),
            ("text", Value::from(text)),
        ])
    });
    Value::from_pairs([
        ("scope", Value::from(&notice.scope)),
        (
            "about",
            from_option(about.map(|service| service.title.as_str())),
        ),
        ("texts", Value::from(texts.collect::<Vec<_>>())),
        ("at", Value::from(&notice.at)),
        ("language", Value::from(&notice.language)),
        ("text", Value::from(&notice.text)),
    ])
}

fn from_row(row: &Row) -> Value {
    from_fields(row.fields())
}

fn from_fields(fields: &serde_json::Map<String, Json>) -> Value {
    Value::from_pairs(fields.iter().map(|(name, value)| (name, from_json(value))))
}

/// A row's `null` is an absent field: a page shows nothing for it.
fn from_json(value: &Json) -> Value {
    match value {
        Json::Null => Value::UNDEFINED,
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => Value::from(whole),
            (_, Some(whole), _) => Value::from(whole),
            (.., Some(real)) => Value::from(real),
            _ => Value::UNDEFINED,
        },
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::from(items.iter().map(from_json).collect::<Vec<_>>()),
        Json::Object(fields) => from_fields(fields),
    }
}
