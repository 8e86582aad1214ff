//! The decoder that HOLDFAST_DECODER names.
#![no_main]

use std::sync::LazyLock;

use decoders::{Target, targets};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let named = std::env::var("HOLDFAST_DECODER").unwrap_or_default();
    let found = targets().find(|target| target.name == named);
    found.unwrap_or_else(|| {
        let names: Vec<_> = targets().map(|target| target.name).collect();
        eprintln!(
            "HOLDFAST_DECODER={named:?}: expected one of {}",
            names.join(", ")
        );
        std::process::exit(2);
    })
});

fuzz_target!(
    init: {
        let folder = format!("{}/corpus/{}", env!("CARGO_MANIFEST_DIR"), TARGET.name);
        std::fs::create_dir_all(&folder).expect("a folder for sound documents");
        for (number, document) in (TARGET.valid)().into_iter().enumerate() {
            let file = format!("{folder}/sound-{number}");
            std::fs::write(file, document).expect("a sound document");
        }
    },
    |bytes: &[u8]| {
        (TARGET.decode)(bytes);
    }
);
