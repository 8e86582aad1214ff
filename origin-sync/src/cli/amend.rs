//! `origin-sync amend`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use clap::Args;
use edge::peer::Token;
use edge::sync::Mirror;
use edge::sync::mirror::{Shown, parse_url};
use serde_json::{Value as Json, json};
use snapshot::{CollectionName, Manifest, Sequence, SiteName};

use super::press::{PressArgs, open, progress, show};
use super::said::{line_of, print};
use super::{Failure, runtime};
use crate::build::{AMENDED, AmendError, BuildError, ByHand};
use crate::config::Site;
use crate::exit::{Exit, TABLE};
use crate::inspect::Inspector;
use crate::mirror::Mirrors;
use crate::publish::{Amend, PublishError, Publisher, wall_clock};
use crate::source::{self, Given};

/// Change records by hand in the newest release that any source still has, and publish that: no
/// database, no origin
///
/// For the hour in which the origin and its database are gone and a page must change all the same.
/// The newest release that --from and the mirrors have whole is taken; what is given by hand is put
/// into it; the difference is shown, the canaries are asked with no origin in reach, and the result is
/// signed and published like any other release. Everything else comes from the release: no source is
/// read, and with --site, --mirror, --key and --trust no site.toml is needed; what is fetched is
/// then kept in .holdfast, in the working directory. The data keeps the time that it is true of.
///
/// The release remembers which records were changed by hand. The next `origin-sync publish` that finds
/// the sources to say otherwise lists them and asks, or takes --keep-amended or --take-source.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
pub(super) struct AmendArgs {
    /// Where the release may come from, besides the mirrors that are published to: a mirror, as a
    /// folder or a URL, or an edge, as the https:// or http:// URL of its peer listener; may be
    /// repeated
    #[arg(long, value_name = "PLACE")]
    from: Vec<String>,
    /// A file with the token that edges want to be shown; sent to each https:// and http:// place of
    /// --from. An edge's certificate is judged by the authorities of this machine; SSL_CERT_FILE names
    /// others
    #[arg(long, value_name = "FILE", requires = "from")]
    from_token: Option<PathBuf>,
    /// The number of the release to change, instead of the newest that is whole
    #[arg(long, value_name = "N")]
    release: Option<u64>,
    /// The file's bytes become the value of KEY, of a public collection; may be repeated
    #[arg(long, value_name = "COLLECTION/KEY=@FILE")]
    set: Vec<String>,
    /// KEY goes; of a private collection KEY is the id or the capability. May be repeated
    #[arg(long, value_name = "COLLECTION/KEY")]
    delete: Vec<String>,
    /// Every file below DIR becomes the value of its path, of a public collection; may be repeated
    #[arg(long, value_name = "COLLECTION=DIR")]
    folder: Vec<String>,
    /// A line {"put": ROW, "key": "KEY"} or {"delete": "KEY"} for each record, in FILE or on
    /// standard input (-). KEY is the id or the capability of a private record; it may be left out
    /// where site.toml says which field of ROW it is. May be repeated
    #[arg(long, value_name = "COLLECTION=FILE")]
    changes: Vec<String>,
    /// Show the difference and ask the canaries, and publish nothing
    #[arg(long)]
    dry_run: bool,
    /// Publish although a collection loses more than 30 per cent of its records by it
    #[arg(long)]
    accept_shrink: bool,
    /// The site's name; then no site.toml is read
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    #[command(flatten)]
    press: PressArgs,
    /// End with one line of JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: AmendArgs) -> Result<Exit, Failure> {
    let given = given(&args)?;
    let site = declared(&args)?;
    let signer = args.press.key(&site)?;
    let publisher = open(site, &signer)?;
    let from = sources(&args, &publisher)?;
    let inspector = Inspector::new(from, publisher.trust.clone(), wall_clock())?;
    let shown = Mutex::new((0, Vec::new()));
    let progress = progress();
    let amend = Amend {
        from: &inspector,
        release: args.release.map(Sequence),
        by_hand: &|manifest| by_hand(&given, manifest, &publisher),
        differs: &|base, amendments| {
            eprintln!(
                "{}",
                super::shown::amendments(base, amendments, &publisher.store)
            );
            let all = amendments
                .iter()
                .map(super::shown::amendment_json)
                .collect();
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            *shown = (base.release.sequence.0, all);
        },
        accept_shrink: args.accept_shrink,
        dry_run: args.dry_run,
    };
    let done = runtime()?.block_on(publisher.amend(&amend, wall_clock, &*progress));
    progress.done();
    let report = done?;
    let (of, amended) = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut line = match &report {
        Some(report) => report.json(),
        None => json!({ "result": "dry-run", "exit": Exit::Done as u8 }),
    };
    if let Some(fields) = line.as_object_mut() {
        fields.insert("amends".to_owned(), of.into());
        fields.insert("amended".to_owned(), Json::Array(amended));
    }
    match report {
        Some(report) => {
            show(&report, args.json.then_some(line));
            Ok(report.exit)
        }
        None => {
            eprintln!("the canaries answer; nothing was published (--dry-run)");
            if args.json {
                print(&line_of(&line))?;
            }
            Ok(Exit::Done)
        }
    }
}

