//! Everything that needs more than one room: one binary, one module a feature, real processes on
//! free ports of loopback.
//!
//! A new case goes into the module of its feature; a new feature is a new module, declared here.
//! [`scene`] sets the stage: a small site, its mirror, an origin to lose, an edge. Conditions are
//! waited for, never slept for. A program that a machine lacks is a named skip ([`outside`]).

// A macro of one file is known to those declared after it.
#[cfg(test)]
#[macro_use]
#[path = "guests/src/behaviours.rs"]
mod behaviours;

#[cfg(test)]
mod again;
#[cfg(test)]
mod alarms;
#[cfg(test)]
mod amend;
#[cfg(test)]
mod believed;
#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod check;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod components;
#[cfg(test)]
mod config;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod enemies;
#[cfg(test)]
mod erase;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fetching;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod guests;
#[cfg(test)]
mod handbook;
#[cfg(test)]
mod host;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod lazy;
#[cfg(test)]
mod merge;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod modes;
#[cfg(test)]
mod once;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod pins;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod publish;
#[cfg(test)]
mod publishers;
#[cfg(test)]
mod quickstart;
#[cfg(test)]
mod records;
#[cfg(test)]
mod rehearse;
#[cfg(test)]
mod repair;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod runbook;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod spin;
#[cfg(test)]
mod status;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod why;
#[cfg(test)]
mod zones;

#[test]
fn no_file_is_forgotten() {
    let declared = include_str!("tests.rs");
    let root = env!("CARGO_MANIFEST_DIR");
    let mut folders = vec![(root.to_owned(), declared.to_owned())];
    for (folder, declared) in [
        ("guests/src", include_str!("guests/src/lib.rs")),
        ("host", include_str!("host/mod.rs")),
        ("mirror", include_str!("mirror/mod.rs")),
        ("scene", include_str!("scene/mod.rs")),
    ] {
        folders.push((format!("{root}/{folder}"), declared.to_owned()));
    }
    for (folder, declared) in folders {
        for file in fs_err::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let is_module = path.extension().is_some_and(|ending| ending == "rs")
                || path.join("mod.rs").exists();
            let is_root = ["tests", "mod", "lib"].contains(&name.as_str());
            assert!(
                !is_module || is_root || declared.contains(&format!("mod {name};")),
                "{} is not declared: add `mod {name};`",
                path.display()
            );
        }
    }
}
