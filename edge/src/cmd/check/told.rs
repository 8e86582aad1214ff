//! What every edge says of itself, asked once; and which say nothing.

use futures::future::join_all;
use serde_json::Value;
use snapshot::SiteName;
use url::Url;

use crate::asking;
use crate::cmd::ops::Settings;
use crate::config::ops::EdgePlace;

/// One edge.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Its name, or where it is.
    pub(super) name: String,
    /// Its control listener.
    pub(super) control: Option<Url>,
    /// What it says of itself as a whole, or why nothing is known.
    pub(super) status: Result<Value, Untold>,
}

/// Why an edge is not looked at, and what to do about it.
#[derive(Clone, Debug)]
pub(super) struct Untold {
    pub(super) why: String,
    pub(super) remedy: &'static str,
}

/// Asks every edge that `ops.toml` names.
pub(super) async fn ask(settings: &Settings) -> Vec<Told> {
    let client = asking::client();
    let each = looked_at(&settings.edges).into_iter().map(async |place| {
        let at = place.control.as_ref().or(place.peer.as_ref());
        let known = place.name.clone();
        let name = known.unwrap_or_else(|| at.map(ToString::to_string).unwrap_or_default());
        let status = match &place.control {
            None => Err(Untold {
                why: "no control listener of it is known".to_owned(),
                remedy: "write it beside its peer listener in ops.toml: edges = [{ control = \
                         \"http://...\", peer = \"https://...\" }]",
            }),
            Some(control) => asking::status(&client, control)
                .await
                .map_err(|why| Untold {
                    why: format!("it does not say how it is: {why}"),
                    remedy: "start it, or mend the way to its control listener",
                }),
        };
        let told = status.as_ref().ok();
        let told = told.and_then(|status| status.get("name")?.as_str());
        Told {
            name: told.map_or(name, str::to_owned),
            control: place.control.clone(),
            status,
        }
    });
    join_all(each).await
}

/// The edges. A peer listener on the machine of a control listener is that edge's, unless it has a name
/// of its own.
fn looked_at(places: &[EdgePlace]) -> Vec<&EdgePlace> {
    let host = |url: &Option<Url>| url.as_ref().and_then(Url::host_str).map(str::to_owned);
    let is_known = |place: &EdgePlace| {
        let mut others = places.iter().filter(|other| other.control.is_some());
        others.any(|other| host(&other.control) == host(&place.peer))
    };
    let edges = places.iter();
    let edges =
        edges.filter(|place| place.control.is_some() || place.name.is_some() || !is_known(place));
    edges.collect()
}

/// What an edge says of the site, in what it says of itself.
pub(super) fn of_site<'v>(status: &'v Value, site: &SiteName) -> Option<&'v Value> {
    let mut sites = status.get("sites")?.as_array()?.iter();
    sites.find(|entry| entry.get("site").and_then(Value::as_str) == Some(site.as_str()))
}

/// Where the edges take the site from.
pub(super) fn sources(told: &[Told], site: &SiteName) -> Vec<Url> {
    let entries = told.iter().filter_map(|told| told.status.as_ref().ok());
    let entries = entries.filter_map(|status| of_site(status, site)?.get("sources")?.as_array());
    let urls = entries
        .flatten()
        .filter_map(|source| source.get("url")?.as_str()?.parse().ok());
    urls.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::site;

    #[test]
    fn a_peer_listener_beside_a_control_listener_is_no_edge_more() {
        let url = |text: &str| Some(text.parse::<Url>().unwrap());
        let place = |name: Option<&str>, control, peer| EdgePlace {
            name: name.map(str::to_owned),
            control,
            peer,
            ..EdgePlace::default()
        };
        let places = [
            place(None, url("http://10.0.0.1:8081"), None),
            place(None, None, url("https://10.0.0.1:8443")),
            place(None, None, url("https://10.0.0.2:8443")),
            place(Some("jeju-1"), None, url("https://10.0.0.1:9443")),
        ];
        let edges: Vec<&EdgePlace> = looked_at(&places);
        assert_eq!(edges, [&places[0], &places[2], &places[3]]);
    }

    #[test]
    fn the_edges_say_where_they_take_the_site_from() {
        let source = |url: &str| json!({ "url": url });
        let of = |name: &str, url: &str| json!({ "site": name, "sources": [source(url)] });
        let told = |status| Told {
            name: "seoul-1".to_owned(),
            control: None,
            status,
        };
        let sites =
            json!({ "sites": [of("other", "s3://a"), of("dasom", "https://dc1.internal/m")] });
        let untold = Untold {
            why: "it is gone".to_owned(),
            remedy: "start it",
        };
        let found = sources(&[told(Ok(sites)), told(Err(untold))], &site());
        assert_eq!(found, ["https://dc1.internal/m".parse().unwrap()]);
    }
}
