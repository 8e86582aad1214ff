//! Both families' account numbers, `/i/{id}/{cap}/gift`: what the dead "send a gift" button turns
//! into. The record is sealed under the capability, which this component alone is handed.

mod accounts;
mod page;

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
    // A capability opens its own invitation's record, and under no other id.
    if context.key() != Some(row.field("id").as_str()) {
        return Answer::not_found();
    }
    Answer::page(page::page(context, &row))
}

#[cfg(test)]
mod tests;
