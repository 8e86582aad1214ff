//! Every mistake of a settings file, by its place.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::fixture::trust_files;

fn with_trust() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (signers, roles) = trust_files();
    let trust = dir.path().join("trust");
    fs_err::create_dir(&trust).unwrap();
    fs_err::write(trust.join("allowed_signers"), signers).unwrap();
    fs_err::write(trust.join("trust.toml"), roles).unwrap();
    dir
}

const SITE: &str = "[[site]]\nname = \"dasom\"\nhosts = [\"localhost\"]\ntrust = \"trust\"\n\
                    mirrors = [\"mirror\"]\n";

/// What is said of `source`, a settings file beside sound trust files.
fn mistakes(source: &str) -> Vec<String> {
    let dir = with_trust();
    match Config::parse(Path::new("edge.toml"), source, dir.path()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .list()
            .iter()
            .map(|problem| problem.message.clone())
            .collect(),
    }
}

/// The one mistake of a file that is sound but for `extra` at its top and `site` in its site.
fn mistake(extra: &str, site: &str) -> String {
    let found = mistakes(&format!("name = \"seoul-1\"\n{extra}\n{SITE}{site}\n"));
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_short_file_is_enough() {
    let dir = with_trust();
    let source = format!("name = \"seoul-1\"\n{SITE}");
    let config = Config::parse(Path::new("edge.toml"), &source, dir.path()).unwrap();
    assert_eq!(config.data, dir.path().join("edge-data"));
    assert!(config.listen.control.ip().is_loopback());
    let site = &config.sites[0];
    assert_eq!((site.poll, &site.origin), (POLL, &None));
    assert_eq!(site.scrub, SCRUB);
    assert_eq!(
        site.mirrors[0].to_file_path().unwrap(),
        dir.path().join("mirror")
    );
    assert_eq!(site.hosts, [Host::Name("localhost".to_owned())]);
}

#[test]
fn a_fleet_is_bounded_and_named_by_control_listeners() {
    let fleet = |edges: usize| {
        let edges = vec!["\"http://10.0.0.1:8081\""; edges].join(", ");
        format!("[fleet]\nedges = [{edges}]")
    };
    let most = crate::fleet::EDGES;
    let sound = format!("name = \"x\"\n{}\n{SITE}", fleet(most));
    assert_eq!(mistakes(&sound), [""; 0]);
    let many = mistake(&fleet(most + 1), "");
    assert!(
        many.contains(&format!("`edges` has {} entries", most + 1)),
        "{many}"
    );
    let wrong = mistake("[fleet]\nedges = [\"https://busan-2.example\"]", "");
    assert!(wrong.contains("is not a control listener"), "{wrong}");
}

#[test]
fn all_mistakes_come_together_in_the_order_of_the_file() {
    let source = "data = 3\nport = 80\n[listen]\npublic = \"here\"\n[[site]]\nname = \"Dasom\"\n\
                  hosts = [\"a b\", 7]\ntrust = \"trust\"\nmirrors = [\"ftp://b\"]\npoll = \"1\"\n\
                  origin = \"https://x\"\n";
    let dir = with_trust();
    let problems = Config::parse(Path::new("edge.toml"), source, dir.path()).unwrap_err();
    let text = problems.to_string();
    for expected in [
        "the file needs `name`",
        "edge.toml:1:8",
        "`data` must be a text in quotes, not an integer",
        "edge.toml:2:1",
        "the file has no key `port`",
        "expected one of: name, data, listen, sync, peer, on_change, fleet, site",
        "`public` is not an address: \"here\"",
        "\"Dasom\" is not a site name",
        "edge.toml:7:",
        "not a host name: \"a b\"",
        "an entry of `hosts` must be a text in quotes, not an integer",
        "\"ftp://b\" is not a mirror",
        "`poll` is not a duration: \"1\"",
        "`origin` is not usable: \"https://x\"",
        "10 mistakes; nothing was done",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
    }
    let places: Vec<_> = problems
        .list()
        .iter()
        .filter_map(|problem| problem.span)
        .collect();
    assert!(places.is_sorted_by_key(|span| span.start));
}

#[test]
fn contradictions_are_found() {
    let site =
        "[[site]]\nname = \"b\"\nhosts = [\"LOCALHOST\"]\ntrust = \"trust\"\nmirrors = [\"m\"]";
    for (extra, tail, expected) in [
        (
            "[listen]\npublic = \"127.0.0.1:80\"\ncontrol = \"127.0.0.1:80\"",
            "",
            "`public` and `control` are both 127.0.0.1:80",
        ),
        (
            "[listen]\ncontrol = \"127.0.0.1:8080\"",
            "",
            "are both 127.0.0.1:8080",
        ),
        (
            "",
            "origin = \"http://127.0.0.1:8080\"",
            "`origin` is this edge itself",
        ),
        ("", "hosts2 = []", "this site has no key `hosts2`"),
        ("", "poll = \"2h\"", "`poll` is"),
        ("", "scrub = 1073741825", "`scrub` is"),
        ("", "scrub = -1", "`scrub` is"),
        ("", "poll = \"1ms\"", "`poll` is"),
    ] {
        let found = mistake(extra, tail);
        assert!(found.contains(expected), "{found}");
    }
    let found = mistakes(&format!("name = \"x\"\n{SITE}{site}"));
    assert!(
        found.contains(&"host localhost is named twice".to_owned()),
        "{found:?}"
    );
    let found = mistakes(&format!("name = \"x\"\n{SITE}{SITE}"));
    assert!(
        found.contains(&"two sites are named dasom".to_owned()),
        "{found:?}"
    );
    let twice = SITE.replace("[\"mirror\"]", "[\"mirror\", \"./mirror/\"]");
    let found = mistakes(&format!("name = \"x\"\n{twice}"));
    assert!(found[0].contains("is named twice"), "{found:?}");
}

#[test]
fn any_port_may_be_asked_for_twice() {
    let listen = "[listen]\npublic = \"127.0.0.1:0\"\ncontrol = \"127.0.0.1:0\"";
    assert_eq!(
        mistakes(&format!("name = \"x\"\n{listen}\n{SITE}")),
        Vec::<String>::new()
    );
}

#[test]
fn without_trust_an_edge_does_not_start() {
    let absent = mistakes(&format!(
        "name = \"x\"\n{}",
        SITE.replace("\"trust\"", "\"nowhere\"")
    ));
    assert_eq!(absent.len(), 2, "{absent:?}");
    assert!(absent[0].contains("nowhere/allowed_signers"), "{absent:?}");
    for (file, text, expected) in [
        (
            "allowed_signers",
            "\n",
            "is empty: nobody would be believed",
        ),
        ("trust.toml", "", "is empty: nobody would be believed"),
        (
            "trust.toml",
            "[person.\"sora@dasom.example\"]\nroles = [\"boss\"]\n",
            "trust.toml:",
        ),
        (
            "allowed_signers",
            "sora@dasom.example ssh-ed25519 AAAA\n",
            "allowed_signers:1:",
        ),
    ] {
        let dir = with_trust();
        fs_err::write(dir.path().join("trust").join(file), text).unwrap();
        let source = format!("name = \"x\"\n{SITE}");
        let problems = Config::parse(Path::new("edge.toml"), &source, dir.path()).unwrap_err();
        assert!(problems.to_string().contains(expected), "{problems}");
    }
}

#[test]
fn trust_for_another_site_is_no_trust() {
    let other = SITE.replace("\"dasom\"", "\"other\"");
    let found = mistakes(&format!("name = \"x\"\n{other}"));
    assert!(
        found[0].contains("nobody can sign releases of site other"),
        "{found:?}"
    );
}

#[test]
fn limits_hold() {
    let many = vec!["\"a\""; MIRRORS + 1].join(",");
    let mirrors = SITE.replace("\"mirror\"", &many);
    let found = mistakes(&format!("name = \"x\"\n{mirrors}"));
    assert!(
        found.contains(&format!("`mirrors` has {} entries", MIRRORS + 1)),
        "{found:?}"
    );
    let hosts: Vec<String> = (0..=HOSTS).map(|n| format!("\"h{n}\"")).collect();
    let hosts = SITE.replace("\"localhost\"", &hosts.join(","));
    let found = mistakes(&format!("name = \"x\"\n{hosts}"));
    assert!(
        found.contains(&format!("`hosts` has {} entries", HOSTS + 1)),
        "{found:?}"
    );
    let found = mistakes(&format!("name = \"x\"\n{}", SITE.repeat(SITES + 1)));
    assert!(
        found.contains(&format!("{} sites; at most {SITES}", SITES + 1)),
        "{found:?}"
    );
    assert!(
        mistakes(&format!(
            "name = \"{}\"\n{SITE}",
            "x".repeat(NAME_BYTES + 1)
        ))
        .len()
            == 1
    );
}

#[test]
fn what_is_not_toml_is_shown_at_its_place() {
    let found = mistakes("name = \"x\"\nname = \"y\"\n");
    assert_eq!(found, ["not TOML: duplicate key: `name`"]);
    assert!(mistakes("name = \n")[0].starts_with("not TOML"));
    assert!(mistakes("")[0].contains("needs `name`"));
    assert!(mistakes("name = \"x\"\nsite = 3\n").len() == 2);
}

#[test]
fn ops_are_read_beside_their_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ops.toml");
    let text = "site = \"dasom\"\nmirrors = [\"mirror\"]\nedges = [\"http://127.0.0.1:8081\"]\n\
                peers = [\"https://busan-2.example:8443\"]\nauthority = \"fleet.pem\"\n\
                key = \"keys/operator\"\n";
    fs_err::write(&path, text).unwrap();
    let ops = ops::Ops::load(&path).unwrap();
    let key = crate::signing::KeySource::File(dir.path().join("keys/operator"));
    assert_eq!(ops.key, Some(key));
    assert_eq!(
        ops.edges[1].peer.as_ref().unwrap().as_str(),
        "https://busan-2.example:8443/"
    );
    assert_eq!(ops.authority, Some(dir.path().join("fleet.pem")));
    assert_eq!(
        ops.mirrors[0].url.to_file_path().unwrap(),
        dir.path().join("mirror")
    );
    let text = "site = \"D\"\nmirrors = [\"ftp://b\"]\nedges = [\"here\"]\npeers = [\"mirror\"]\nkey = \"\"\nwho = 1\n";
    fs_err::write(&path, text).unwrap();
    assert_eq!(ops::Ops::load(&path).unwrap_err().list().len(), 6);
}

