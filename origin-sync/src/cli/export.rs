//! `origin-sync export`.

use std::io::Write;
use std::path::Path;

use super::{ExportArgs, Failure, To, runtime};
use crate::exit::Exit;
use crate::export::{self, ExportError, Exported, MANIFEST, RUNTIME_CONFIG};

pub(super) fn run(args: ExportArgs) -> Result<Exit, Failure> {
    let inspector = args.at.place.open()?;
    let sequence = args.at.sequence();
    let To::Spin { dir } = args.to;
    let exported = runtime()?.block_on(export::spin(&inspector, &dir, sequence))?;
    for warning in warnings(&exported) {
        eprintln!("warning: {warning}");
    }
    let said = if args.json {
        format!("{}\n", exported.json())
    } else {
        summary(&exported, &dir)
    };
    match std::io::stdout().lock().write_all(said.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(ExportError::from(error).into())
        }
        _ => Ok(Exit::Done),
    }
}

/// What a reader would miss there. Files are not: that no component answers them is known.
fn warnings(exported: &Exported) -> Vec<String> {
    let collections = exported.collections.iter();
    let mut warnings: Vec<String> = collections
        .filter(|(_, filled)| filled.left_out > 0)
        .map(|(name, filled)| {
            let left_out = filled.left_out;
            format!("collection {name}: {left_out} records that Spin cannot hold are left out")
        })
        .collect();
    if !exported.left_out.is_empty() {
        let routes = exported.left_out.len();
        warnings.push(format!(
            "{routes} routes have no component or cannot be expressed: see {MANIFEST}"
        ));
    }
    warnings
}

fn summary(exported: &Exported, dir: &Path) -> String {
    let records: u64 = exported.collections.values().map(|f| f.records).sum();
    let bytes: u64 = exported.collections.values().map(|f| f.bytes).sum();
    let dir = dir.display();
    format!(
        "{dir}: release {} of {}, {} components, {} routes, {} records of {} collections ({bytes} \
         bytes)\nnext: cd {dir} && spin up --runtime-config-file {RUNTIME_CONFIG}\n",
        exported.release.sequence.0,
        exported.release.site,
        exported.components,
        exported.routes,
        records,
        exported.collections.len(),
    )
}
