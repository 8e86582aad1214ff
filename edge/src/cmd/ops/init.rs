//! `edge ops init`: writes `ops.toml`, in calm, for the night on which nobody should have to type.

use std::path::{Path, PathBuf};

use clap::Args;
use snapshot::SiteName;
use url::Url;

use crate::cmd::{Exit, Fault};
use crate::config::Config;
use crate::config::ops::{Ops, parse_edge, parse_peer};
use crate::signing::{AgentKey, KeySource};
use crate::sync::mirror;

pub(super) const HELP: &str = "\
Examples:
  edge ops init --site dasom --mirror s3://town-orders --edge http://10.0.0.1:8081 \\
      --peer https://10.0.0.1:8443 --key agent:operator.pub --trust trust
  edge ops init --from /etc/holdfast/edge.toml --key keys/operator /media/stick/ops.toml

One --edge and one --peer are the two listeners of one edge, and are written as one; of several nobody
knows which belong together: write those as pairs in the file.

Exit status:
   0  written
   1  it could not be written, or lies there already
  64  the command line or a settings file is wrong; nothing was written";

/// Writes `ops.toml`.
#[derive(Clone, Debug, Args)]
pub struct Init {
    /// Where to write it.
    #[arg(value_name = "FILE", default_value = "ops.toml")]
    file: PathBuf,
    /// The site the commands will be about.
    #[arg(long, value_name = "NAME")]
    site: Option<SiteName>,
    /// A mirror: file:///PATH, s3://BUCKET/PREFIX or a folder. May be given several times.
    #[arg(long = "mirror", value_name = "URL")]
    mirrors: Vec<String>,
    /// An edge's control listener. May be given several times.
    #[arg(long = "edge", value_name = "URL", value_parser = parse_edge)]
    edges: Vec<Url>,
    /// An edge's peer listener, which takes orders with every mirror gone. May be given several times.
    #[arg(long = "peer", value_name = "URL", value_parser = parse_peer)]
    peers: Vec<Url>,
    /// Certificates that sign those of the peers, where they are not the machine's.
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// The fleet's token: with it peers also tell what is published.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The operator's key: a file, agent:SHA256:..., agent:FILE.pub or env:NAME.
    #[arg(long, value_name = "SOURCE")]
    key: Option<KeySource>,
    /// The folder with allowed_signers and trust.toml.
    #[arg(long, value_name = "DIR")]
    trust: Option<PathBuf>,
    /// Take site, mirrors, peers, trust, control listener, the fleet's authority and its token from an
    /// edge's settings.
    #[arg(long, value_name = "EDGE.TOML")]
    from: Option<PathBuf>,
    /// Write over what lies there.
    #[arg(long)]
    force: bool,
    /// The peer listeners are those of other edges.
    #[arg(skip)]
    beside: bool,
}

impl Init {
    /// Writes the file. Blocking.
    pub(super) fn run(mut self) -> Result<Exit, Fault> {
        if let Some(from) = self.from.clone() {
            self.take(&from)?;
        }
        let Some(site) = self.site.clone() else {
            let fault = Fault::usage("which site? --site does not say");
            return Err(fault.hint("give --site NAME, or --from edge.toml"));
        };
        let file = std::path::absolute(&self.file).map_err(Fault::failed)?;
        let base = file.parent().unwrap_or(Path::new("/")).to_owned();
        let text = self.text(&site, &base)?;
        // What cannot be read back is a mistake here and now.
        Ops::parse(&file, &text, &base)?;
        let there = file.display();
        if file.exists() && !self.force {
            let fault = Fault::failed(format!("{there} is there already"));
            return Err(fault.hint("look whether it is the right one; --force writes over it"));
        }
        snapshot::durable::write(&file, text.as_bytes()).map_err(Fault::failed)?;
        println!(
            "{there}: written; see whether all is reached with  edge order show --ops {there}"
        );
        Ok(Exit::Done)
    }

