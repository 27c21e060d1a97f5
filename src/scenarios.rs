//! Plays every story of `assets/demo` and `tests/scenarios` on virtual time, through the same session and the same JSON report as the
//! program, and compares what is printed with the reviewed file of the folder. Each story is played twice. What must hold in every
//! story is in `check`, what was reviewed of each one in `table`; what really happened is asked of the embedded cluster, never of the
//! engine.
//!
//! A new folder needs a row in `table`. `SYNCWAVE_ACCEPT=1 cargo test scenarios` writes the expected files anew; the rows of the table
//! and the checks hold all the same.

mod check;
mod differ;
mod play;
mod rights;
mod table;
mod truth;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use play::Scene;
use table::Facts;

/// The file with the printed events, and the one with the page of a target that cannot be read.
const EVENTS: &str = "expect.jsonl";
const PAGE: &str = "expect.txt";

/// Plays a story twice and compares it with everything that is known of it.
fn run(name: &str, facts: &Facts) {
    let folder = folder(name);
    let (first, second) = match (play::play(&folder), play::play(&folder)) {
        (Scene::Skipped(why), _) | (_, Scene::Skipped(why)) => return skipped(name, &why),
        (first, second) => (first, second),
    };
    let mut problems = String::new();
    if let Some(difference) = differ::between("first time", first.text(), "second time", second.text()) {
        write!(problems, "\nit does not play the same way twice:\n{difference}").unwrap();
    }
    problems += &compare(&folder, &first);
    if let Scene::Played(played) = &first {
        complain(&mut problems, "must hold in every story", check::check(&folder, played));
    }
    complain(&mut problems, "differs from the row in src/scenarios/table.rs", facts.check(&first));
    assert!(problems.is_empty(), "\nstory {name}:{problems}\n");
}

#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn skipped(name: &str, why: &str) {
    eprintln!("story {name}: skipped, {why}");
}

fn complain(problems: &mut String, what: &str, found: Vec<String>) {
    if !found.is_empty() {
        write!(problems, "\n{what}:").unwrap();
    }
    for problem in found {
        write!(problems, "\n  - {problem}").unwrap();
    }
    if !problems.is_empty() && !problems.ends_with('\n') {
        problems.push('\n');
    }
}

/// Compares with the file of the folder, or writes it.
fn compare(folder: &Path, scene: &Scene) -> String {
    let (file, stale) = match scene {
        Scene::Played(_) | Scene::Skipped(_) => (EVENTS, PAGE),
        Scene::Unreadable(_) => (PAGE, EVENTS),
    };
    let path = folder.join(file);
    if std::env::var_os("SYNCWAVE_ACCEPT").is_some() {
        std::fs::write(&path, scene.text()).unwrap();
        return String::new();
    }
    if folder.join(stale).exists() {
        return format!("\n{} is a left-over: remove it\n", folder.join(stale).display());
    }
    let Ok(expected) = std::fs::read_to_string(&path) else {
        return format!("\n{} does not exist; `SYNCWAVE_ACCEPT=1 cargo test scenarios` writes it, then read it\n", path.display());
    };
    match differ::between("expected", &expected, "printed", scene.text()) {
        Some(difference) => format!(
            "\n{} differs:\n{difference}\nIf this is how it should be: `SYNCWAVE_ACCEPT=1 cargo test scenarios` writes the file anew.\n",
            path.display()
        ),
        None => String::new(),
    }
}

fn folder(name: &str) -> PathBuf {
    HOMES.iter().map(|home| Path::new(home).join(name)).find(|folder| folder.is_dir()).unwrap_or_else(|| panic!("there is no story {name}"))
}

const HOMES: [&str; 2] = ["assets/demo", "tests/scenarios"];

#[test]
fn every_folder_has_a_row_in_the_table() {
    let folders: Vec<String> = HOMES
        .iter()
        .flat_map(|home| std::fs::read_dir(home).unwrap())
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    for folder in &folders {
        assert!(table::NAMES.contains(&folder.as_str()), "{folder} has no row in src/scenarios/table.rs");
    }
    assert_eq!(folders.len(), table::NAMES.len(), "a row without a folder: {:?}", table::NAMES);
}

#[test]
fn every_fixture_is_in_the_index() {
    let index = std::fs::read_to_string("tests/scenarios/INDEX.md").unwrap();
    for entry in std::fs::read_dir("tests/scenarios").unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(!entry.path().is_dir() || index.contains(&format!("`{name}`")), "{name} is not in tests/scenarios/INDEX.md");
    }
}
