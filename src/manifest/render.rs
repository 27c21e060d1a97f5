//! Renders kustomizations and Helm charts with the tools of their makers (decision 16), and asks git for a commit. Reads what they
//! print like any other file, and knows nothing of the cluster.

use std::ffi::OsString;
use std::path::Path;

use super::child::{PARAMETER, Printed, Tools};
use super::error::{ManifestError, visible};
use super::{LoadOptions, Loaded, ManifestWarning, directory, objects};

/// Builds a kustomization with `kustomize build`, or with kubectl's built-in one.
pub(super) async fn kustomization(folder: &Path, tools: &Tools) -> Result<Loaded, ManifestError> {
    let place = folder.display().to_string();
    let (program, verb) = match (tools.find("kustomize"), tools.find("kubectl")) {
        (Some(program), _) => (program, "build"),
        (None, Some(program)) => (program, "kustomize"),
        (None, None) => return Err(ManifestError::ToolMissing { place, tools: "`kustomize` or `kubectl`" }),
    };
    let printed = tools.run(program.as_os_str(), &[verb.into(), folder.into()]).await?;
    rendered(&printed, &format!("kustomize {place}"), "kustomize")
}

/// Renders a chart with `helm template`; the app's name is the name of the release.
pub(super) async fn chart(folder: &Path, options: &LoadOptions, tools: &Tools) -> Result<Loaded, ManifestError> {
    let place = folder.display().to_string();
    let Some(program) = tools.find("helm") else {
        return Err(ManifestError::ToolMissing { place, tools: "`helm`" });
    };
    let printed = tools.run(program.as_os_str(), &helm_arguments(folder, options)?).await?;
    rendered(&printed, &format!("helm {place}"), "helm")
}

fn helm_arguments(folder: &Path, options: &LoadOptions) -> Result<Vec<OsString>, ManifestError> {
    let mut arguments: Vec<OsString> = vec!["template".into(), options.app.as_str().into(), folder.into(), "--include-crds".into()];
    if let Some(namespace) = &options.namespace {
        arguments.extend(["--namespace".into(), namespace.into()]);
    }
    for file in &options.values {
        if !file.exists() {
            return Err(ManifestError::Missing { path: file.clone() });
        }
        arguments.extend(["--values".into(), file.into()]);
    }
    for parameter in &options.parameters {
        if parameter.find('=').is_none_or(|at| at == 0) {
            return Err(ManifestError::Parameter { parameter: parameter.clone() });
        }
        arguments.extend([PARAMETER.into(), parameter.into()]);
    }
    Ok(arguments)
}

/// Returns the commit that a folder is checked out at, if it is in a git work tree and git is installed.
pub(super) async fn commit(folder: &Path, tools: &Tools) -> Option<String> {
    let program = tools.find("git")?;
    let arguments = ["-C".into(), folder.into(), "rev-parse".into(), "--verify".into(), "HEAD".into()];
    let printed = tools.run(program.as_os_str(), &arguments).await.ok()?;
    let commit = String::from_utf8(printed.stdout).ok()?.trim().to_owned();
    let is_hash = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then_some(commit)
}

fn rendered(printed: &Printed, place: &str, tool: &str) -> Result<Loaded, ManifestError> {
    let mut loaded = objects::parse(directory::text(&printed.stdout, place)?, place)?;
    let said = printed.stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    loaded.warnings.extend(said.map(|line| ManifestWarning { message: format!("{tool}: {}", visible(line)), origin: None }));
    Ok(loaded)
}
