//! A folder of Lua health rules as Argo CD lays out its `resource_customizations`: `GROUP/KIND/health.lua`, and `KIND/health.lua` for the
//! core group; and the rules that a configuration asks for. Owns the layout; what a script may do is known in `crate::health::script`.

use std::io;
use std::path::{Path, PathBuf};

use super::setup::Settings;
use super::target::beside;
use crate::clock::Clock;
use crate::config::{ArgocdCm, Origin};
use crate::engine::rules::{self, RuleSources, limits};
use crate::failure::Failure;
use crate::health::script::{Customization, Scripts};

/// The file with the rule; what else lies beside it (actions, tests) is not ours.
const FILE: &str = "health.lua";
/// A rule is a page or two; no rule is a megabyte.
const SIZE: u64 = 1 << 20;

/// Returns where the rules come from that the configuration asks for. Must be called inside the runtime.
///
/// # Errors
/// The folder cannot be read, has no rules, or one of them is no text.
pub(super) fn sources(settings: &Settings, clock: Clock) -> Result<RuleSources, Failure> {
    let config = &settings.loaded.config;
    let own = rules::of_config(&config.customizations, |kinds| settings.loaded.place_of_rule(kinds), clock).map_err(Failure::usage)?;
    let folder = match &config.lua {
        // An option means the working directory, a file the folder that it stands in.
        Some(folder) if matches!(settings.loaded.origin("health", "lua"), Origin::Option(_)) => Some(load(folder, clock)?),
        Some(folder) => Some(load(Path::new(&beside(&settings.config_file, &folder.to_string_lossy())), clock)?),
        None => None,
    };
    let argocd_cm = config.argocd_cm.as_ref().map(|ArgocdCm(namespace)| namespace.clone());
    Ok(RuleSources::new(own, folder).with_argocd_cm(argocd_cm).of_unknown_kinds(config.unknown_kinds))
}

/// Reads the rules of a folder.
fn load(folder: &Path, clock: Clock) -> Result<Scripts, Failure> {
    let mut rules = Vec::new();
    for outer in folders(folder)? {
        rules.extend(rule(folder, &outer)?);
        for inner in folders(&outer)? {
            rules.extend(rule(folder, &inner)?);
        }
    }
    if rules.is_empty() {
        return Err(Failure::usage(format!(
            "`{}` has no rules; they lie in GROUP/KIND/{FILE}, or KIND/{FILE} for the core group",
            folder.display()
        )));
    }
    Ok(Scripts::new(rules, limits(clock)))
}

/// Returns the folders in a folder, in the order of their names.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|error| unreadable(folder, &error))?;
    let mut found: Vec<PathBuf> = entries.iter().map(|entry| folder.join(entry.file_name())).filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}

/// Reads the rule of a folder, if it has one. `_` stands for `*` in the names, which no file system minds.
fn rule(root: &Path, folder: &Path) -> Result<Option<Customization>, Failure> {
    let file = folder.join(FILE);
    let is_too_long = match std::fs::metadata(&file) {
        Ok(metadata) => metadata.len() > SIZE,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&file, &error)),
    };
    if is_too_long {
        return Err(Failure::usage(format!("`{}` is longer than 1 MiB, which no health rule is", file.display())));
    }
    let source = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
    let names: Vec<_> = folder.strip_prefix(root).unwrap_or(folder).iter().map(|name| name.to_string_lossy()).collect();
    let kinds = names.join("/");
    let made = Customization::new(&kinds.replace('_', "*"), source, format!("{kinds}/{FILE}"));
    made.map(|made| Some(made.at(format!("`{}`", file.display()))))
        .map_err(|problem| Failure::usage(format!("`{}` lies in no folder of a kind: {problem}", file.display())))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!(
        "cannot read `{}`, where Lua health rules are looked for: {error}; correct `lua` of the section [health], or the option --lua",
        path.display()
    ))
}
