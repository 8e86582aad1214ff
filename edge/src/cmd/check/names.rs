//! Names that the edges need: whether any of them would be gone with the origin.
//!
//! A name that only the origin's own name servers know is found out by how it looks, by where it
//! points, and by who is asked: an address of the origin's networks, which `ops.toml` lists as
//! `origin_networks`, is of no use once the origin is gone.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::lookup_host;
use tokio::time::timeout;
use url::{Host, Url};

use super::finding::{Finding, Topic};

/// How long one name may take to resolve.
const PATIENCE: Duration = Duration::from_secs(3);
/// Ends of names that no public name server knows (RFC 6761, RFC 6762, RFC 8375, and ICANN's
/// reservation of `internal`), and what networks of their own are commonly called.
const PRIVATE: &[&str] = &[
    "internal",
    "local",
    "localdomain",
    "lan",
    "intranet",
    "corp",
    "home.arpa",
    "private",
    "svc",
    "cluster.local",
    "consul",
];

/// Looks at the host of each URL, and at the machine's own name servers.
pub(super) async fn findings(
    urls: &[Url],
    origin: Option<&[IpNet]>,
    resolvers: &[IpAddr],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if origin.is_none() {
        let why = "which networks go with the origin is not known";
        let remedy =
            "name origin_networks in ops.toml, as in [\"10.1.0.0/16\"]; [] if there are none";
        findings.push(Finding::unseen(Topic::Names, why, remedy));
    }
    let origin = origin.unwrap_or_default();
    let hosts: BTreeSet<Host<&str>> = urls.iter().filter_map(Url::host).collect();
    let mut names = false;
    for host in hosts {
        match host {
            Host::Domain(name) => {
                names = true;
                let addresses = addresses(lookup_host((name, 443)), PATIENCE).await;
                findings.extend(of_name(name, &addresses, origin));
            }
            Host::Ipv4(ip) => findings.extend(of_address(ip.into(), origin)),
            Host::Ipv6(ip) => findings.extend(of_address(ip.into(), origin)),
        }
    }
    let inside = resolvers.iter().filter(|ip| within(**ip, origin)).count();
    if names && inside > 0 && inside == resolvers.len() {
        let problem = "every name server of this machine stands in the origin's network";
        let remedy = "add one outside to /etc/resolv.conf, or write addresses instead of names";
        findings.push(Finding::new(Topic::Names, problem, remedy));
    }
    findings
}

/// The name servers that `text`, a resolv.conf(5), names.
pub(super) fn resolvers(text: &str) -> Vec<IpAddr> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"));
    let servers = lines.filter_map(|rest| rest.split_whitespace().next());
    servers
        .filter_map(|server| server.split('%').next()?.parse().ok())
        .collect()
}

/// What a name resolves to; nothing, if that takes too long.
async fn addresses<A>(
    resolving: impl Future<Output = io::Result<A>>,
    patience: Duration,
) -> Vec<IpAddr>
where
    A: Iterator<Item = SocketAddr>,
{
    let found = timeout(patience, resolving).await.ok();
    let found = found.and_then(Result::ok).into_iter().flatten();
    found.map(|address| address.ip()).collect()
}

fn within(address: IpAddr, origin: &[IpNet]) -> bool {
    origin.iter().any(|network| network.contains(&address))
}

fn of_address(address: IpAddr, origin: &[IpNet]) -> Option<Finding> {
    let network = origin.iter().find(|network| network.contains(&address))?;
    let problem = format!("{address} stands in the origin's network {network}");
    let remedy = "use a mirror or an edge that stands elsewhere";
    Some(Finding::new(Topic::Names, problem, remedy))
}

fn of_name(name: &str, addresses: &[IpAddr], origin: &[IpNet]) -> Option<Finding> {
    let bare = name.trim_end_matches('.').to_ascii_lowercase();
    if bare == "localhost" {
        return None;
    }
    let ends = |end: &&&str| {
        bare.strip_suffix(**end)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    let (problem, remedy) = if let Some(end) = PRIVATE.iter().find(ends) {
        (
            format!("{name} ends in .{end}, which resolves only inside"),
            "give it a public name, or write its address",
        )
    } else if !bare.contains('.') {
        (
            format!("{name} has no domain: it resolves only where a search list adds one"),
            "write the whole name, or its address",
        )
    } else if addresses.is_empty() {
        (
            format!("{name} does not resolve from here"),
            "mend the name, or write its address",
        )
    } else if addresses.iter().all(|address| within(*address, origin)) {
        (
            format!("{name} points only into the origin's network"),
            "use a mirror or an edge that stands elsewhere",
        )
    } else {
        return None;
    };
    Some(Finding::new(Topic::Names, problem, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_goes_with_the_origin_is_found() {
        let origin: Vec<IpNet> = vec!["10.1.0.0/16".parse().unwrap()];
        let (inside, outside): (IpAddr, IpAddr) = ([10, 1, 2, 3].into(), [192, 0, 2, 1].into());
        for (name, addresses, found) in [
            ("mirror.example", vec![outside], None),
            ("mirror.example", vec![inside, outside], None),
            ("mirror.example", vec![inside], Some("points only into")),
            ("mirror.example", vec![], Some("does not resolve")),
            (
                "mirror.dc1.internal",
                vec![outside],
                Some("ends in .internal"),
            ),
            ("minio", vec![outside], Some("has no domain")),
            ("notinternal.example", vec![outside], None),
            ("localhost", vec![], None),
        ] {
            let finding = of_name(name, &addresses, &origin);
            let problem = finding.map(|finding| finding.problem);
            assert_eq!(problem.is_some(), found.is_some(), "{name}: {problem:?}");
            if let (Some(problem), Some(found)) = (problem, found) {
                assert!(problem.contains(found), "{problem}");
            }
        }
        assert!(of_address(inside, &origin).is_some());
        assert!(of_address(outside, &origin).is_none());
    }

    #[tokio::test]
    async fn a_name_that_takes_too_long_does_not_resolve() {
        let never = std::future::pending::<io::Result<std::vec::IntoIter<SocketAddr>>>();
        assert!(addresses(never, Duration::from_millis(1)).await.is_empty());
    }

    #[tokio::test]
    async fn name_servers_of_the_origin_are_found_only_where_names_are_used() {
        let origin: Vec<IpNet> = vec!["10.1.0.0/16".parse().unwrap()];
        let servers =
            resolvers("# ours\nnameserver 10.1.0.53\n nameserver fe80::1%eth0\nsearch dc\n");
        assert_eq!(servers.len(), 2);
        let ours = servers.get(..1).unwrap();
        let names: Vec<Url> = vec!["http://localhost:1/".parse().unwrap()];
        let numbers: Vec<Url> = vec!["http://192.0.2.1:1/".parse().unwrap()];
        let origin = Some(origin.as_slice());
        assert_eq!(findings(&names, origin, ours).await.len(), 1);
        assert_eq!(findings(&names, origin, &servers).await.len(), 0);
        assert_eq!(findings(&numbers, origin, ours).await.len(), 0);
        // Who does not say which those are is not told that all is well.
        let unsaid = findings(&numbers, None, ours).await;
        assert!(
            unsaid[0]
                .remedy
                .starts_with("name origin_networks in ops.toml")
        );
        assert_eq!(findings(&numbers, Some(&[]), ours).await.len(), 0);
    }
}