fn declared(args: &AmendArgs) -> Result<Site, Failure> {
    let Some(name) = &args.site else {
        return args.press.declared();
    };
    let name: Result<SiteName, _> = name.parse();
    let name = name.map_err(|error: snapshot::InvalidName| Failure::new(Exit::Usage, error))?;
    args.press.overrule(Site::bare(&name, Path::new(""))?)
}

/// The places to take the release from: first those named, then the mirrors that are published to.
fn sources(args: &AmendArgs, publisher: &Publisher) -> Result<Mirrors, Failure> {
    let token = args.from_token.as_deref().map(token).transpose()?;
    let mut all = Vec::new();
    for place in &args.from {
        let url = parse_url(place, Path::new("")).map_err(PublishError::from)?;
        let mut mirror = Mirror::open(&url).map_err(PublishError::from)?;
        if let (Some(token), "http" | "https") = (&token, url.scheme()) {
            let shown = Shown::of(Some(token), None);
            mirror = mirror.showing(&shown).map_err(PublishError::from)?;
        }
        all.push(mirror);
    }
    all.extend(publisher.mirrors.all().iter().cloned());
    let mut known = BTreeSet::new();
    all.retain(|mirror| known.insert(mirror.url().clone()));
    Ok(Mirrors::of(publisher.site.site.clone(), all))
}

fn token(file: &Path) -> Result<Token, Failure> {
    let refuse = |why| Failure::usage(format!("the token in {}: {why}", file.display()), None);
    Token::read(file).map_err(refuse)
}

/// What the command line gives, by collection.
fn given(args: &AmendArgs) -> Result<BTreeMap<String, Vec<Given>>, Failure> {
    let mut all: BTreeMap<String, Vec<Given>> = BTreeMap::new();
    let mut add = |collection: &str, given| {
        all.entry(collection.to_owned()).or_default().push(given);
    };
    let refuse = |flag: &str, text: &str, form: &str| {
        let message = format!("{flag} {text:?} is not {form}");
        let hint = format!("{flag} {form}");
        Failure::usage(message, Some(hint.as_str()))
    };
    for text in &args.folder {
        let wrong = || refuse("--folder", text, "COLLECTION=DIR");
        let (collection, dir) = text.split_once('=').ok_or_else(wrong)?;
        add(collection, Given::Folder(dir.into()));
    }
    for text in &args.changes {
        let wrong = || refuse("--changes", text, "COLLECTION=FILE");
        let (collection, file) = text.split_once('=').ok_or_else(wrong)?;
        let file = if file == "-" { "/dev/stdin" } else { file };
        add(collection, Given::Changes(file.into()));
    }
    for text in &args.set {
        let wrong = || refuse("--set", text, "COLLECTION/KEY=@FILE");
        let (name, file) = text.split_once("=@").ok_or_else(wrong)?;
        let (collection, key) = name.split_once('/').ok_or_else(wrong)?;
        add(collection, Given::Set(key.to_owned(), PathBuf::from(file)));
    }
    for text in &args.delete {
        let wrong = || refuse("--delete", text, "COLLECTION/KEY");
        let (collection, key) = text.split_once('/').ok_or_else(wrong)?;
        add(collection, Given::Delete(key.to_owned()));
    }
    if all.is_empty() {
        return Err(Failure::usage(
            "nothing is given to be changed",
            Some("--set pages/index.html=@index.html, --delete, --folder or --changes"),
        ));
    }
    Ok(all)
}

/// What was given as records of `manifest`'s collections.
fn by_hand(
    given: &BTreeMap<String, Vec<Given>>,
    manifest: &Manifest,
    publisher: &Publisher,
) -> Result<ByHand, PublishError> {
    let mut records = ByHand::new();
    for (text, given) in given {
        let name: Option<CollectionName> = text.parse().ok();
        let collection = name.as_ref().and_then(|name| manifest.collection(name));
        let collection = collection.filter(|collection| collection.name.as_str() != AMENDED);
        let Some(collection) = collection else {
            let known = manifest.collections.iter().map(|known| known.name.as_str());
            let known: Vec<&str> = known.filter(|known| *known != AMENDED).collect();
            return Err(BuildError::from(AmendError::NoCollection {
                name: text.chars().take(80).collect(),
                known: known.join(", "),
            })
            .into());
        };
        let declared = publisher.site.collection(&collection.name);
        let declared = declared.filter(|declared| declared.privacy == collection.privacy);
        let scratch = publisher.store.scratch();
        let site = &publisher.site.site;
        let made = source::by_hand(site, collection, declared, given, &scratch)?;
        records.insert(collection.name.clone(), made);
    }
    Ok(records)
}
