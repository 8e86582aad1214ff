//! The page: one column, its style inside, nothing to fetch.

use std::fmt::Write as _;

use super::{Kind, Receipt};
use crate::page::catalogue::Tongue;
use crate::page::escape::Text;
use crate::page::rewrite::banner;
use crate::page::state::PageState;

const STYLE: &str = include_str!("page.css");

pub(super) fn page(
    kind: Kind,
    state: &PageState,
    notice_page: Option<&str>,
    receipt: Option<&Receipt>,
) -> String {
    let tongue = Tongue::of(&state.language);
    let words = tongue.emergency(kind);
    let mut out = String::with_capacity(4096);
    let (lang, site, title) = (tongue.tag(), Text(&state.site_title), words.title);
    let style = STYLE.trim();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title>\
         <style>{style}</style></head><body><main>"
    );
    if !state.site_title.is_empty() {
        let _ = write!(out, "<p class=\"site\">{site}</p>");
    }
    let _ = write!(
        out,
        "<h1>{title}</h1><p class=\"detail\">{}</p>",
        words.detail
    );
    if let Some(receipt) = receipt {
        let at = tongue.written_in(state.offset.civil(receipt.at), &state.offset);
        let _ = write!(
            out,
            "<p class=\"receipt\">{} <b>{}</b> <time datetime=\"{}\">{}</time></p>",
            tongue.reference(),
            Text(&receipt.reference),
            receipt.at.rfc3339(),
            Text(&at)
        );
    }
    if kind.tells_of_the_site() {
        if let Some(at) = state
            .as_of()
            .filter(|_| matches!(kind, Kind::NotInOurCopy | Kind::TooOld))
        {
            let words = tongue.copy_from(state.offset.civil(at), &state.offset);
            let _ = write!(
                out,
                "<p class=\"age\"><time datetime=\"{}\">{}</time></p>",
                at.floor_minute().rfc3339(),
                Text(&words)
            );
        }
        troubles(&mut out, state, tongue);
    }
    out.push_str("<p class=\"links\">");
    if let Some(path) = notice_page.filter(|_| kind.tells_of_the_site()) {
        let _ = write!(
            out,
            "<a href=\"{}\">{}</a>",
            Text(path),
            tongue.see_notices()
        );
    }
    if kind != Kind::Misdirected {
        let _ = write!(out, "<a href=\"/\">{}</a>", tongue.back_home());
    }
    out.push_str("</p></main></body></html>");
    out
}

fn troubles(out: &mut String, state: &PageState, tongue: Tongue) {
    if state.degraded().next().is_some() {
        let _ = write!(out, "<h2>{}</h2>", tongue.what_is_down());
        banner::services(out, state, tongue);
    }
    if !state.notices.is_empty() {
        let _ = write!(out, "<h2>{}</h2>", tongue.notice());
        banner::notices(out, state, tongue);
    }
}
