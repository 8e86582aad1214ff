//! `status.json`, as `docs/status.schema.json` describes it.

use kit::{Context, Moment, Notice, Service, Words};
use serde_json::{Map, Value, json};

/// The version of its form.
const VERSION: u8 = 1;

pub(super) fn document(context: &Context) -> String {
    let now = context.now.as_deref();
    let age = now.and_then(Moment::parse).zip(context.as_of);
    let services: Vec<Value> = context.services.iter().map(service).collect();
    let notices: Vec<Value> = context.notices.iter().map(notice).collect();
    let document = json!({
        "version": VERSION,
        "site": context.site,
        "title": texts(&context.title),
        "languages": context.languages,
        "mode": super::worst(context),
        "at": now,
        "as_of": some(&context.as_of_text),
        "age_s": age.map(|(now, as_of)| now.seconds_since(as_of)),
        "freshness": context.freshness.as_str(),
        "release": context.release,
        "services": services,
        "notices": notices,
    });
    format!("{document:#}\n")
}

fn service(service: &Service) -> Value {
    json!({
        "name": service.name,
        "title": texts(&service.titles),
        "meanwhile": texts(&service.meanwhiles),
        "mode": service.mode,
        "since": service.since,
        "back_since": service.back,
    })
}

fn notice(notice: &Notice) -> Value {
    json!({
        "service": notice.scope.strip_prefix("service:"),
        "at": notice.at,
        "text": texts(&notice.texts),
    })
}

/// By language; of two in one language the first, as pages show it.
fn texts(words: &Words) -> Value {
    let mut by_language = Map::new();
    for (language, words) in words {
        let entry = by_language.entry(language.clone());
        entry.or_insert_with(|| Value::from(words.as_str()));
    }
    Value::Object(by_language)
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
