//! `wrap IN.wasm OUT.wasm` turns a guest's core module into a component; `wrap --imports FILE.wasm`
//! lists what a component imports. A program of its own, so that `xtask`, whose first line must
//! come at once, waits for no dependency.

mod component;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: wrap IN.wasm OUT.wasm\n       wrap --imports FILE.wasm";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *words.as_slice() {
        ["--imports", file] => component::imports(Path::new(file)).map(|names| names.join("\n")),
        [module, out] if !module.starts_with('-') => {
            component::write(Path::new(module), Path::new(out)).map(|written| written.to_string())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("wrap: {error:#}");
            ExitCode::FAILURE
        }
    }
}
