//! `origin-sync init`.

use super::{Failure, InitArgs};
use crate::exit::Exit;
use crate::init::{Init, init};

pub(super) fn run(args: InitArgs) -> Result<Exit, Failure> {
    let site = args.site.map(|name| name.parse()).transpose();
    let site = site.map_err(|error: snapshot::InvalidName| Failure::new(Exit::Usage, error))?;
    let made = init(&Init {
        dir: args.dir,
        site,
        pages: args.pages,
    })?;
    println!("site {}", made.site);
    for item in &made.items {
        let word = if item.made { "made" } else { "kept" };
        println!("  {word}  {:<22} {}", item.path, item.what);
    }
    println!("\nNext:");
    for command in &made.next {
        println!("  {command}");
    }
    Ok(Exit::Done)
}
