//! Argo CD's own scripts with their own tests, if there is a checkout: `SYNCWAVE_LUA_CORPUS` is the path of its `resource_customizations`.
//! Nothing of it is part of this repository.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;

use super::tests::limits;
use super::*;

const VARIABLE: &str = "SYNCWAVE_LUA_CORPUS";

#[derive(Default)]
struct Tally {
    passed: usize,
    /// Inputs that are no single, plain YAML object.
    unreadable: Vec<String>,
    /// Cases of folders whose script is not there: archives lose what is a symbolic link in the repository.
    bare: Vec<String>,
    failed: Vec<String>,
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn kinds(root: &Path) -> Vec<PathBuf> {
    folders(root).into_iter().flat_map(|folder| folders(&folder).into_iter().chain([folder])).collect()
}

fn scripts(root: &Path) -> Scripts {
    let read = |folder: &PathBuf| {
        let source = std::fs::read_to_string(folder.join("health.lua")).ok()?;
        let kinds = folder.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        Some(Customization::new(&kinds.replace('_', "*"), source, kinds).unwrap())
    };
    Scripts::new(kinds(root).iter().filter_map(read).collect(), limits())
}

/// Reads the first document of a file.
fn yaml(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    let document = serde_yaml::Deserializer::from_str(&text).next()?;
    Value::deserialize(document).ok()
}

fn check(scripts: &Scripts, folder: &Path, case: &Value, tally: &mut Tally) {
    let Some(input) = case["inputPath"].as_str().or_else(|| case["inputpath"].as_str()) else { return };
    let Some(object) = yaml(&folder.join(input)) else {
        tally.unreadable.push(folder.join(input).display().to_string());
        return;
    };
    let expected =
        (case["healthStatus"]["status"].as_str().unwrap_or_default(), case["healthStatus"]["message"].as_str().unwrap_or_default());
    let assessment = scripts.assess(&Object::new(object));
    match &assessment {
        Some(Assessment::Known(health)) if (health.status.as_str(), health.message.trim()) == (expected.0, expected.1.trim()) => {
            tally.passed += 1;
        }
        None if !folder.join("health.lua").exists() => tally.bare.push(folder.join(input).display().to_string()),
        Some(Assessment::Known(_) | Assessment::NoRule | Assessment::Error(_)) | None => {
            tally.failed.push(format!("{}: expected {expected:?}, found {assessment:?}", folder.join(input).display()));
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says that it was skipped, or how much was checked")]
fn the_scripts_of_argo_cd_say_what_their_tests_want() {
    let Some(root) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        eprintln!("skipped: {VARIABLE} names no checkout of Argo CD's resource_customizations");
        return;
    };
    let (scripts, mut tally) = (scripts(&root), Tally::default());
    for folder in kinds(&root) {
        let Some(tests) = yaml(&folder.join("health_test.yaml")) else { continue };
        for case in tests["tests"].as_array().into_iter().flatten() {
            check(&scripts, &folder, case, &mut tally);
        }
    }
    eprintln!(
        "{} scripts, {} cases passed, unreadable: {:?}, without their script: {:?}",
        scripts.scripts.len(),
        tally.passed,
        tally.unreadable,
        tally.bare
    );
    assert!(tally.failed.is_empty(), "{} cases failed:\n{}", tally.failed.len(), tally.failed.join("\n"));
    assert!(tally.passed > 100, "{} has no tests", root.display());
}