    /// Fills in what was not given.
    fn take(&mut self, from: &Path) -> Result<(), Fault> {
        let config = Config::load(from)?;
        let wanted = self.site.as_ref();
        let names: Vec<&str> = config.sites.iter().map(|site| site.name.as_str()).collect();
        let site = match (wanted, config.sites.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(name), sites) => sites.iter().find(|site| site.name == *name),
        };
        let Some(site) = site else {
            let message = format!("{} has the sites {}", from.display(), names.join(", "));
            return Err(Fault::usage(message).hint("name one of them with --site"));
        };
        self.site = Some(site.name.clone());
        if self.mirrors.is_empty() {
            self.mirrors = site.mirrors.iter().map(ToString::to_string).collect();
        }
        if self.edges.is_empty() {
            let control = format!("http://{}", config.listen.control);
            self.edges = parse_edge(&control).into_iter().collect();
        }
        if self.peers.is_empty() {
            self.peers.clone_from(&site.peers);
            self.beside = true;
        }
        if self.authority.is_none() {
            self.authority.clone_from(&config.peer.authority);
        }
        if self.token_file.is_none() {
            self.token_file.clone_from(&config.peer.token_file);
        }
        if self.trust.is_none() {
            self.trust = Some(site.trust.clone());
        }
        Ok(())
    }

    fn text(&self, site: &SiteName, base: &Path) -> Result<String, Fault> {
        let here = Path::new(".");
        let mirrors = self
            .mirrors
            .iter()
            .map(|text| mirror::parse_url(text, here));
        let mirrors: Result<Vec<Url>, _> = mirrors.collect();
        let mirrors = mirrors.map_err(Fault::usage)?;
        let key = self.key.as_ref().map(|key| match key {
            KeySource::File(file) => beside(file, base),
            KeySource::Agent(AgentKey::File(file)) => format!("agent:{}", beside(file, base)),
            other => other.to_string(),
        });
        let file = |path: &Option<PathBuf>| path.as_deref().map(|path| beside(path, base));
        let (trust, authority, token) = (
            file(&self.trust),
            file(&self.authority),
            file(&self.token_file),
        );
        let (edges, peers) = match (self.edges.as_slice(), self.peers.as_slice()) {
            ([control], [peer]) if !self.beside => {
                let (control, peer) = (quoted(control.as_str()), quoted(peer.as_str()));
                let pair = format!("edges = [\n    {{ control = {control}, peer = {peer} }},\n]\n");
                (pair, list("peers", &[], "https://busan-2.example:8443"))
            }
            (edges, peers) => (
                list("edges", edges, "http://127.0.0.1:8081"),
                list("peers", peers, "https://busan-2.example:8443"),
            ),
        };
        Ok(format!(
            "# For the operators of {site}, so that nobody has to type this during an outage. It is small \
             enough\n# for a stick: beside it an order takes the `edge` program, the key, and one path that \
             is reached.\n# Files are named as seen from this one. See whether all is reached: edge order \
             show\n\n\
             site = {}\n\n\
             # Who signs: a file, \"agent:SHA256:...\", \"agent:FILE.pub\" (an ssh-agent, a hardware key), \
             or \"env:NAME\".\n{}\n\
             # Who is believed: the folder with allowed_signers and trust.toml. Strangers' orders are \
             passed over\n# with it, and it tells how many signatures an order takes, and whose.\n{}\n\
             # Where orders are written and releases read. With what a place shares with others,  edge \
             check  sees\n# when one failure would take several: \
             {{ url = \"s3://town\", network = \"kt\", provider = \"naver\" }}\n{}\n\
             # Edges, by their control listeners: they tell who obeys. Or in full: \
             {{ name = \"seoul-1\",\n# control = \"http://10.0.0.1:8081\", peer = \
             \"https://seoul-1.example:8443\", network = \"kt\" }}\n{}\n\
             # Peer listeners of edges that are not named above: orders are brought there too, which works \
             with every\n# mirror gone.\n{}\n\
             # Certificates that sign those of the peers, where they are not the machine's.\n{}\n\
             # The fleet's token: with it peers tell what is published, for previews with every mirror \
             gone.\n{}\n\
             # Networks that are gone with the origin; [] if none is.  edge check  finds names that point \
             there.\n{}",
            quoted(site.as_str()),
            line("key", key, "keys/operator"),
            line("trust", trust, "trust"),
            list("mirrors", &mirrors, "file:///srv/mirror"),
            edges,
            peers,
            line("authority", authority, "fleet.pem"),
            line("token_file", token, "fleet.token"),
            list("origin_networks", &[], "10.1.0.0/16"),
        ))
    }
}

/// A setting; what is not set stands there as an example.
fn line(key: &str, value: Option<String>, example: &str) -> String {
    match value {
        Some(value) => format!("{key} = {}\n", quoted(&value)),
        None => format!("# {key} = {}\n", quoted(example)),
    }
}

fn list(key: &str, urls: &[Url], example: &str) -> String {
    if urls.is_empty() {
        return format!("# {key} = [{}]\n", quoted(example));
    }
    let urls = urls
        .iter()
        .map(|url| format!("    {},\n", quoted(url.as_str())));
    format!("{key} = [\n{}]\n", urls.collect::<String>())
}

