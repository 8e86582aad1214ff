//! What a reader gets: language, banner, emergency pages, encodings, conditions.
//!
//! Everything between a draft of an answer and the bytes on the wire, as functions of what is
//! handed in: no sockets, no clock, no settings of its own. A draft comes from the snapshot, from
//! the living origin or from [`emergency`]; [`rewrite`] puts the banner in and acts on the page's
//! own mark-up; [`finish`] negotiates the encoding, answers conditions and ranges and says how
//! long the answer may be kept.

mod body;
mod cache;
mod catalogue;
mod condition;
mod draft;
pub mod emergency;
mod encoding;
mod escape;
mod finish;
mod language;
mod moment;
mod notice;
mod plain;
mod qvalue;
mod range;
mod reader;
pub mod reserved;
pub mod rewrite;
mod state;
pub mod visible;

pub use body::{AnswerBody, BodyError, from_bytes};
pub use cache::{CacheOutcome, CachePolicy, CacheStatus, Lifetime};
pub use draft::{Draft, DraftBody, VerifiedBytes};
pub(crate) use emergency::with_receipt;
pub use emergency::{Receipt, emergency};
pub(crate) use escape::escaped;
pub use finish::finish;
pub(crate) use finish::is_html;
pub use language::negotiate;
pub use moment::UtcOffset;
pub use notice::NOTICES;
pub use plain::plain;
pub(crate) use range::{Wanted, wanted};
pub use reader::Reader;
pub use state::{Freshness, NoticeLine, PageState, ServiceState, Source};
