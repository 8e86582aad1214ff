//! The one rewriter that every HTML answer passes: banner in, `data-needs` and `data-without`
//! acted on, the copy buttons' script added where a copy has such buttons.
//!
//! It streams. lol_html reads the page and says where tags are; [`splice`] edits the page's own
//! bytes by position. The tokenizer has a memory limit and no tree, so:
//!
//! - giving up (memory) lets the rest of the page through as it is; the banner then comes last;
//! - the banner goes right behind `<body>`, else before the first element of content, else last;
//! - an element without its end tag ends where HTML says it does ([`tree`]), else with its parent.

mod allowed;
pub(super) mod banner;
mod marks;
pub mod origin;
mod splice;
mod tree;
mod visitor;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use lol_html::send::{HtmlRewriter, Settings};
use lol_html::{MemorySettings, element};

pub use allowed::{Charset, may_rewrite};
pub use marks::{depends_on_services, has_marks};
use visitor::Visitor;

use super::escape::ascii;
use super::reserved::script_path;
use super::state::{PageState, Source};

/// What the tokenizer may hold for one page, bytes: its longest tag, and its open elements.
pub const TOKENIZER_BYTES: usize = 512 * 1024;

/// How much of an unmarked page is read at a time until the banner's place is found, bytes.
const PIECE_BYTES: usize = 4 * 1024;

type Sink = Box<dyn FnMut(&[u8]) + Send>;

/// Rewrites a page that is in memory. Untouched where there is nothing to say and nothing marked.
#[must_use]
pub fn whole(page: Bytes, state: &PageState, charset: Charset) -> Bytes {
    if !state.has_banner() && !has_marks(&page) {
        return page;
    }
    let mut rewriter = Rewriter::new(state, charset);
    let mut out = Vec::with_capacity(page.len() + 4096);
    if has_marks(&page) {
        out.extend(rewriter.write(&page));
    } else {
        // Only the banner's place is wanted: behind it nothing need be read.
        for piece in page.chunks(PIECE_BYTES) {
            out.extend(rewriter.write(piece));
            if lock(&rewriter.visitor).has_placed() {
                rewriter.tokenizer = None;
                lock(&rewriter.visitor).give_up();
            }
        }
    }
    out.extend(rewriter.finish());
    out.into()
}

/// Rewrites a page that comes in pieces.
pub struct Rewriter {
    tokenizer: Option<HtmlRewriter<'static, Sink>>,
    visitor: Arc<Mutex<Visitor>>,
}

impl std::fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewriter").finish_non_exhaustive()
    }
}

impl Rewriter {
    /// For one page in `charset`, to be read under `state`.
    #[must_use]
    pub fn new(state: &PageState, charset: Charset) -> Self {
        let banner = match charset {
            Charset::Utf8 => banner::banner(state),
            Charset::AsciiCompatible => ascii(&banner::banner(state)),
        };
        // The origin's own policy may forbid scripts, and its pages have their own.
        let script = match state.source {
            Source::Snapshot { .. } => {
                format!("<script src=\"{}\" defer></script>", script_path())
            }
            Source::Origin => String::new(),
        };
        let visitor = Arc::new(Mutex::new(Visitor::new(state, banner, script)));
        let (on_element, on_output) = (Arc::clone(&visitor), Arc::clone(&visitor));
        let settings = Settings::new_send()
            .append_element_content_handler(element!("*", move |element| {
                Visitor::start_tag(&on_element, element)
            }))
            // Strict mode would cut a page off at mark-up that it finds ambiguous.
            .with_strict(false)
            // No graceful bail-out of the tokenizer's: the splice holds what is not settled.
            .with_memory_settings(
                MemorySettings::new().with_max_allowed_memory_usage(TOKENIZER_BYTES),
            );
        let sink: Sink = Box::new(move |passed: &[u8]| lock(&on_output).passed(passed.len()));
        Self {
            tokenizer: Some(HtmlRewriter::new(settings, sink)),
            visitor,
        }
    }

    /// Takes the next piece in and gives out what is settled, which may be nothing yet.
    pub fn write(&mut self, piece: &[u8]) -> Vec<u8> {
        lock(&self.visitor).take_in(piece);
        if let Some(tokenizer) = &mut self.tokenizer
            && tokenizer.write(piece).is_err()
        {
            self.tokenizer = None;
            lock(&self.visitor).give_up();
        }
        lock(&self.visitor).let_out()
    }

    /// The rest of the page.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if let Some(tokenizer) = self.tokenizer.take()
            && tokenizer.end().is_err()
        {
            lock(&self.visitor).give_up();
        }
        lock(&self.visitor).finish()
    }
}

/// A panic inside a handler would poison the lock; what it guards is then as good as before.
fn lock(visitor: &Mutex<Visitor>) -> MutexGuard<'_, Visitor> {
    visitor.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
