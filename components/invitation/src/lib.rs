//! The mobile wedding invitation: `/i/{id}/`, and its entry for a calendar, `/i/{id}/event.ics`.
//!
//! The route's first collection holds the invitations. Below a capability, which this component
//! is never handed, the page has a relative link to the gift's page.

mod calendar;
mod gift;
mod page;
mod photos;

use kit::{Answer, Context, Row};

#[cfg(target_family = "wasm")]
mod guest;

/// The answer to a request, from its record's bytes.
#[must_use]
pub fn answer(context: &Context, record: &[u8]) -> Answer {
    let row = match Row::parse(record) {
        Ok(row) => row,
        Err(error) => return Answer::failed(error),
    };
    if context.path.ends_with(".ics") {
        return match calendar::event(context, &row) {
            Some(event) => Answer::calendar(event),
            None => Answer::failed("the invitation's date and time are none: no calendar entry"),
        };
    }
    Answer::page(page::page(context, &row))
}

#[cfg(test)]
mod tests;
