//! A mirror as most people have one: a web server over a folder, set up by nobody.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use stage::ports;
use stage::process::Process;

/// A running nginx. Killed when dropped.
#[derive(Debug)]
pub(super) struct Nginx {
    /// Where it listens.
    pub(super) at: SocketAddr,
    process: Option<Process>,
}

impl Nginx {
    /// Serves `folder`; its own files lie in `dir`.
    pub(super) fn start(dir: &Path, folder: &Path) -> Result<Self> {
        fs_err::create_dir_all(dir)?;
        let at = ports::free(Ipv4Addr::LOCALHOST.into())?;
        // As root it would read as nobody, who may not look into a private folder.
        let text = format!(
            "user root;\ndaemon off;\nmaster_process off;\npid {dir}/pid;\nerror_log {dir}/error.log;\n\
             events {{ worker_connections 1024; }}\nhttp {{\n  access_log off;\n  \
             client_body_temp_path {dir}/t1;\n  proxy_temp_path {dir}/t2;\n  fastcgi_temp_path {dir}/t3;\n  \
             uwsgi_temp_path {dir}/t4;\n  scgi_temp_path {dir}/t5;\n  \
             server {{ listen {at}; root {folder}; }}\n}}\n",
            dir = dir.display(),
            folder = folder.display(),
        );
        let config = dir.join("nginx.conf");
        fs_err::write(&config, text)?;
        let mut nginx = Command::new("/usr/sbin/nginx");
        nginx
            .arg("-e")
            .arg(dir.join("error.log"))
            .arg("-c")
            .arg(&config);
        let process = Process::start("nginx", nginx, &dir.join("nginx.log"))?;
        Ok(Self {
            at,
            process: Some(process),
        })
    }

    /// Ends it for good.
    pub(super) fn stop(&mut self) {
        self.process = None;
    }
}
