//! `[[canary]]`: URLs that must answer from the snapshot alone before a release may be used.

use edge::settings::{Section, Span};
use snapshot::Language;
use snapshot::manifest::Canary;

use super::read::is_language;

/// A canary as read.
pub(super) struct Draft {
    pub(super) span: Option<Span>,
    pub(super) canary: Option<Canary>,
}

pub(super) fn read(mut section: Section<'_, '_>, languages: &[Language]) -> Draft {
    let (span, problems) = (section.span(), section.problems());
    let help = "the path that must answer: path = \"/\"";
    let path = section.required("path", help, Section::text);
    if let Some(path) = &path
        && !path.value.starts_with('/')
    {
        problems.add(path.span, "a canary's `path` must start with /");
    }
    let language = match section.text("language") {
        Some(tag) => {
            if !is_language(&tag.value) || !languages.contains(&tag.value) {
                let message = format!("{:?} is not one of the site's languages", tag.value);
                problems.add(tag.span, message);
            }
            tag.value
        }
        None => languages.first().cloned().unwrap_or_default(),
    };
    let status = match section.integer("status") {
        None => 200,
        Some(status) => match u16::try_from(status.value) {
            Ok(code) if (200..=599).contains(&code) => code,
            _ => {
                problems
                    .add(status.span, format!("{} is not a status", status.value))
                    .label("expected 200 to 599");
                200
            }
        },
    };
    let contains = section
        .text("contains")
        .map_or_else(String::new, |at| at.value);
    section.finish();
    Draft {
        span,
        canary: path.map(|path| Canary {
            path: path.value,
            language,
            status,
            contains,
        }),
    }
}
