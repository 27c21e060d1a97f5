//! The arrows between the folders of `src` (architecture, which folder may import which): read from the `use crate::` lines.

use std::path::{Path, PathBuf};

use crate::support::{names, root};

/// A folder or file of `src`, what it may use, and crates that stay out of it.
struct Layer {
    name: &'static str,
    may_use: &'static [&'static str],
    never: &'static [&'static str],
}

const CORE: &[&str] = &["kube", "tokio", "ratatui", "crossterm"];
const NO_SCREEN: &[&str] = &["ratatui", "crossterm"];
const NO_CLUSTER: &[&str] = &["kube"];

const LAYERS: [Layer; 19] = [
    Layer { name: "main", may_use: &[], never: &["kube", "tokio", "ratatui", "crossterm"] },
    Layer { name: "lib", may_use: &["*"], never: NO_CLUSTER },
    Layer { name: "model", may_use: &[], never: CORE },
    Layer { name: "clock", may_use: &[], never: &["kube", "ratatui", "crossterm"] },
    Layer { name: "scratch", may_use: &[], never: CORE },
    Layer { name: "health", may_use: &["model"], never: CORE },
    Layer { name: "plan", may_use: &["model"], never: CORE },
    Layer { name: "config", may_use: &["model"], never: CORE },
    Layer { name: "operation", may_use: &["model", "plan"], never: CORE },
    Layer { name: "manifest", may_use: &["model"], never: &["kube", "ratatui", "crossterm"] },
    Layer { name: "cluster", may_use: &["model", "operation", "health", "clock"], never: NO_SCREEN },
    Layer { name: "sim", may_use: &["model", "manifest", "clock"], never: NO_SCREEN },
    Layer { name: "engine", may_use: &["model", "plan", "operation", "health", "manifest", "cluster", "clock"], never: NO_SCREEN },
    Layer { name: "report", may_use: &["model", "plan", "operation", "config", "engine"], never: &["kube", "ratatui", "crossterm"] },
    Layer { name: "tui", may_use: &["model", "plan", "operation", "config", "engine", "clock", "scratch"], never: NO_CLUSTER },
    Layer { name: "cli", may_use: &["plan", "operation", "config"], never: CORE },
    Layer { name: "demo", may_use: &["manifest"], never: CORE },
    Layer { name: "failure", may_use: &["model", "operation", "report"], never: CORE },
    Layer { name: "telemetry", may_use: &["cli"], never: CORE },
];

/// `run` is the composition root and knows everything but how a screen is drawn.
const ROOT: Layer = Layer { name: "run", may_use: &["*"], never: &["kube", "ratatui", "crossterm"] };

fn layer_of(file: &Path) -> &'static Layer {
    let below = file.strip_prefix(root().join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy();
    let name = first.trim_end_matches(".rs");
    if [ROOT.name, "bench", "scenarios"].contains(&name) {
        return &ROOT;
    }
    LAYERS.iter().find(|layer| layer.name == name).unwrap_or_else(|| panic!("src/{name} has no line in the table of tests/it/layers.rs"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            files(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// Returns the lines before the tests of a file; a file of tests has none.
fn code(path: &Path) -> Vec<(usize, String)> {
    let is_test = path.components().any(|part| part.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
    if is_test {
        return Vec::new();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
    code.lines().enumerate().map(|(at, line)| (at + 1, line.to_owned())).collect()
}

/// Returns the folders that a line takes from `crate::`, wherever it stands.
fn taken(line: &str) -> Vec<String> {
    let word = |rest: &str| rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>();
    let mut rest = line;
    let mut found = Vec::new();
    while let Some(at) = rest.find("crate::") {
        let is_whole = !rest[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        rest = &rest[at + "crate::".len()..];
        if !is_whole {
            continue;
        }
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group.split('}').next().unwrap_or_default().split(',').map(|item| word(item.trim()))),
            None => found.push(word(rest)),
        }
    }
    found
}

fn breaks(layer: &Layer, own: &str, line: &str) -> Option<String> {
    let comment = line.trim_start().starts_with("//");
    if comment {
        return None;
    }
    for folder in taken(line) {
        let is_allowed = folder == own || layer.may_use.contains(&"*") || layer.may_use.contains(&folder.as_str());
        if !is_allowed {
            return Some(format!("`{own}` may not use `{folder}`, only {:?}", layer.may_use));
        }
    }
    let outside = layer.never.iter().find(|name| line.contains(&format!("{name}::")) || line.contains(&format!("use {name};")));
    outside.map(|name| format!("`{own}` may never use the crate `{name}`"))
}

#[test]
fn every_import_follows_the_table_of_layers() {
    let mut all = Vec::new();
    files(&root().join("src"), &mut all);
    assert!(all.len() > 40, "the sources were not found");
    let mut broken = Vec::new();
    for path in &all {
        let layer = layer_of(path);
        for (number, line) in code(path) {
            if let Some(rule) = breaks(layer, layer.name, &line) {
                broken.push(format!("{}:{number}: {rule}: {}", path.strip_prefix(root()).unwrap().display(), line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "imports against the table of architecture (tests/it/layers.rs):\n{}", broken.join("\n"));
}

#[test]
fn a_wrong_import_is_found() {
    let layer = |name: &str| LAYERS.iter().find(|layer| layer.name == name).unwrap();
    for (name, line) in [
        ("operation", "use crate::health::assess;"),
        ("report", "use crate::{cluster, model};"),
        ("model", "    let now = tokio::time::Instant::now();"),
        ("tui", "fn x(client: kube::Client) {}"),
        ("engine", "use crate::sim::SimCluster;"),
    ] {
        assert!(breaks(layer(name), name, line).is_some(), "{line}");
    }
    for (name, line) in
        [("operation", "use crate::plan::Plan;"), ("engine", "// use crate::sim::SimCluster;"), ("report", "use crate::report::x;")]
    {
        assert_eq!(breaks(layer(name), name, line), None, "{line}");
    }
}
