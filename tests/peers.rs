//! Edges that give each other what they hold: a fleet outlives its origin and every mirror.

use std::process::Command;

use http::Method;
use snapshot::Digest;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::scene::{Ask, Edge, Fleet, HOST, INDEX, Site, TOKEN, binary, eventually, run};

/// A file that does not compress, of so many bytes.
const LARGE: usize = 3 << 20;

/// A small site with one large file, an order, and an edge `edge-1` that holds all of it.
async fn site() -> Site {
    let site = Site::small().init().await;
    let noise = (0..LARGE / 64).map(|n| Digest::of(&n.to_le_bytes()).to_string());
    site.write("public/large.txt", noise.collect::<String>());
    site.publish().await;
    site
}

/// As after a fire: no origin, no publisher, no mirror.
fn burns(site: &Site) {
    for gone in ["mirror", "public", "photos", "site.toml", ".holdfast"] {
        fs_err::rename(site.path(gone), site.path(&format!("burnt-{gone}"))).unwrap();
    }
}

fn https(edge: &Edge) -> String {
    format!("https://{}", edge.peer())
}

fn http(edge: &Edge) -> String {
    format!("http://{}", edge.peer())
}

async fn shows_everything(edge: &Edge, site: &Site) {
    let page = edge.get("/").await;
    assert!(String::from_utf8_lossy(&page.body).contains("Small House"));
    for (target, file) in [
        ("/pages/large.txt", "burnt-public/large.txt"),
        ("/photos/door.jpg", "burnt-photos/door.jpg"),
    ] {
        let page = edge.get(target).await;
        assert!(
            page.body == fs_err::read(site.path(file)).unwrap(),
            "{target}"
        );
    }
    let orders = edge.status().await["orders"].clone();
    assert_eq!(orders[0]["mode"], "degraded", "{orders}");
}

#[tokio::test]
async fn a_new_edge_fills_from_its_peers_with_the_origin_and_all_mirrors_gone() {
    let site = site().await;
    site.order(&["degrade", "pay", "--why", "fire", "--for", "1d"])
        .await;
    let fleet = Fleet::found(&site, "fleet");
    for name in ["one", "two", "three"] {
        fleet.certify(&site, name);
    }
    let first = site.edge().certified("fleet", "one").giving();
    let first = first.start().await;
    first.reaches(1).await;
    eventually("the order to be in force", async || {
        first.status().await["orders"][0]["mode"]
            .as_str()
            .map(|_| ())
    })
    .await;
    burns(&site);
    // It knows the other by its certificate alone.
    let second = site.edge().named("edge-2").following(&[]);
    let second = second.beside(&[https(&first)]).certified("fleet", "two");
    let second = second.giving().start().await;
    shows_everything(&second, &site).await;
    let source = second.status().await["sources"][0].clone();
    assert_eq!(
        (&source["peer"], &source["health"]),
        (&true.into(), &"sound".into())
    );
    // What came from a peer is as good as what came from a mirror.
    drop(first);
    let third = site.edge().named("edge-3").following(&["mirror"]);
    let third = third.beside(&[https(&second)]).certified("fleet", "three");
    let third = third.start().await;
    shows_everything(&third, &site).await;
    let sources = third.status().await["sources"].clone();
    assert_eq!(
        (&sources[0]["peer"], &sources[1]["peer"]),
        (&false.into(), &true.into())
    );
}

/// What is given at `target` to who shows the token: the status, and how many bytes.
async fn given(edge: &Edge, target: &str) -> (u16, usize) {
    let answer = edge.peered(TOKEN, target).await;
    (answer.status.as_u16(), answer.body.len())
}

