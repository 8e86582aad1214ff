//! A write: sent at most once, and what it came to told as exactly as it is known.

use http::Response;
use hyper::body::Incoming;

use super::super::access::{Access, AnsweredBy};
use super::super::{from_origin, way};
use super::{Plan, Visit};
use crate::log::Event;
use crate::mode::breaker::Outcome;
use crate::origin::Failure;
use crate::page::emergency::Kind;
use crate::page::{AnswerBody, Receipt};

impl Visit<'_> {
    pub(super) async fn write(&self, body: Incoming, access: &mut Access) -> Response<AnswerBody> {
        let origin = match self.plan(self.gate.admit_write()) {
            Plan::Origin(origin) => origin,
            Plan::Snapshot(why) => return self.refuse(Kind::WriteRefused, why, access),
            Plan::Loop => return self.refuse(Kind::BadGateway, "loop", access),
        };
        let method = self.head.method.clone();
        let asked = origin
            .write(method, &self.target(), self.headers(), body)
            .await;
        match asked {
            Ok(answer) => {
                let outcome = if way::is_failure(answer.status) {
                    Failure::Status(answer.status).outcome()
                } else {
                    Some(Outcome::Answered)
                };
                if let Some(outcome) = outcome {
                    self.gate
                        .observe(self.path.as_str(), outcome, Some("origin-5xx"));
                }
                access.by = AnsweredBy::Origin;
                from_origin::answer(answer, self.reader, &self.edge.name, None)
            }
            Err(failure) => {
                self.observe(failure);
                let kind = match failure {
                    Failure::ReaderGone => Kind::BadRequest,
                    Failure::ReaderTooLarge => Kind::ContentTooLarge,
                    // Without a connection nothing was sent.
                    Failure::Connect => Kind::WriteRefused,
                    _ => Kind::WriteUnknown,
                };
                self.refuse(kind, failure.as_str(), access)
            }
        }
    }

    /// What the reader of a write that the origin did not answer may refer to.
    pub(super) fn receipt(&self, kind: Kind, access: &mut Access) -> Option<Receipt> {
        if !matches!(kind, Kind::WriteRefused | Kind::WriteUnknown) {
            return None;
        }
        access.unwritten = Some(kind);
        Some(Receipt {
            reference: access.id.reference(),
            at: self.site.copy.edge_time(),
        })
    }

    /// Notes a write that the origin did not answer: nothing of it but what its reader was told.
    pub(super) fn note_unwritten(&self, access: &Access) {
        let reference = access.id.reference();
        let (route, service) = (access.route.clone(), access.service.clone());
        self.site.copy.note(match access.unwritten {
            Some(Kind::WriteRefused) => Event::WriteRefused {
                reference,
                route,
                service,
            },
            Some(Kind::WriteUnknown) => Event::WriteUnknown {
                reference,
                route,
                service,
            },
            _ => return,
        });
    }
}