#[test]
fn a_mirror_is_asked_neither_too_often_nor_too_seldom() {
    for (poll, fits) in [
        ("50ms", true),
        ("49ms", false),
        ("1h", true),
        ("3601s", false),
    ] {
        let source = format!("name = \"x\"\n{SITE}poll = \"{poll}\"\n");
        assert_eq!(mistakes(&source).is_empty(), fits, "{poll}");
    }
}

#[test]
fn a_cap_that_would_stop_sync_is_a_mistake() {
    let found = mistake("[sync]\nbandwidth = 16383", "");
    assert_eq!(found, "`bandwidth` is 16383 bytes a second");
    let dir = with_trust();
    let source = format!("name = \"seoul-1\"\n[sync]\nbandwidth = 16384\n{SITE}");
    let config = Config::parse(Path::new("edge.toml"), &source, dir.path()).unwrap();
    assert_eq!(config.sync.bandwidth, Some(BANDWIDTH_LEAST));
}

#[test]
fn what_stays_on_an_edge_has_limits() {
    let dir = with_trust();
    let source = format!("name = \"x\"\n{SITE}keep = {KEEP_MOST}\ngrace = \"0s\"\n");
    let config = Config::parse(Path::new("edge.toml"), &source, dir.path()).unwrap();
    let keep = config.sites[0].keep;
    assert_eq!((keep.releases, keep.grace), (KEEP_MOST, Duration::ZERO));
    for number in [1, KEEP_MOST + 1] {
        let found = mistake("", &format!("keep = {number}"));
        assert_eq!(found, format!("`keep` is {number}"));
    }
}