/// A TOML string: JSON's escapes are among its own.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The path as seen from `base`, where it lies below; a stick is mounted here and there.
fn beside(path: &Path, base: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let below = absolute.strip_prefix(base).unwrap_or(&absolute);
    below.display().to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        init: Init,
    }

    fn init(arguments: &[&str]) -> Result<Exit, Fault> {
        let line = [&["init"], arguments].concat();
        Line::parse_from(line).init.run()
    }

    #[test]
    fn what_is_written_is_what_was_given_and_the_rest_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let file = at("ops.toml");
        let (key, mirror) = (at("keys/op\"er"), at("mirror"));
        let given = [
            &file,
            "--site",
            "dasom",
            "--mirror",
            &mirror,
            "--mirror",
            "s3://town",
            "--edge",
            "http://10.0.0.1:8081",
            "--peer",
            "https://busan-2.example:8443",
            "--key",
            &key,
        ];
        assert_eq!(init(&given).unwrap(), Exit::Done);
        let ops = Ops::load(Path::new(&file)).unwrap();
        assert_eq!(ops.key, Some(KeySource::File(key.into())));
        assert_eq!(ops.mirrors.len(), 2);
        // The two listeners of one edge, which is counted once.
        let [edge] = ops.edges.as_slice() else {
            panic!("{:?}", ops.edges);
        };
        assert!(edge.control.is_some() && edge.peer.is_some());
        let text = fs_err::read_to_string(&file).unwrap();
        assert!(
            text.contains("# origin_networks = [\"10.1.0.0/16\"]"),
            "{text}"
        );
        assert!(text.contains("key = \"keys/op\\\"er\""), "{text}");
        assert!(text.contains("# trust = \"trust\""), "{text}");
        // Nothing is written over by accident.
        let again = init(&[&file, "--site", "other"]).unwrap_err();
        assert_eq!(again.exit(), Exit::Failed);
        assert!(again.to_string().contains("--force"), "{again}");
        assert_eq!(fs_err::read_to_string(&file).unwrap(), text);
        init(&[&file, "--site", "other", "--force"]).unwrap();
        let ops = Ops::load(Path::new(&file)).unwrap();
        assert_eq!(ops.site, Some("other".parse().unwrap()));
        assert_eq!(init(&[&at("none.toml")]).unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn an_edges_settings_say_most_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let (signers, roles) = crate::fixture::trust_files();
        fs_err::create_dir(dir.path().join("trust")).unwrap();
        fs_err::write(dir.path().join("trust/allowed_signers"), signers).unwrap();
        fs_err::write(dir.path().join("trust/trust.toml"), roles).unwrap();
        let edge = dir.path().join("edge.toml");
        fs_err::write(dir.path().join("fleet.token"), "the-token-of-this-fleet").unwrap();
        let authority = rcgen::generate_simple_self_signed(vec!["fleet".to_owned()]).unwrap();
        fs_err::write(dir.path().join("fleet.pem"), authority.cert.pem()).unwrap();
        let text = "name = \"seoul-1\"\n[listen]\ncontrol = \"127.0.0.1:9081\"\n[peer]\n\
                    token_file = \"fleet.token\"\nauthority = \"fleet.pem\"\n[[site]]\n\
                    name = \"dasom\"\nhosts = [\"*\"]\ntrust = \"trust\"\nmirrors = [\"mirror\"]\n\
                    peers = [\"https://busan-1.example:8443\"]\n";
        fs_err::write(&edge, text).unwrap();
        let file = dir.path().join("ops.toml");
        let (edge, name) = (edge.display().to_string(), file.display().to_string());
        init(&[&name, "--from", &edge]).unwrap();
        let ops = Ops::load(&file).unwrap();
        assert_eq!(ops.site, Some("dasom".parse().unwrap()));
        assert_eq!(ops.trust, Some(dir.path().join("trust")));
        assert_eq!(
            ops.edges[0].control.as_ref().unwrap().as_str(),
            "http://127.0.0.1:9081/"
        );
        assert_eq!(ops.mirrors.len(), 1);
        assert_eq!(ops.token_file, Some(dir.path().join("fleet.token")));
        assert_eq!(ops.authority, Some(dir.path().join("fleet.pem")));
        // Whom it asks are other edges than it.
        assert_eq!((ops.edges.len(), &ops.edges[0].peer), (2, &None));
        let peer = "https://seoul-1.example:8443";
        init(&[&name, "--force", "--from", &edge, "--peer", peer]).unwrap();
        assert_eq!(Ops::load(&file).unwrap().edges.len(), 1);
        let other = init(&[&name, "--force", "--from", &edge, "--site", "other"]);
        let other = other.unwrap_err();
        assert!(other.to_string().contains("has the sites dasom"), "{other}");
    }
}
