//! The banner: what is down, how old the page is, what still works, what ops say.
//!
//! Plain mark-up that reads well without its sheet and needs no script. Everything that a person
//! wrote is escaped on its way in.

use std::fmt::Write as _;

use crate::page::catalogue::Tongue;
use crate::page::escape::Text;
use crate::page::notice::NOTICES;
use crate::page::reserved::sheet_path;
use crate::page::state::{Freshness, NoticeLine, PageState, Source};

/// Notices that stand open in a banner; earlier ones fold away.
pub(super) const OPEN_NOTICES: usize = 2;

/// The banner with the link to its sheet; nothing when there is nothing to say.
pub(in crate::page) fn banner(state: &PageState) -> String {
    let mut out = String::new();
    if !state.has_banner() {
        return out;
    }
    let tongue = Tongue::of(&state.language);
    let down = state.degraded().next().is_some();
    let back = state.back().next().is_some();
    let title = match (down, back, state.notices.is_empty()) {
        (true, ..) => tongue.some_are_down(),
        (false, true, _) => tongue.back_again(),
        (false, false, false) => tongue.notice(),
        (false, false, true) => tongue.saved_copy(),
    };
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<link rel=\"stylesheet\" href=\"{}\">\
         <div class=\"holdfast-banner\" role=\"status\" lang=\"{}\" dir=\"ltr\">\
         <div class=\"hf-in\"><p class=\"hf-title\">{title}</p>",
        sheet_path(),
        tongue.tag()
    );
    services(&mut out, state, tongue);
    back_again(&mut out, state, tongue);
    notices(&mut out, state, tongue);
    age(&mut out, state, tongue);
    out.push_str("</div></div>");
    out
}

/// The services that are down, each with since when and what to use meanwhile.
pub(in crate::page) fn services(out: &mut String, state: &PageState, tongue: Tongue) {
    if state.degraded().next().is_none() {
        return;
    }
    let lang = Text(&state.language);
    out.push_str("<ul class=\"hf-down\">");
    for service in state.degraded() {
        let _ = write!(out, "<li><b lang=\"{lang}\">{}</b>", Text(&service.title));
        if let Some(since) = service.since {
            let words = tongue.since(state.offset.civil(since), &state.offset);
            let _ = write!(
                out,
                " <span class=\"hf-since\"><time datetime=\"{}\">{}</time></span>",
                since.floor_minute().rfc3339(),
                Text(&words)
            );
        }
        if !service.meanwhile.is_empty() {
            let _ = write!(out, "<p lang=\"{lang}\">{}</p>", Text(&service.meanwhile));
        }
        out.push_str("</li>");
    }
    out.push_str("</ul>");
}

/// The services that are back, each with since when.
fn back_again(out: &mut String, state: &PageState, tongue: Tongue) {
    if state.back().next().is_none() {
        return;
    }
    let lang = Text(&state.language);
    out.push_str("<ul class=\"hf-back\">");
    for (service, since) in state.back() {
        let words = tongue.back_since(state.offset.civil(since), &state.offset);
        let _ = write!(
            out,
            "<li><b lang=\"{lang}\">{}</b> <span class=\"hf-since\"><time datetime=\"{}\">{}</time></span></li>",
            Text(&service.title),
            since.floor_minute().rfc3339(),
            Text(&words)
        );
    }
    out.push_str("</ul>");
}

/// What ops wrote, newest first, the older part folded away.
pub(in crate::page) fn notices(out: &mut String, state: &PageState, tongue: Tongue) {
    let lines = state.newest_notices();
    let shown = lines.get(..lines.len().min(NOTICES)).unwrap_or_default();
    let (open, folded) = shown.split_at(shown.len().min(OPEN_NOTICES));
    list(out, open, state, tongue);
    if !folded.is_empty() {
        let _ = write!(
            out,
            "<details><summary>{}</summary>",
            tongue.older_notices()
        );
        list(out, folded, state, tongue);
        out.push_str("</details>");
    }
}

fn list(out: &mut String, lines: &[&NoticeLine], state: &PageState, tongue: Tongue) {
    if lines.is_empty() {
        return;
    }
    out.push_str("<ol class=\"hf-notices\">");
    for line in lines {
        let _ = write!(
            out,
            "<li><time class=\"hf-at\" datetime=\"{}\">{}</time><span lang=\"{}\">{}</span></li>",
            line.at.floor_minute().rfc3339(),
            tongue.written(state.offset.civil(line.at)),
            Text(&line.language),
            Text(&line.text)
        );
    }
    out.push_str("</ol>");
}

fn age(out: &mut String, state: &PageState, tongue: Tongue) {
    let Source::Snapshot {
        as_of, freshness, ..
    } = state.source
    else {
        return;
    };
    let civil = state.offset.civil(as_of);
    let words = match freshness {
        Freshness::Fresh => tongue.as_of(civil, &state.offset),
        Freshness::Stale | Freshness::TooOld => tongue.stale_as_of(civil, &state.offset),
    };
    let _ = write!(
        out,
        "<p class=\"hf-age\"><time datetime=\"{}\">{}</time></p>",
        as_of.floor_minute().rfc3339(),
        Text(&words)
    );
}
