//! `[listen]`: the addresses an edge binds, and how it stops.

use std::net::SocketAddr;
use std::time::Duration;

use crate::settings::{DURATION_MOST, Placed, Problems, Section};

/// How long requests under way may take when the edge stops, unless said otherwise.
pub const DRAIN: Duration = Duration::from_secs(10);

/// Where an edge listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// `public`: readers and CDNs, HTTP/1.1 and h2c. Default `127.0.0.1:8080`.
    pub public: SocketAddr,
    /// `control`: `/livez`, `/readyz`, `/status`, `/metrics`. Default `127.0.0.1:8081`: whoever
    /// reaches it reads how the edge is, so it stays on this machine unless said otherwise.
    pub control: SocketAddr,
    /// `drain`: how long requests under way may take when the edge stops. Default `"10s"`.
    pub drain: Duration,
}

/// Where the two addresses stand in the file, for contradictions found later.
#[derive(Debug, Default)]
pub(super) struct RawListen {
    public: Option<Placed<String>>,
    control: Option<Placed<String>>,
    drain: Option<Duration>,
}

impl RawListen {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let raw = Self {
            public: section.text("public"),
            control: section.text("control"),
            drain: section.duration("drain", Duration::ZERO..=DURATION_MOST),
        };
        section.finish();
        raw
    }

    pub(super) fn resolve(&self, problems: &Problems) -> Option<Listen> {
        let public = address("public", self.public.as_ref(), 8080, problems);
        let control = address("control", self.control.as_ref(), 8081, problems);
        let (public, control) = (public?, control?);
        // Port 0 is a new port for each.
        if public == control && public.port() != 0 {
            let spans = (self.control.as_ref(), self.public.as_ref());
            let span = spans.0.or(spans.1).map(|text| text.span);
            let added = problems
                .add(span, format!("`public` and `control` are both {public}"))
                .label("one address cannot be bound twice");
            if let (Some(_), Some(public)) = spans {
                added.also(public.span, "bound for readers here");
            }
        }
        Some(Listen {
            public,
            control,
            drain: self.drain.unwrap_or(DRAIN),
        })
    }
}

fn address(
    key: &str,
    text: Option<&Placed<String>>,
    port: u16,
    problems: &Problems,
) -> Option<SocketAddr> {
    let Some(text) = text else {
        return Some(SocketAddr::from(([127, 0, 0, 1], port)));
    };
    match text.value.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            problems
                .add(
                    text.span,
                    format!("`{key}` is not an address: {:?}", text.value),
                )
                .label("expected IP:PORT, as in 127.0.0.1:8080 or [::1]:8080");
            None
        }
    }
}
