//! Everything that needs the finished binary or the whole source tree.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apps;
mod coverage;
mod demo;
mod docs;
mod headless;
mod layers;
#[cfg(unix)]
mod screen;
mod support;

#[test]
fn no_file_of_this_folder_is_forgotten() {
    let main = include_str!("main.rs");
    for name in support::names(&support::root().join("tests/it")) {
        let module = name.trim_end_matches(".rs");
        assert!(module == "main" || main.contains(&format!("mod {module};")), "tests/it/{name} is not part of main.rs");
    }
}
