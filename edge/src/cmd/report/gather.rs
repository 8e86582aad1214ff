//! Asking every edge for its log.

use std::cell::RefCell;
use std::time::Duration;

use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use snapshot::Timestamp;
use tokio::time::timeout;
use url::Url;

use crate::asking::{self, Client};
use crate::log::Entry;

/// Edges that are asked at once.
const AT_ONCE: usize = 16;
/// How long an edge may take to begin, and between two pieces.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Most that is read of one edge's log, bytes: more than an edge keeps.
pub(crate) const LOG_BYTES: u64 = 256 << 20;
/// Longest line that is read, bytes.
pub(crate) const LINE_BYTES: usize = 1 << 20;

/// What one edge said.
#[derive(Debug)]
pub(in crate::cmd) struct Heard {
    pub(in crate::cmd) url: Url,
    /// Its name, as far as its log says.
    pub(in crate::cmd) name: Option<String>,
    /// Why its log was not read, or not to its end.
    pub(in crate::cmd) error: Option<String>,
}

/// Asks for what lies within the times, of `site`; every entry goes to `each` with the place of its
/// edge among `edges`.
pub(in crate::cmd) async fn gather(
    edges: &[Url],
    (from, to): (Timestamp, Timestamp),
    site: Option<&str>,
    each: impl FnMut(usize, Entry),
) -> Vec<Heard> {
    // All edges are asked by one task, so that nobody's log is held whole.
    let each = RefCell::new(each);
    let client = asking::client();
    let site = site.map(|site| format!("&site={site}")).unwrap_or_default();
    let query = format!(
        "/log?standing&from={}&to={}{site}",
        from.rfc3339_ms(),
        to.rfc3339_ms()
    );
    let asked = edges.iter().enumerate().map(|(place, url)| {
        let (client, query, each) = (&client, &query, &each);
        async move {
            let name = name(client, url).await;
            let tell = |entry| (each.borrow_mut())(place, entry);
            let error = read(client, url, query, tell).await.err();
            let url = url.clone();
            Heard { url, name, error }
        }
    });
    futures::stream::iter(asked)
        .buffered(AT_ONCE)
        .collect()
        .await
}

async fn name(client: &Client, url: &Url) -> Option<String> {
    let status = asking::status(client, url).await.ok()?;
    Some(status.get("name")?.as_str()?.to_owned())
}

async fn read(client: &Client, url: &Url, query: &str, tell: impl Fn(Entry)) -> Result<(), String> {
    let slow = |_| format!("nothing came for {PATIENCE:?}");
    let log = url.join(query).map_err(|error| error.to_string())?;
    let uri = log
        .as_str()
        .parse::<http::Uri>()
        .map_err(|error| error.to_string())?;
    let response = timeout(PATIENCE, client.get(uri)).await.map_err(slow)?;
    let response = response.map_err(|error| asking::causes(&error))?;
    if response.status() != http::StatusCode::OK {
        return Err(format!("/log answers {}", response.status().as_u16()));
    }
    let (mut body, mut rest, mut bytes) = (response.into_body(), Vec::new(), 0_u64);
    while let Some(frame) = timeout(PATIENCE, body.frame()).await.map_err(slow)? {
        let frame = frame.map_err(|error| format!("/log broke off: {error}"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        bytes = bytes.saturating_add(data.len() as u64);
        if bytes > LOG_BYTES {
            return Err(format!(
                "/log is longer than {LOG_BYTES} bytes: the rest is not read"
            ));
        }
        rest.extend_from_slice(&data);
        let whole = rest
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        for line in rest
            .drain(..whole)
            .collect::<Vec<u8>>()
            .split(|byte| *byte == b'\n')
        {
            // Other versions of the program say other things.
            if let Ok(entry) = serde_json::from_slice::<Entry>(line) {
                tell(entry);
            }
        }
        if rest.len() > LINE_BYTES {
            return Err(format!("/log has a line longer than {LINE_BYTES} bytes"));
        }
    }
    Ok(())
}