#[test]
fn lazy_collections_are_named_and_their_cache_has_a_least() {
    let dir = with_trust();
    let given = format!("lazy = [\"assets\"]\nlazy-cache = {LAZY_CACHE_LEAST}\n");
    let source = format!("name = \"x\"\n{SITE}{given}");
    let config = Config::parse(Path::new("edge.toml"), &source, dir.path()).unwrap();
    let lazy = &config.sites[0].lazy;
    assert!(lazy.collections.contains(&"assets".parse().unwrap()));
    assert_eq!(lazy.cache_bytes, LAZY_CACHE_LEAST);
    let found = mistake("", "lazy-cache = 1048575");
    assert_eq!(found, "`lazy-cache` is 1048575 bytes");
    let found = mistake("", "lazy = [\"No\"]");
    assert!(found.contains("\"No\""), "{found}");
}

#[test]
fn peers_and_strangers_are_told_apart_or_nothing_starts() {
    let peer = "peers = [\"https://b.example:8443\"]";
    for (extra, tail, expected) in [
        (
            "",
            peer,
            "peer https://b.example:8443/ would be shown nothing",
        ),
        (
            "[peer]\nlisten = \"127.0.0.1:8443\"",
            "",
            "nobody could be told from a stranger here",
        ),
        (
            "[peer]\nlisten = \"here\"\ntoken_file = \"token\"",
            "",
            "`listen` is not an address: \"here\"",
        ),
        (
            "[peer]\ncertificate = \"trust\"",
            "",
            "`certificate` and `key` go together",
        ),
        (
            "[peer]\nbandwidth = 16383",
            "",
            "`bandwidth` is 16383 bytes a second",
        ),
        (
            "[peer]\ntoken_file = \"token\"",
            "peers = [\"folder\"]",
            "/folder is no peer",
        ),
    ] {
        let dir = with_trust();
        fs_err::write(dir.path().join("token"), "a-token-that-is-long").unwrap();
        let source = format!("name = \"seoul-1\"\n{extra}\n{SITE}{tail}\n");
        let found = Config::parse(Path::new("edge.toml"), &source, dir.path()).unwrap_err();
        let found = found.list();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.ends_with(expected), "{found:?}");
    }
    let found = mistake("[peer]\ntoken_file = \"gone\"", "");
    assert!(
        found.starts_with("the token in ") && found.contains("gone"),
        "{found}"
    );
    let found = mistake("[peer]\nauthority = \"trust/trust.toml\"", "");
    assert!(found.contains("no certificate in it"), "{found}");
}