#[tokio::test]
async fn nothing_is_given_but_what_retained_releases_name() {
    let site = Site::small().init().await;
    let mut manifests = Vec::new();
    let edge = site.edge().with_token(TOKEN).giving().spawn();
    for n in 1..=3 {
        site.write("public/plain.txt", format!("plain words, {n}\n"));
        site.publish().await;
        eventually("an edge that answers", async || {
            edge.ops("/livez").send().await.ok()
        })
        .await;
        edge.reaches(n).await;
        let manifest = edge.status().await["release"]["manifest"].clone();
        manifests.push(manifest.as_str().unwrap().to_owned());
    }
    let object = |name: &str| format!("/small/objects/{}/{name}", &name[..2]);
    let held = |name: &str| {
        let objects = site.path("edge-1/sites/small/objects");
        objects.join(&name[..2]).join(name)
    };
    // Of what is held, that of the release in use and of the one before it.
    for (manifest, expected) in manifests.iter().zip([404, 200, 200]) {
        assert!(held(manifest).exists());
        assert_eq!(given(&edge, &object(manifest)).await.0, expected);
    }
    for (sequence, expected) in [(1, 404), (2, 200), (3, 200), (4, 404)] {
        let target = format!("/small/releases/{sequence}");
        assert_eq!(given(&edge, &target).await.0, expected, "{target}");
    }
    let photo = Digest::of(&fs_err::read(site.path("photos/door.jpg")).unwrap());
    assert_eq!(
        given(&edge, &object(&photo.to_string())).await,
        (200, 200_000)
    );
    let stray = Digest::of(b"nobody names this").to_string();
    fs_err::create_dir_all(held(&stray).parent().unwrap()).unwrap();
    fs_err::write(held(&stray), "nobody names this").unwrap();
    for target in [
        &object(&stray),
        "/",
        "/status",
        "/metrics",
        "/small",
        "/small/",
        "/small/orders",
        "/small/objects",
        "/small/state/sync",
        "/small/releases/",
        "/other/release",
        "//small/release",
        "/small/../small/release",
    ] {
        assert_eq!(given(&edge, target).await.0, 404, "{target}");
    }
    assert_eq!(given(&edge, "/small/release").await.0, 200);
    let host = edge.peer().to_string();
    let post = Ask::new(edge.peer(), Method::POST, &host, "/small/release");
    let post = post
        .header("authorization", &format!("Bearer {TOKEN}"))
        .await;
    assert_eq!(post.status, 405);
    // And to nobody else, whatever is asked for.
    for target in ["/small/release", &object(&manifests[2]), "/"] {
        let wrong = edge.peered("another-token-than-this", target).await;
        assert_eq!(wrong.status, 401, "{target}");
        let silent = Ask::new(edge.peer(), Method::GET, &host, target).await;
        assert_eq!(silent.status, 401, "{target}");
    }
    // Nor is any of it where readers ask, and no object where ops do.
    for (at, target) in [
        (edge.public, "/small/release"),
        (edge.control, object(&photo.to_string()).as_str()),
    ] {
        let ask = Ask::new(at, Method::GET, HOST, target);
        let ask = ask
            .header("authorization", &format!("Bearer {TOKEN}"))
            .await;
        assert_ne!(ask.status, 200, "{target}");
    }
}

#[tokio::test]
async fn a_peer_is_polled_and_resumed_as_a_mirror_is() {
    let site = site().await;
    let edge = site.edge().with_token(TOKEN).giving().start().await;
    let first = edge.peered(TOKEN, "/small/release").await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = edge
        .peered(TOKEN, "/small/release")
        .header("if-none-match", &tag);
    let again = again.await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let objects = site.objects("mirror").into_iter();
    for path in objects {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let target = format!("/small/objects/{}/{name}", &name[..2]);
        let whole = edge.peered(TOKEN, &target).await;
        assert_eq!(whole.status, 200);
        // Joined from any cuts it is the same.
        let length = whole.body.len();
        let cut = length * 2 / 3;
        for (field, part) in [
            (format!("bytes=0-{}", cut - 1), 0..cut),
            (format!("bytes={cut}-"), cut..length),
            (format!("bytes=-{}", length - cut), cut..length),
        ] {
            let answer = edge.peered(TOKEN, &target).header("range", &field).await;
            assert_eq!(answer.status, 206);
            assert!(answer.body == whole.body[part], "{field} of {target}");
        }
        let beyond = edge.peered(TOKEN, &target);
        let beyond = beyond.header("range", &format!("bytes={length}-")).await;
        assert_eq!(beyond.status, 416);
    }
}

