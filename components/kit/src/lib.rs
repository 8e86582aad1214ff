//! What the guests share. A guest's answer is a function of its request's `holdfast-*` headers and
//! of the records it reads: [`Context`] is the former, [`records`] finds and opens the latter, the
//! rest turns rows into what a reader sees on a phone.
//!
//! All of it is pure and tested natively. Only [`guest`], which talks to the host, is not there
//! outside a component.

mod answer;
mod capability;
mod context;
#[cfg(target_family = "wasm")]
pub mod guest;
mod html;
mod language;
mod link;
mod moment;
mod outage;
mod percent;
pub mod records;
mod row;
mod schedule;
mod shell;
mod won;

pub use answer::Answer;
pub use capability::Capability;
pub use context::{Context, ContextError, Freshness};
pub use html::{Html, Markup};
pub use language::Language;
pub use link::{sms, tel};
pub use moment::Moment;
pub use outage::{Notice, Service, Words};
pub use percent::encode_path;
pub use records::Privacy;
pub use row::{Row, RowError, translated};
pub use schedule::{Clock, Day};
pub use shell::{PAGE_BYTES, Shell};
pub use won::won;
