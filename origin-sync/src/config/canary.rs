//! `[[canary]]`: URLs that must answer from the snapshot alone before a release may be used.

use snapshot::Language;
use snapshot::manifest::Canary;
use toml_span::Span;

use super::read::is_language;
use super::section::Section;

/// A canary as read.
pub(super) struct Draft {
    pub(super) span: Span,
    pub(super) canary: Option<Canary>,
}

pub(super) fn read(mut section: Section<'_, '_>, languages: &[Language]) -> Draft {
    let span = section.span;
    let path = section.text("path");
    match &path {
        Some(path) if !path.value.starts_with('/') => section
            .problems
            .add(path.span, "a canary's `path` must start with /"),
        Some(_) => {}
        None if section.was_written("path") => {}
        None => section.missing("path", "the path that must answer: path = \"/\""),
    }
    let language = match section.text("language") {
        Some(tag) => {
            if !is_language(&tag.value) || !languages.contains(&tag.value) {
                section.problems.add(
                    tag.span,
                    format!("{:?} is not one of the site's languages", tag.value),
                );
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
                section.problems.add(
                    status.span,
                    format!("{} is not a status: expected 200 to 599", status.value),
                );
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