#[tokio::test]
async fn strangers_are_told_from_peers() {
    let site = site().await;
    Fleet::found(&site, "fleet").certify(&site, "one");
    let strangers = Fleet::found(&site, "strangers");
    strangers.certify(&site, "stranger");
    let certified = site.edge().certified("fleet", "one").giving().start().await;
    let named = site.edge().named("edge-2").with_token(TOKEN).giving();
    let named = named.start().await;
    let stranger = site.edge().named("edge-3").following(&[]);
    let stranger = stranger.with_token("another-token-than-this");
    let stranger = stranger.certified("fleet", "stranger");
    let stranger = stranger.beside(&[https(&certified), http(&named)]).spawn();
    let told = eventually("both to turn it away", async || {
        stranger.ops("/livez").send().await.ok()?;
        let sources = stranger.status().await["sources"].clone();
        let error = |at: usize| sources[at]["error"].as_str().map(str::to_owned);
        Some([error(0)?, error(1)?])
    })
    .await;
    assert!(told[1].contains("401"), "{told:?}");
    assert!(
        told.iter().all(|told| !told.contains("another-token")),
        "{told:?}"
    );
    assert_eq!(stranger.sequence().await, None);
}

#[tokio::test]
async fn a_peer_that_gives_everything_slowly_is_left_for_the_next() {
    let site = site().await;
    let slow = site.edge().named("edge-1").with_token(TOKEN);
    let slow = slow.giving_at_most(16 << 10).start().await;
    let quick = site.edge().named("edge-2").with_token(TOKEN);
    let quick = quick.giving().start().await;
    fs_err::rename(site.path("mirror"), site.path("burnt-mirror")).unwrap();
    let new = site.edge().named("edge-3").following(&[]).with_token(TOKEN);
    let new = new.beside(&[http(&slow), http(&quick)]).start().await;
    let page = new.get("/pages/large.txt").await;
    assert_eq!(page.body.len(), LARGE);
    let sources = new.status().await["sources"].clone();
    assert_eq!(sources[0]["health"], "slow", "{sources}");
    assert_eq!(sources[1]["health"], "sound", "{sources}");
}

#[tokio::test]
async fn one_address_cannot_take_every_connection() {
    let most = edge::peer::PeerLimits::default().of_one;
    let site = Site::small().init().await;
    site.publish().await;
    let edge = site.edge().with_token(TOKEN).giving().start().await;
    let mut open = Vec::new();
    for _ in 0..most {
        open.push(TcpStream::connect(edge.peer()).await.unwrap());
    }
    let mut beyond = TcpStream::connect(edge.peer()).await.unwrap();
    // It is closed, the others are not.
    assert!(matches!(beyond.read(&mut [0]).await, Ok(0) | Err(_)));
    let mut still = [0];
    let silent = open.iter_mut().map(|stream| stream.try_read(&mut still));
    let silent = silent.filter(
        |read| matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
    );
    assert_eq!(silent.count(), most);
    drop(open);
    eventually("a place to be free again", async || {
        let answer = edge.peered(TOKEN, "/small/release").send().await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_page_is_amended_out_of_an_edge_when_no_mirror_is_left() {
    let site = site().await;
    let fleet = Fleet::found(&site, "fleet");
    fleet.certify(&site, "one");
    let edge = site.edge().certified("fleet", "one").with_token(TOKEN);
    let edge = edge.giving().start().await;
    burns(&site);
    // A new disk, empty.
    fs_err::create_dir(site.path("mirror")).unwrap();
    site.write("token", TOKEN);
    site.write("index.html", INDEX.replace("<h1>", "<h1>Closed: "));
    let amend = async |token: &str| {
        let mut amend = Command::new(binary("origin-sync"));
        amend
            .current_dir(site.dir())
            .env("SSL_CERT_FILE", site.path("fleet.pem"));
        amend.args(["amend", "--site", "small", "--key", "keys/release"]);
        amend.args([
            "--trust",
            "trust",
            "--mirror",
            "mirror",
            "--from-token",
            token,
        ]);
        amend.args([
            "--from",
            &https(&edge),
            "--set",
            "pages/index.html=@index.html",
        ]);
        run(amend).await
    };
    site.write("wrong", "another-token-than-this");
    assert_ne!(amend("wrong").await.code, 0);
    amend("token").await.expect(0);
    edge.reaches(2).await;
    let page = edge.get("/").await;
    assert!(String::from_utf8_lossy(&page.body).contains("Closed: Small House"));
    // The new mirror has all of it.
    let other = site.edge().named("edge-2").start().await;
    assert_eq!(other.get("/pages/large.txt").await.body.len(), LARGE);
}
