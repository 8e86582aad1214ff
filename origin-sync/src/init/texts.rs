//! The files that `init` writes, commented for whoever opens them first.

use snapshot::{EdgeVersion, SiteName};

/// Where the edge of `edge.toml` listens.
pub(super) const PUBLIC: &str = "127.0.0.1:8080";
const CONTROL: &str = "127.0.0.1:8081";

pub(super) fn site(site: &SiteName, pages: &str) -> String {
    let oldest = EdgeVersion::THIS;
    format!(
        r#"# What of this site must stay readable when its origin is gone.
# `origin-sync publish` reads this file. Paths are relative to it. `origin-sync publish --every 1m`
# publishes again and again, so that pages stay fresh while nothing changes.

site = "{site}"                     # a-z, 0-9 and -
title = "{site}"                    # for readers; or by language: {{ ko = "..", en = ".." }}
languages = ["en"]                  # of its pages, the default first
min_edge = "{oldest}"                  # the oldest edge you still run: `edge --version`; no release
                                    # that needs a later one is published

# A part of the site that can fail or be switched on its own. Add one for each.
[service.pages]
title = "{site}"
meanwhile = ""                      # what still works meanwhile; shown in the banner
probe = "/"                         # path on the origin that tells whether it is alive again

# What ops say first when something happens, in every language: `edge order notice site --preset fire`.
# [notice.fire]                     # of one service: [service.pages.notice.fire]
# en = "A fire has stopped us. What was saved can still be read here."

# What is published: a folder of files ..
[collection.pages]
source = {{ folder = "{pages}" }}
complete = true                     # what is not in it does not exist: 404, not "try again later"

# .. or rows, which a component shows:
# [collection.clubs]
# source = {{ csv = "clubs.csv", key = "id" }}
# source = {{ ndjson = "clubs.ndjson", key = "id" }}
# source = {{ sqlite = "site.db", query = "select * from clubs", key = "id" }}
# json = ["tags"] beside `key` takes the texts of these fields in as JSON (csv, sqlite)
# privacy = "public"                # public | unlisted (the key is the secret) | sealed
# secret = "cap"                    # sealed: the field with the capability; it is not stored
#
# [component.view]
# file = "view.wasm"

# Which requests are answered how. `/{{*path}}` takes all: a/b asks for the file a/b, and a path
# that ends in / for its index.html.
[[route]]
path = "/{{*path}}"
assets = "pages"
# For components, with what they are when absent:
# component = "view"
# collections = ["clubs"]           # what it may read
# service = "pages"                 # needed once there are several
# isolation = "single"              # or "shared": one answer may serve many readers
# capability = ".."                 # a parameter of the path that logs and caches never see
# query = []                        # query parameters that the answer depends on
# now = false                       # whether it is told the minute
# always = false                    # answered from the snapshot in every mode
# rewrite = true                    # banner and data-needs / data-without markup
# status = false                    # a status page of your own making, see [status]
# stale-after = "10m"               # the page then says how old it is
# too-old-after = ".."              # and then that it is too old to be used; never, if absent
# urls = {{ csv = "clubs.csv" }}      # rows whose fields fill in the path, to count what answers

# /status.html, /status.json and /status.atom tell everyone what is down: from a component `view`.
[status]
serve = false                       # true, or no [status] at all, with [component.view] above
# component = "view"
# templates = "templates"           # a collection whose status.html takes the page's place

# What must answer from the snapshot alone before a release may be used.
[[canary]]
path = "/"
# language = "en"                   # the default language, if absent
# status = 200
# contains = "a text of the page"

[publish]
mirrors = ["mirror"]                # folders or s3://BUCKET/PREFIX; more than half must take a release
key = "keys/release"                # or agent:SHA256:.., agent:FILE.pub, env:NAME
# trust = "trust"                   # releases on mirrors count only if it accepts them
# cache = ".holdfast"               # the publisher's own copy; may be thrown away
"#
    )
}

pub(super) fn page(site: &SiteName) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{site}</title>\n</head>\n\
         <body>\n<h1>{site}</h1>\n<p>This page answers with its origin gone.</p>\n</body>\n</html>\n"
    )
}

pub(super) fn signers(publisher: (&str, &str), operator: (&str, &str)) -> String {
    format!(
        "# Whose signatures an edge believes, in OpenSSH's own form (ssh-keygen(1), ALLOWED SIGNERS).\n\
         # To end a key: valid-before=\"20271231Z\". To throw one out: remove its line.\n\
         {} namespaces=\"release@holdfast\" {}\n{} namespaces=\"order@holdfast,trust@holdfast\" {}\n",
        publisher.0, publisher.1, operator.0, operator.1
    )
}

pub(super) fn policy(site: &SiteName, publisher: &str, operator: &str) -> String {
    format!(
        r#"# What each person of allowed_signers may do: a publisher signs releases, an operator orders and the
# trust files that come after these.
[person."{publisher}"]
roles = ["publisher"]
sites = ["{site}"]

[person."{operator}"]
roles = ["operator"]
sites = ["{site}"]

# How many distinct persons (and keys) each statement needs.
[thresholds]
release = 1
order = 1
site-order = 1
trust = 1        # these two files, when they come signed (edge trust)
"#
    )
}

pub(super) fn edge(site: &SiteName) -> String {
    format!(
        r#"# An edge: edge serve --config edge.toml
name = "edge-1"
data = "edge-data"                  # its copy of the site

[listen]
public = "{PUBLIC}"           # readers
control = "{CONTROL}"          # /livez, /readyz, /status, /metrics: not for readers

[[site]]
name = "{site}"
hosts = ["*"]                       # the hosts it answers for; "*" is any
trust = "trust"                     # the folder with allowed_signers and trust.toml
mirrors = ["mirror"]                # folders, http:// or s3:// URLs
poll = "1s"
# status-hosts = ["status.example"]  # names under which / is the status page, and nothing else there
# origin = "http://127.0.0.1:9000"  # without one, every page comes from the snapshot
"#
    )
}

pub(super) fn ops(site: &SiteName) -> String {
    format!(
        r#"# For operators: edge order --ops ops.toml degrade SERVICE
site = "{site}"
mirrors = ["mirror"]
edges = ["http://{CONTROL}"]   # asked afterwards whether the order is in force
# peers = ["http://10.0.0.2:8443"]      # edges' peer listeners: orders are pushed there, mirrors or not
key = "keys/operator"
trust = "trust"
"#
    )
}
