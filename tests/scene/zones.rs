//! Garage, the geo-distributed store: three nodes, each a zone of its own, with one bucket.

use std::net::SocketAddr;
use std::process::Command;

use stage::process::Process;
use tempfile::TempDir;

use super::bucket::{KEY, SECRET, credentials};
use super::{Ended, Site, eventually, free, run};

/// Any 32 bytes that the nodes share.
const RPC_SECRET: &str = "1799bccfd7411eddcf9ebd316bc1f5287ad12a68094e1c6ac6abde7e6feae1ec";

/// Digits of a node's name that `garage status` shows.
const SHOWN: usize = 16;

/// Three zones. Their data and processes go with the value.
#[derive(Debug)]
pub(crate) struct Zones {
    nodes: Vec<Node>,
    dir: TempDir,
}

#[derive(Debug)]
struct Node {
    s3: SocketAddr,
    rpc: SocketAddr,
    process: Process,
}

impl Zones {
    /// `None` where Garage is not installed.
    #[track_caller]
    pub(crate) fn three() -> Option<impl Future<Output = Self>> {
        outside::have("garage").then(Self::start)
    }

    async fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("holdfast-").tempdir();
        let mut zones = Self {
            nodes: Vec::new(),
            dir: dir.unwrap(),
        };
        for zone in 0..3 {
            let (s3, rpc) = (free(), free());
            let text = format!(
                "metadata_dir = {meta:?}\ndata_dir = {data:?}\ndb_engine = \"sqlite\"\n\
                 replication_factor = 3\nrpc_bind_addr = \"{rpc}\"\nrpc_public_addr = \"{rpc}\"\n\
                 rpc_secret = \"{RPC_SECRET}\"\n\n[s3_api]\ns3_region = \"garage\"\n\
                 api_bind_addr = \"{s3}\"\nroot_domain = \".s3.localhost\"\n",
                meta = zones.dir.path().join(format!("meta-{zone}")),
                data = zones.dir.path().join(format!("data-{zone}")),
            );
            let config = zones.dir.path().join(format!("{zone}.toml"));
            fs_err::write(&config, text).unwrap();
            let mut serve = Command::new(outside::find("garage").unwrap());
            serve.arg("-c").arg(&config).arg("server");
            let log = zones.dir.path().join(format!("{zone}.log"));
            let process = Process::start(&format!("zone {zone}"), serve, &log);
            zones.nodes.push(Node {
                s3,
                rpc,
                process: process.unwrap_or_else(|error| panic!("{error:#}")),
            });
        }
        zones.join().await;
        zones
    }

    /// One cluster of the nodes, each in its own zone; a key, a bucket.
    async fn join(&self) {
        let mut ids = Vec::new();
        for (zone, node) in self.nodes.iter().enumerate() {
            eventually("a node to listen", async || {
                let ready = self.garage(zone, &["node", "id", "--quiet"]).await;
                tokio::net::TcpStream::connect(node.rpc).await.ok()?;
                (ready.code == 0).then_some(())
            })
            .await;
            let id = self
                .garage(zone, &["node", "id", "--quiet"])
                .await
                .expect(0);
            ids.push(id.out.trim().to_owned());
        }
        for (zone, _) in ids.iter().enumerate() {
            for id in &ids[zone + 1..] {
                self.garage(zone, &["node", "connect", id]).await.expect(0);
            }
        }
        let ids: Vec<&str> = ids.iter().map(|id| id.split('@').next().unwrap()).collect();
        for zone in 0..self.nodes.len() {
            // A connection is known at its other end a little later.
            eventually("every zone to see every other", async || {
                let seen = self.garage(zone, &["status"]).await;
                let (healthy, _) = seen.out.split_once("FAILED").unwrap_or((&seen.out, ""));
                ids.iter()
                    .all(|id| healthy.contains(&id[..SHOWN]))
                    .then_some(())
            })
            .await;
        }
        for (zone, id) in ids.iter().enumerate() {
            let name = format!("zone-{zone}");
            self.garage(0, &["layout", "assign", "-z", &name, "-c", "1G", id])
                .await
                .expect(0);
        }
        self.garage(0, &["layout", "apply", "--version", "1"])
            .await
            .expect(0);
        eventually("the layout to be known", async || {
            let made = self
                .garage(0, &["key", "import", "--yes", KEY, SECRET, "-n", "town"])
                .await;
            (made.code == 0).then_some(())
        })
        .await;
        self.garage(0, &["bucket", "create", "town"])
            .await
            .expect(0);
        let allow = [
            "bucket", "allow", "--read", "--write", "--owner", "town", "--key", KEY,
        ];
        self.garage(0, &allow).await.expect(0);
    }

    async fn garage(&self, zone: usize, arguments: &[&str]) -> Ended {
        let mut garage = Command::new(outside::find("garage").unwrap());
        garage
            .arg("-c")
            .arg(self.dir.path().join(format!("{zone}.toml")));
        garage.args(arguments);
        run(garage).await
    }

    /// The URL of the mirror as that zone shows it.
    pub(crate) fn mirror(&self, zone: usize, site: &Site) -> String {
        credentials(site);
        let key = site.path("s3.credentials");
        let (s3, key) = (self.nodes[zone].s3, key.display());
        format!("s3://town/mirror?endpoint=http://{s3}&region=garage&credentials={key}")
    }

    /// That zone is gone.
    pub(crate) fn lose(&mut self, zone: usize) {
        self.nodes[zone].process.kill();
    }
}
