//! Would we survive tonight? `edge check` asks everybody, and names what would not.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::scene::{Edge, Ended, Fleet, Origin, Site, TOKEN, binary, eventually, run};

fn ops(site: &Site, edges: &[&Edge], more: &str) {
    let edges: Vec<String> = edges
        .iter()
        .map(|edge| {
            format!(
                "{{ control = \"http://{}\", network = \"kt\", provider = \"own\" }}",
                edge.control
            )
        })
        .collect();
    let text = format!(
        "site = \"small\"\nkey = \"keys/operator\"\ntrust = \"trust\"\nedges = [{}]\n\
         mirrors = [{{ url = \"mirror\", network = \"kt\", provider = \"own\" }}]\n{more}",
        edges.join(", ")
    );
    site.write("ops.toml", text);
}

async fn check(site: &Site, more: &[&str]) -> Ended {
    let mut check = Command::new(binary("edge"));
    check
        .arg("check")
        .arg("--ops")
        .arg(site.path("ops.toml"))
        .args(more);
    run(check).await
}

/// Nothing of the networks there are goes with the origin.
const NOWHERE: &str = "origin_networks = []\n";

/// The problems that are found about a topic.
fn problems(found: &Value, topic: &str) -> Vec<String> {
    let findings = found["findings"].as_array().unwrap().iter();
    let about = findings.filter(|finding| finding["topic"] == topic);
    about
        .map(|finding| finding["problem"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_would_not_survive_tonight_is_named_with_its_remedy() {
    let site = Site::small().init().await;
    site.publish().await;
    let origin = Origin::small().await;
    let edge = site.edge().named("edge-1").with_token(TOKEN).giving();
    let edge = edge.before(&origin).start().await;
    ops(&site, &[&edge], NOWHERE);
    let ended = check(&site, &["--json"]).await.expect(1);
    let found = ended.json();
    assert_eq!(found["ready"], false);
    let signers = problems(&found, "signers");
    let alone = "orders about the whole site: only one person can sign; one lost key stops it";
    assert!(
        signers.iter().any(|problem| problem == alone),
        "{signers:?}"
    );
    let places = problems(&found, "places");
    assert!(
        places.contains(&"there is one mirror, on the network kt".to_owned()),
        "{places:?}"
    );
    assert!(
        places.contains(&"there is one edge, on the provider own".to_owned()),
        "{places:?}"
    );
    let routes = problems(&found, "routes");
    let missing = "no canary asks for /pages/{*path}, /photos/{*path}, /notes/{*path}";
    assert_eq!(routes, [missing]);
    let rehearsal = problems(&found, "rehearsal");
    assert!(
        rehearsal[0].starts_with("edge-1: no passed rehearsal since "),
        "{rehearsal:?}"
    );
    // Of the service without a route there is nothing to rehearse.
    assert!(rehearsal[0].ends_with(": home"), "{rehearsal:?}");
    for well in ["edges", "age", "certificates", "room", "names"] {
        assert!(problems(&found, well).is_empty(), "{well}: {found}");
    }
    // For people: a line and a remedy each.
    let words = check(&site, &[]).await.expect(1).out;
    let count = found["findings"].as_array().unwrap().len();
    assert_eq!(words.matches("  next: ").count(), count, "{words}");
    assert!(words.contains("✓ room"), "{words}");
    assert!(
        words.ends_with(&format!("small: {count} things to mend before tonight\n")),
        "{words}"
    );
}

#[tokio::test]
async fn what_is_mended_is_found_no_more() {
    let site = Site::small().init().await;
    let canaries = ["/pages/plain.txt", "/photos/door.jpg", "/notes/one.html"]
        .map(|path| format!("\n[[canary]]\npath = \"{path}\"\nlanguage = \"ko\"\n"));
    let toml = fs_err::read_to_string(site.path("site.toml")).unwrap();
    let (before, publish) = toml.split_once("[publish]").unwrap();
    site.write(
        "site.toml",
        format!("{before}{}\n[publish]{publish}", canaries.concat()),
    );
    site.publish().await;
    let edge = site
        .edge()
        .named("edge-1")
        .with_token(TOKEN)
        .giving()
        .start()
        .await;
    ops(&site, &[&edge], "");
    let found = check(&site, &["--json"]).await.expect(1).json();
    assert!(problems(&found, "routes").is_empty(), "{found}");
    // A pure fallback has no origin to rehearse the end of.
    assert!(problems(&found, "rehearsal").is_empty(), "{found}");
    // Who does not say what goes with the origin is not told that no name does.
    let names = problems(&found, "names");
    assert_eq!(
        names,
        ["not looked at: which networks go with the origin is not known"]
    );
}

#[tokio::test]
async fn what_was_rehearsed_is_well_until_it_is_too_long_ago() {
    let site = Site::small().init().await;
    site.publish().await;
    let origin = Origin::small().await;
    let edge = site.edge().named("edge-1").before(&origin).start().await;
    ops(&site, &[&edge], NOWHERE);
    let found = check(&site, &["--json"]).await.expect(1).json();
    let remedies: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["topic"] == "rehearsal")
        .map(|finding| finding["remedy"].as_str().unwrap())
        .collect();
    // The remedy is the command itself, but for how long it takes.
    let [remedy] = remedies.as_slice() else {
        panic!("{remedies:?}");
    };
    let (place, line) = remedy.split_once(": edge ").unwrap();
    assert_eq!(place, "on the machine of edge-1");
    let line = line.replace("10m", "2s").replace("5%", "50%");
    let mut rehearse = Command::new(binary("edge"));
    rehearse.args(line.split(' '));
    let rehearsal = tokio::spawn(run(rehearse));
    while !rehearsal.is_finished() {
        assert_eq!(edge.get("/").await.status, 200);
    }
    rehearsal.await.unwrap().expect(0);
    let found = check(&site, &["--json"]).await.expect(1).json();
    assert!(problems(&found, "rehearsal").is_empty(), "{found}");
    let strict = ["--json", "--rehearsed-within", "1ms"];
    let found = check(&site, &strict).await.expect(1).json();
    let rehearsal = problems(&found, "rehearsal");
    assert!(rehearsal[0].ends_with(": home"), "{rehearsal:?}");
}

#[tokio::test]
async fn a_certificate_that_ends_within_the_time_that_is_named_is_found() {
    let site = Site::small().init().await;
    site.publish().await;
    let fleet = Fleet::found(&site, "fleet");
    // Too far for the alarm, which is raised in the last two weeks.
    fleet.certify_until(&site, "ending", Duration::from_secs(50 * 24 * 3600));
    let edge = site.edge().named("edge-1").certified("fleet", "ending");
    let edge = edge.giving().start().await;
    ops(&site, &[&edge], NOWHERE);
    let certificates = async |within: &str| {
        let more = ["--json", "--ending-within", within];
        problems(&check(&site, &more).await.expect(1).json(), "certificates")
    };
    assert_eq!(certificates("49d").await, [""; 0]);
    let found = certificates("51d").await;
    let [ending] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert!(
        ending.starts_with("edge-1: the certificate of "),
        "{ending}"
    );
    assert!(ending.contains("ending.pem ends at 20"), "{ending}");
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_not_called_well() {
    let site = Site::small().init().await;
    site.publish().await;
    let edge = site.edge().named("edge-1").with_token(TOKEN).giving();
    let edge = edge.start().await;
    let text = format!(
        "site = \"small\"\ntrust = \"trust\"\nmirrors = [\"mirror\"]\npeers = [\"http://{}\"]\n",
        edge.peer()
    );
    site.write("ops.toml", text);
    let words = check(&site, &[]).await.expect(1).out;
    for topic in ["edges", "age", "certificates", "rehearsal", "room", "names"] {
        assert!(!words.contains(&format!("✓ {topic}")), "{topic}: {words}");
        let line = format!("✗ {topic:<13} not looked at: ");
        assert!(words.contains(&line), "{topic}: {words}");
    }
}

#[tokio::test]
async fn where_an_edge_takes_the_site_from_is_looked_at_too() {
    let site = Site::small().init().await;
    site.publish().await;
    let away = ["mirror", "http://mirror.dc1.internal/town"];
    let edge = site.edge().named("edge-1").following(&away).start().await;
    ops(&site, &[&edge], NOWHERE);
    let found = check(&site, &["--json"]).await.expect(1).json();
    let names = problems(&found, "names");
    let inside = "mirror.dc1.internal ends in .internal, which resolves only inside";
    assert_eq!(names, [inside]);
}

#[tokio::test]
async fn an_edge_that_says_nothing_and_data_that_is_old_are_found() {
    let site = Site::small().init().await;
    site.publish().await;
    let edge = site
        .edge()
        .named("edge-1")
        .set("age-alarm = \"1s\"")
        .start()
        .await;
    let gone = site.edge().named("edge-2").start().await;
    ops(
        &site,
        &[&edge, &gone],
        "origin_networks = [\"127.0.0.0/8\"]\n",
    );
    drop(gone);
    eventually("the age to be found", async || {
        let found = check(&site, &["--json"]).await.expect(1).json();
        let age = problems(&found, "age");
        age.first()
            .is_some_and(|problem| problem.starts_with("edge-1: age-over-policy: "))
            .then_some(())
    })
    .await;
    let found = check(&site, &["--json"]).await.expect(1).json();
    let edges = problems(&found, "edges");
    assert_eq!(edges.len(), 1, "{edges:?}");
    assert!(edges[0].contains("does not say how it is"), "{edges:?}");
    let names = problems(&found, "names");
    let inside = "127.0.0.1 stands in the origin's network 127.0.0.0/8";
    assert!(names.contains(&inside.to_owned()), "{names:?}");
}
