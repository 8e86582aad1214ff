//! JSON held against a schema (JSON Schema 2020-12), as far as this project's schemas go: a keyword that
//! is not known here fails, so that none is passed over.

use serde_json::Value;

/// What of `value` is not as `schema` says, each with its place.
pub(crate) fn unlike(schema: &Value, value: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    check(schema, schema, value, "", &mut wrong);
    wrong
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    for (keyword, says) in schema.as_object().expect("a schema") {
        let holds = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let pointer = says.as_str().unwrap().strip_prefix('#').unwrap();
                let to = root
                    .pointer(pointer)
                    .expect("a reference within the schema");
                check(root, to, value, at, wrong);
                true
            }
            "type" => match says {
                Value::Array(any) => any.iter().any(|kind| is(kind, value)),
                kind => is(kind, value),
            },
            "const" => value == says,
            "enum" => says.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|n| n >= says.as_f64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 <= says.as_u64().unwrap()),
            "format" => {
                assert_eq!(says, "date-time", "no other is known here");
                value.as_str().is_none_or(is_moment)
            }
            "required" => {
                let names = says.as_array().unwrap().iter();
                let mut names = names.map(|name| name.as_str().unwrap());
                value
                    .as_object()
                    .is_none_or(|it| names.all(|name| it.contains_key(name)))
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, says, item, &format!("{at}/{n}"), wrong);
                }
                true
            }
            "properties" | "additionalProperties" => {
                if keyword == "additionalProperties" || schema.get("additionalProperties").is_none()
                {
                    members(root, schema, value, at, wrong);
                }
                true
            }
            other => panic!("keyword {other} is not known here"),
        };
        if !holds {
            wrong.push(format!("{at}: {keyword} {says} does not hold of {value}"));
        }
    }
}

fn members(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let none = serde_json::Map::new();
    let named = schema["properties"].as_object().unwrap_or(&none);
    for (name, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        match (named.get(name), &schema["additionalProperties"]) {
            (Some(own), _) => check(root, own, member, &at, wrong),
            (None, Value::Bool(false)) => wrong.push(format!("{at}: not in the schema")),
            (None, Value::Object(_)) => {
                check(root, &schema["additionalProperties"], member, &at, wrong);
            }
            (None, _) => {}
        }
    }
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("type {other} is not known here"),
    }
}

/// RFC 3339 in UTC.
fn is_moment(text: &str) -> bool {
    let digits = |part: &str, n| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    let Some((day, clock)) = text.strip_suffix('Z').and_then(|text| text.split_once('T')) else {
        return false;
    };
    let clock = clock.split('.').next().unwrap_or_default();
    let day: Vec<&str> = day.split('-').collect();
    let clock: Vec<&str> = clock.split(':').collect();
    matches!(day[..], [y, m, d] if digits(y, 4) && digits(m, 2) && digits(d, 2))
        && matches!(clock[..], [h, m, s] if digits(h, 2) && digits(m, 2) && digits(s, 2))
}

#[test]
fn what_is_unlike_its_schema_is_seen() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": { "a": { "$ref": "#/$defs/n" }, "b": { "type": ["string", "null"], "format": "date-time" } },
        "$defs": { "n": { "type": "integer", "minimum": 0 } }
    });
    let of = |text: &str| unlike(&schema, &serde_json::from_str(text).unwrap()).len();
    assert_eq!(of(r#"{"a": 1, "b": null}"#), 0);
    assert_eq!(of(r#"{"a": 1, "b": "2026-11-22T05:05:00Z"}"#), 0);
    for bad in [
        "[]",
        "{}",
        r#"{"a": -1}"#,
        r#"{"a": "1"}"#,
        r#"{"a": 1, "b": "14:05"}"#,
        r#"{"a": 1, "c": 1}"#,
    ] {
        assert!(of(bad) > 0, "{bad}");
    }
}
