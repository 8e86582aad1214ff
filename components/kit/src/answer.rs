//! What a guest answers, before it is the host's.

/// An answer without its transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The media type, with its charset.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A page.
    #[must_use]
    pub fn page(body: String) -> Self {
        Self {
            status: 200,
            content_type: "text/html; charset=utf-8",
            body,
        }
    }

    /// A calendar's file, RFC 5545.
    #[must_use]
    pub fn calendar(body: String) -> Self {
        Self {
            status: 200,
            content_type: "text/calendar; charset=utf-8",
            body,
        }
    }

    /// What a program reads, RFC 8259.
    #[must_use]
    pub fn json(body: String) -> Self {
        Self {
            status: 200,
            content_type: "application/json",
            body,
        }
    }

    /// A feed, RFC 4287.
    #[must_use]
    pub fn feed(body: String) -> Self {
        Self {
            status: 200,
            content_type: "application/atom+xml; charset=utf-8",
            body,
        }
    }

    /// There is no such record. Whether it can be somewhere else is the host's to say.
    #[must_use]
    pub fn not_found() -> Self {
        Self::plain(404, "not in this collection\n".to_owned())
    }

    /// Only reading is served here.
    #[must_use]
    pub fn bad_method() -> Self {
        Self::plain(405, "only GET and HEAD\n".to_owned())
    }

    /// What keeps the guest from answering: for the log and the publisher, not for readers.
    #[must_use]
    pub fn failed(why: impl std::fmt::Display) -> Self {
        Self::plain(500, format!("{why}\n"))
    }

    fn plain(status: u16, body: String) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body,
        }
    }
}
