//! The site's status for programs, where a route's template is one of these names: a document whose
//! form others rely on, and a feed. So neither is a template that a site could break; the page for
//! people is (`page.html`, `page.css`).

mod atom;
mod json;

use kit::{Answer, Context};

/// The page for people, under the name that a template of the site's may extend.
pub(crate) const PAGE: (&str, &str) = ("status", include_str!("page.html"));
/// The same, unless the site's own templates have one of this name.
pub(crate) const OWN: (&str, &str) = ("status.html", "{% extends \"status\" %}");
/// Its style.
pub(crate) const SHEET: &str = include_str!("page.css");

/// What `template` stands for, if it is one of these.
#[must_use]
pub fn status(template: &str, context: &Context) -> Option<Answer> {
    match template {
        "status.json" => Some(Answer::json(json::document(context))),
        "status.atom" => Some(Answer::feed(atom::feed(context))),
        _ => None,
    }
}

/// Of all services together: the worst of their modes.
pub(crate) fn worst(context: &Context) -> &'static str {
    let any = |mode: &str| context.services.iter().any(|service| service.mode == mode);
    if any("degraded") {
        "degraded"
    } else if any("probing") {
        "probing"
    } else {
        "normal"
    }
}

#[cfg(test)]
mod tests;
