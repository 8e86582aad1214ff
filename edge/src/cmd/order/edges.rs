//! Asking edges, through their control listeners, which orders they have in force.

use std::time::Duration;

use futures::future::join_all;
use snapshot::SiteName;
use tokio::time::{Instant, sleep};
use url::Url;

use super::mirrors::Held;
use super::report::Given;
use super::settings::Settings;
use crate::asking::{self, Client};
use crate::sync::{LeftBehindStatus, OrderStatus};

/// How often an edge is asked again.
const AGAIN: Duration = Duration::from_millis(150);

/// What one edge said.
#[derive(Clone, Debug)]
pub(super) struct EdgeAnswer {
    pub(super) url: Url,
    /// Its name, if it answered at all.
    pub(super) name: Option<String>,
    pub(super) in_force: bool,
    /// How long it took until it was.
    pub(super) after: Option<Duration>,
    /// Why it is not.
    pub(super) error: Option<String>,
    /// The release that it is too old for.
    pub(super) left_behind: Option<LeftBehindStatus>,
}

/// What an edge says of the site.
#[derive(Debug)]
struct Status {
    /// The edge's name.
    name: String,
    /// The orders it has in force.
    orders: Vec<OrderStatus>,
    left_behind: Option<LeftBehindStatus>,
}

/// Asks every edge until it has the order in force, or the wait is over.
pub(super) async fn await_order(
    settings: &Settings,
    given: &Given,
    begun: Instant,
) -> Vec<EdgeAnswer> {
    let client = asking::client();
    let (scope, epoch) = (given.order.scope.to_string(), given.order.epoch.0);
    let digest = given.digest.to_string();
    // A newer order of the scope has this one behind it.
    let obeys = |orders: &[OrderStatus]| {
        let own = orders.iter().find(|order| order.scope == scope);
        own.is_some_and(|order| order.digest == digest || order.epoch > epoch)
    };
    let deadline = begun + settings.wait;
    join_all(settings.edges.iter().map(|url| {
        let client = &client;
        async move {
            loop {
                let asked = ask(client, url, &settings.site).await;
                let mut answer = answer(url, asked, obeys, "it does not have the order yet");
                if answer.in_force {
                    answer.after = Some(begun.elapsed());
                    return answer;
                }
                if Instant::now() + AGAIN >= deadline {
                    return answer;
                }
                sleep(AGAIN).await;
            }
        }
    }))
    .await
}

/// Asks every edge once whether all that the mirrors hold is in force.
pub(super) async fn ask_all(settings: &Settings, held: &Held) -> Vec<EdgeAnswer> {
    let client = asking::client();
    let obeys = |orders: &[OrderStatus]| {
        held.iter().all(|known| {
            let (scope, digest) = (known.order.scope.to_string(), known.digest.to_string());
            let own = orders.iter().find(|order| order.scope == scope);
            own.is_some_and(|order| order.digest == digest || order.epoch > known.order.epoch.0)
        })
    };
    join_all(settings.edges.iter().map(|url| {
        let client = &client;
        async move {
            let asked = ask(client, url, &settings.site).await;
            answer(url, asked, obeys, "it lacks an order that the mirrors hold")
        }
    }))
    .await
}

fn answer(
    url: &Url,
    asked: Result<Status, String>,
    obeys: impl Fn(&[OrderStatus]) -> bool,
    lacking: &str,
) -> EdgeAnswer {
    let mut answer = EdgeAnswer {
        url: url.clone(),
        name: None,
        in_force: false,
        after: None,
        error: None,
        left_behind: None,
    };
    match asked {
        Ok(status) => {
            answer.in_force = obeys(&status.orders);
            answer.error = (!answer.in_force).then(|| lacking.to_owned());
            answer.name = Some(status.name);
            answer.left_behind = status.left_behind;
        }
        Err(error) => answer.error = Some(error),
    }
    answer
}

async fn ask(client: &Client, url: &Url, site: &SiteName) -> Result<Status, String> {
    let status = asking::status(client, url).await?;
    read(&status, site.as_str())
}

/// Finds the site's orders: beside its other fields, or under `sync`.
fn read(status: &serde_json::Value, site: &str) -> Result<Status, String> {
    let name = status
        .get("name")
        .and_then(|name| name.as_str())
        .unwrap_or("an edge");
    let sites = status.get("sites").and_then(|sites| sites.as_array());
    let named = |entry: &&serde_json::Value| {
        let names = ["/site", "/name", "/sync/site"];
        names
            .iter()
            .any(|at| entry.pointer(at).and_then(|name| name.as_str()) == Some(site))
    };
    let Some(entry) = sites.into_iter().flatten().find(named) else {
        return Err(format!("{name} does not serve site {site}"));
    };
    let orders = entry
        .pointer("/sync/orders")
        .or_else(|| entry.get("orders"));
    let orders = orders.cloned().unwrap_or_default();
    let orders = serde_json::from_value(orders);
    let orders = orders.map_err(|error| format!("{name}: its orders are not readable: {error}"))?;
    let behind = entry
        .pointer("/sync/left_behind")
        .or_else(|| entry.get("left_behind"));
    let behind = behind.cloned().map(serde_json::from_value);
    Ok(Status {
        name: name.to_owned(),
        orders,
        // An edge may be of any version: what it says otherwise counts none the less.
        left_behind: behind.and_then(Result::ok).flatten(),
    })
}
