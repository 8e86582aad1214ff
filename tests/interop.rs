//! OpenSSH's own tools and Holdfast read each other's signatures.

use std::path::Path;
use std::process::Command;

use snapshot::order::Mode;
use snapshot::{Digest, Envelope, Epoch, Order, Release, Scope, decode, encode, limits};

use crate::scene::{Ended, Site, eventually, run};

fn keygen(in_folder: &Path, arguments: &[&str]) -> Command {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(arguments).current_dir(in_folder);
    keygen
}

/// `ssh-keygen -Y sign` over `payload`; gives the armor.
async fn signed_by_openssh(site: &Site, key: &str, namespace: &str, payload: &[u8]) -> String {
    site.write("statement", payload);
    let arguments = ["-Y", "sign", "-n", namespace, "-f", key, "statement"];
    run(keygen(site.dir(), &arguments)).await.expect(0);
    let armor = fs_err::read_to_string(site.path("statement.sig")).unwrap();
    fs_err::remove_file(site.path("statement.sig")).unwrap();
    armor
}

/// `ssh-keygen -Y verify` of an envelope, against the trust file that edges read.
async fn verified_by_openssh(
    site: &Site,
    person: &str,
    namespace: &str,
    envelope: &Envelope,
) -> Ended {
    site.write("statement.sig", envelope.armor().unwrap()[0].as_bytes());
    site.write("statement", envelope.payload());
    let verify = ["-Y", "verify", "-I", person, "-n", namespace];
    let files = ["-f", "trust/allowed_signers", "-s", "statement.sig"];
    let mut keygen = keygen(site.dir(), &[verify.as_slice(), &files].concat());
    // ssh-keygen reads the signed bytes from its standard input.
    let statement = fs_err::File::open(site.path("statement")).unwrap();
    keygen.stdin(statement.into_parts().0);
    let output = tokio::process::Command::from(keygen)
        .output()
        .await
        .unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[tokio::test]
async fn an_edge_accepts_what_ssh_keygen_signed() {
    if !outside::have("ssh-keygen") {
        return;
    }
    let site = Site::small().init().await;
    site.publish().await;
    let edge = site.edge().start().await;

    let forge = site.forge("mirror");
    let release = encode(&forge.next().unwrap()).unwrap();
    let armor = signed_by_openssh(&site, "keys/release", "release@holdfast", &release).await;
    let mut envelope = Envelope::seal(release);
    envelope.attach_armor(&armor).unwrap();
    forge.point(&envelope.to_bytes().unwrap()).unwrap();
    edge.reaches(2).await;

    let order = order(&site);
    let payload = encode(&order).unwrap();
    let armor = signed_by_openssh(&site, "keys/operator", "order@holdfast", &payload).await;
    let mut envelope = Envelope::seal(payload);
    envelope.attach_armor(&armor).unwrap();
    let mut bundle = snapshot::Bundle::default().offer();
    bundle.put(envelope).unwrap();
    fs_err::write(site.at("mirror").join("orders"), bundle.to_bytes().unwrap()).unwrap();
    eventually("the order to be in force", async || {
        let status = edge.status().await;
        let order = status.pointer("/orders/0")?;
        (order["scope"] == "service:pay" && order["mode"] == "degraded").then_some(())
    })
    .await;
    let page = edge.get("/").await.text();
    assert!(
        page.contains("Pay in cash") && !page.contains("Pay here"),
        "{page}"
    );
}

fn order(site: &Site) -> Order {
    let forge = site.forge("mirror");
    Order {
        version: Order::VERSION,
        site: forge.release.site.clone(),
        scope: Scope::Service("pay".parse().unwrap()),
        epoch: Epoch(1),
        predecessor: None,
        mode: Mode::Degraded,
        insists: false,
        notices: Vec::new(),
        pin: None,
        back: None,
        who: "operator@small.example".to_owned(),
        why: "tried by hand".to_owned(),
        ends_at: None,
        signed_at: forge.release.signed_at,
    }
}

#[tokio::test]
async fn ssh_keygen_accepts_what_holdfast_signed() {
    if !outside::have("ssh-keygen") {
        return;
    }
    let site = Site::small().init().await;
    site.publish().await;
    let pointer = fs_err::read(site.at("mirror").join("release")).unwrap();
    let envelope = Envelope::from_bytes(&pointer).unwrap();
    let release: Release = decode(envelope.payload(), limits::STATEMENT_BYTES).unwrap();
    assert_eq!(release.sequence.0, 1);
    let (publisher, use_) = ("publisher@small.example", "release@holdfast");
    verified_by_openssh(&site, publisher, use_, &envelope)
        .await
        .expect(0);
    // Somebody else's name, another use, other bytes: OpenSSH says no, so the test means something.
    let operator = "operator@small.example";
    for (person, namespace, change) in [
        (operator, use_, None),
        (publisher, "order@holdfast", None),
        (publisher, use_, Some(Digest::of(b"other"))),
    ] {
        let mut other = envelope.clone();
        if let Some(manifest) = change {
            let statement = encode(&Release {
                manifest,
                ..release.clone()
            })
            .unwrap();
            other = Envelope::seal(statement);
            other.attach_armor(&envelope.armor().unwrap()[0]).unwrap();
        }
        let refused = verified_by_openssh(&site, person, namespace, &other).await;
        assert_ne!(refused.code, 0, "{person} {namespace}");
    }

    site.order(&["degrade", "pay", "--why", "interop"]).await;
    let orders = fs_err::read(site.at("mirror").join("orders")).unwrap();
    let bundle = snapshot::OfferedBundle::from_bytes(&orders).unwrap();
    let [envelope] = bundle.envelopes() else {
        panic!("{} orders", bundle.envelopes().len());
    };
    verified_by_openssh(&site, operator, "order@holdfast", envelope)
        .await
        .expect(0);
}