#[test]
fn a_site_may_have_peers_alone_and_not_too_many() {
    let dir = with_trust();
    fs_err::write(dir.path().join("token"), "a-token-that-is-long").unwrap();
    let site = SITE.replace("mirrors = [\"mirror\"]\n", "");
    let parse = |peers: usize| {
        let peers: Vec<String> = (0..peers).map(|n| format!("\"http://b{n}:80\"")).collect();
        let peers = format!("peers = [{}]\n", peers.join(","));
        let source = format!("name = \"x\"\n[peer]\ntoken_file = \"token\"\n{site}{peers}");
        Config::parse(Path::new("edge.toml"), &source, dir.path())
    };
    let config = parse(PEERS).unwrap();
    assert_eq!(
        (config.sites[0].mirrors.len(), config.sites[0].peers.len()),
        (0, PEERS)
    );
    let found = parse(PEERS + 1).unwrap_err();
    assert_eq!(
        found.list()[0].message,
        format!("`peers` has {} entries", PEERS + 1)
    );
}

#[test]
fn programs_of_on_change_are_looked_at_before_anything_runs() {
    let program = |lines: &str| format!("[[on_change]]\n{lines}\n");
    let words = vec!["\"x\""; PROGRAM_WORDS + 1].join(",");
    for (lines, expected) in [
        ("time = \"1s\"", "this on_change needs `run`"),
        ("run = [\"./pager\"]", "there is no program "),
        ("run = []", "`run` has 0 entries"),
        (&format!("run = [{words}]"), "`run` has 65 entries"),
        ("run = [\"true\"]\ntime = \"601s\"", "`time` is \"601s\""),
        (
            "run = [\"true\"]\nonly = [\"noise\"]",
            "nobody is told of \"noise\"",
        ),
    ] {
        let found = mistake(&program(lines), "");
        assert!(found.starts_with(expected), "{found}");
    }
    let many = program("run = [\"true\"]").repeat(PROGRAMS + 1);
    assert_eq!(mistake(&many, ""), "9 programs; at most 8");
    let dir = with_trust();
    fs_err::write(dir.path().join("pager"), "").unwrap();
    let two = program("run = [\"./pager\", \"web\"]\ntime = \"1s\"") + &program("run = [\"true\"]");
    let source = format!("name = \"seoul-1\"\n{two}{SITE}age-alarm = \"2h\"\n");
    let config = Config::parse(Path::new("edge.toml"), &source, dir.path()).unwrap();
    let [pager, other] = &config.on_change[..] else {
        panic!("{:?}", config.on_change);
    };
    let named = dir.path().join("pager").display().to_string();
    assert_eq!(
        (&pager.run[0], pager.time),
        (&named, Duration::from_secs(1))
    );
    assert_eq!((other.run[0].as_str(), other.time), ("true", PROGRAM_TIME));
    assert_eq!(config.sites[0].age_alarm, Some(Duration::from_secs(7200)));
}

#[test]
fn an_age_that_alarms_is_a_duration_of_a_second_or_more() {
    let found = mistake("", "age-alarm = \"999ms\"");
    assert_eq!(found, "`age-alarm` is \"999ms\"");
}
