//! The binary against a real Kubernetes: every claim about clusters is checked here, with kubectl as the witness.
//! Run with `SYNCWAVE_E2E_KUBECONFIG=FILE cargo test --test e2e`, for example through `tests/cluster/exec`; without the
//! variable each test says that it was skipped. Every test makes its own namespaces and removes them.
//!
//! Tests are named after the rules of the engine's specification. Where a rule was derived and not seen before, the
//! comment beside its number says what the cluster showed.
#![allow(clippy::unwrap_used, reason = "a test may panic; the functions that tests share are no tests in clippy's eyes")]
#![allow(clippy::disallowed_methods, reason = "a real cluster has real time")]

mod support;

mod access;
mod apply;
mod autoscaler;
mod delete;
mod diff;
mod disturbances;
mod effects;
mod findings;
mod foresight;
mod health;
mod ignore;
mod killed;
mod kinds;
mod logs;
mod outage;
mod phases;
mod policies;
mod prune;
mod rbac;
mod references;
mod requests;
mod rules;
mod same;
mod screen;
mod selective;
mod stories;
mod terminate;
mod variants;
mod verbs;
mod waves;
mod webhooks;
mod windows;

/// The table in README.md says `file::beginning_*`, or a file alone.
#[test]
fn the_readme_names_tests_that_exist() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let (_, table) = readme.split_once("|---|---|").unwrap();
    let names: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let (file, beginning) = name.split_once("::").unwrap_or((name, ""));
        let path = [format!("{file}.rs"), format!("{file}/mod.rs")].map(|name| folder.join(name)).into_iter().find(|path| path.exists());
        let text = std::fs::read_to_string(path.unwrap_or_else(|| panic!("there is no {file}"))).unwrap();
        assert!(text.contains(&format!("fn {}", beginning.trim_end_matches('*'))) || beginning.is_empty(), "there is no {name}");
    }
}
