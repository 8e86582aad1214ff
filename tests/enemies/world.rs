//! A running edge with an order in force, and everybody's keys.

use http::Method;
use serde_json::Value;
use snapshot::order::Mode;
use snapshot::{
    Digest, Envelope, Epoch, KeySigner, Namespace, OfferedBundle, Order, Scope, Timestamp, encode,
};
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;
use stage::client::Answer;

use crate::scene::{Ask, Edge, Site, TOKEN, eventually};

/// The epoch of the order in force about the service `pay`.
pub(super) const IN_FORCE: u64 = 5;

/// Who has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// An operator.
    Mina,
    /// The same person's second key.
    MinaAgain,
    /// Another operator.
    Jun,
    /// An operator whose key has ended.
    Ended,
    /// An operator, until he is let go.
    Removed,
    /// A publisher.
    Publisher,
    /// Nobody whom the trust files name.
    Stranger,
}

impl Who {
    pub(super) fn key(self) -> PrivateKey {
        let seed = Digest::of(format!("{self:?}").as_bytes());
        PrivateKey::from(Ed25519Keypair::from_seed(seed.as_bytes()))
    }

    pub(super) fn fingerprint(self) -> String {
        snapshot::Fingerprint::of(self.key().public_key().key_data()).to_string()
    }
}

/// The stage.
#[derive(Debug)]
pub(super) struct World {
    pub(super) site: Site,
    pub(super) edge: Edge,
}

impl World {
    pub(super) async fn new() -> Self {
        let site = Site::small().init().await;
        site.publish().await;
        site.write("trust/allowed_signers", signers(&site));
        site.write("trust/trust.toml", roles(&site));
        let edge = site.edge().named("edge-1").with_token(TOKEN).giving();
        let edge = edge.start().await;
        let world = Self { site, edge };
        let order = order("service:pay", IN_FORCE, Mode::Degraded);
        assert_eq!(world.bring(&[seal(&order, &[Who::Mina])]).await.status, 200);
        world
    }

    /// Takes somebody out of the trust files, and waits until the edge believes them no more.
    pub(super) async fn lets_go(&self, who: Who) {
        let name = format!("{who:?}").to_lowercase();
        self.site
            .edit("trust/trust.toml", &person(&name, "operator"), "");
        let listed = format!("{name} {ORDER} {}\n", public(who));
        self.site.edit("trust/allowed_signers", &listed, "");
        eventually("the trust files to be read again", async || {
            let may_sign = self.edge.status().await["trust"]["may_sign"].clone();
            let may_sign = may_sign.as_array()?;
            let is_gone = may_sign
                .iter()
                .all(|known| known["person"] != name.as_str());
            is_gone.then_some(())
        })
        .await;
    }

    /// Brings these envelopes to the edge.
    pub(super) async fn bring(&self, envelopes: &[Envelope]) -> Answer {
        let bytes = encode(&(OfferedBundle::VERSION, envelopes)).unwrap();
        let at = self.edge.peer();
        Ask::new(at, Method::PUT, &at.to_string(), "/small/orders")
            .body(bytes)
            .await
    }

    /// Brings these, which are refused in these words, by the listener and from the mirror.
    pub(super) async fn refuses(&self, envelopes: &[Envelope], words: &str) {
        let before = self.in_force().await;
        let answer = self.bring(envelopes).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text().trim_end()),
            (403, words)
        );
        let bytes = encode(&(OfferedBundle::VERSION, envelopes)).unwrap();
        self.site.write("mirror/small/orders", bytes);
        eventually(&format!("the refusal {words:?}"), async || {
            let status = self.edge.status().await;
            let refusals = status["refusals"].as_array().unwrap();
            refusals
                .iter()
                .any(|refusal| refusal["reason"] == words)
                .then_some(())
        })
        .await;
        assert_eq!(self.in_force().await, before);
    }

    /// The orders in force: each scope's epoch and mode.
    pub(super) async fn in_force(&self) -> Vec<(String, u64, String)> {
        let status = self.edge.status().await;
        let orders = status["orders"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let each = orders.iter().map(|order| {
            let epoch = order["epoch"].as_u64().unwrap();
            (text(&order["scope"]), epoch, text(&order["mode"]))
        });
        each.collect()
    }

    /// Two operators are heard about the whole site.
    pub(super) async fn goes_on(&self) {
        let order = order("site", 1, Mode::Degraded);
        let answer = self.bring(&[seal(&order, &[Who::Mina, Who::Jun])]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let orders = self.in_force().await;
        let expected = ("site".to_owned(), 1, "degraded".to_owned());
        assert!(orders.contains(&expected), "{orders:?}");
    }
}

/// An order by mina.
pub(super) fn order(scope: &str, epoch: u64, mode: Mode) -> Order {
    let now = edge::sync::wall_clock();
    Order {
        version: Order::VERSION,
        site: "small".parse().unwrap(),
        scope: scope.parse::<Scope>().unwrap(),
        epoch: Epoch(epoch),
        predecessor: None,
        mode,
        insists: false,
        notices: Vec::new(),
        pin: None,
        back: None,
        who: "mina".to_owned(),
        why: "fire".to_owned(),
        ends_at: None,
        signed_at: Timestamp(now.0),
    }
}

pub(super) fn seal(order: &Order, by: &[Who]) -> Envelope {
    let mut envelope = Envelope::seal(encode(order).unwrap());
    for who in by {
        let signer = KeySigner::new(who.key()).unwrap();
        envelope.sign_with(&signer, Namespace::Order).unwrap();
    }
    envelope
}

/// What a key of an operator may sign.
const ORDER: &str = "namespaces=\"order@holdfast\"";

/// What `trust.toml` says of somebody.
fn person(name: &str, role: &str) -> String {
    format!("[person.{name:?}]\nroles = [{role:?}]\nsites = [\"small\"]\n")
}

fn public(who: Who) -> String {
    who.key().public_key().to_openssh().unwrap()
}

fn signers(site: &Site) -> String {
    let listed = fs_err::read_to_string(site.path("trust/allowed_signers")).unwrap();
    let published = listed
        .lines()
        .find(|line| line.contains("release@holdfast"));
    format!(
        "{}\nmina {ORDER} {}\nmina {ORDER} {}\njun {ORDER} {}\nremoved {ORDER} {}\n\
         ended {ORDER},valid-before=\"20200101Z\" {}\npublisher {}\n",
        published.unwrap(),
        public(Who::Mina),
        public(Who::MinaAgain),
        public(Who::Jun),
        public(Who::Removed),
        public(Who::Ended),
        public(Who::Publisher),
    )
}

fn roles(site: &Site) -> String {
    let listed = fs_err::read_to_string(site.path("trust/allowed_signers")).unwrap();
    let own = listed.split(' ').next().unwrap().to_owned();
    [
        person(&own, "publisher"),
        person("publisher", "publisher"),
        person("mina", "operator"),
        person("jun", "operator"),
        person("removed", "operator"),
        person("ended", "operator"),
        "[thresholds]\norder = 1\nsite-order = 2\n".to_owned(),
    ]
    .concat()
}
