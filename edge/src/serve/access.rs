//! What is told of each request: one log line, and counts. The route's template stands for the
//! path; no path, query, cookie or address is ever told.

use std::time::Duration;

use http::StatusCode;

use super::id::RequestId;
use crate::log::Shown;
use crate::page::emergency::Kind;

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnsweredBy {
    /// The living origin.
    Origin,
    /// The copy.
    Snapshot,
    /// The edge itself: emergency pages, refusals, its own files.
    Edge,
}

impl AnsweredBy {
    /// Its name in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Snapshot => "snapshot",
            Self::Edge => "edge",
        }
    }
}

/// What is known of a request once it is answered.
#[derive(Clone, Debug)]
pub struct Access {
    /// The request.
    pub id: RequestId,
    /// The site's name, `-` where none was found.
    pub site: String,
    /// The route's template, `-` where none was found.
    pub route: String,
    /// The route's service, `-` where none was found.
    pub service: String,
    /// The service's effective mode, `-` where none was found.
    pub mode: &'static str,
    /// Who answered.
    pub by: AnsweredBy,
    /// Why the origin did not, or what was wrong; `-` in calm.
    pub reason: &'static str,
    /// What a reader was shown; `None` for a write, and where no site was found.
    pub shown: Option<Shown>,
    /// What its reader was told of a write that the origin did not answer.
    pub unwritten: Option<Kind>,
}

impl Access {
    /// Nothing known yet.
    #[must_use]
    pub fn new(id: RequestId) -> Self {
        Self {
            id,
            site: "-".to_owned(),
            route: "-".to_owned(),
            service: "-".to_owned(),
            mode: "-",
            by: AnsweredBy::Edge,
            reason: "-",
            shown: None,
            unwritten: None,
        }
    }

    /// Writes the line.
    pub fn log(&self, status: StatusCode, took: Duration) {
        let ms = took.as_secs_f64() * 1000.0;
        tracing::info!(
            target: "access",
            id = %self.id,
            site = self.site,
            route = self.route,
            service = self.service,
            mode = self.mode,
            status = status.as_u16(),
            source = self.by.as_str(),
            reason = self.reason,
            ms = (ms * 10.0).round() / 10.0,
        );
    }
}
