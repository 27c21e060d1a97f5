//! Reads files and folders of manifests from the disk. Knows which files count; what stands in them is read elsewhere.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{ManifestError, TextError, visible};
use super::{Loaded, ManifestWarning, objects};
use crate::model::Origin;

/// What a folder is searched for.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];
/// The names under which kustomize looks for its file.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
const CHART: &str = "Chart.yaml";
/// Of so many files that are left out it is said why,
const NAMED: usize = 10;
/// and so many more have their names told.
const LISTED: usize = 20;

/// What a tool has to render first, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rendered {
    Kustomization,
    Chart,
}

/// Returns what a folder is by the files in it. Both at once is a kustomization, as for Argo CD.
pub(super) fn rendered(folder: &Path) -> Option<Rendered> {
    if KUSTOMIZATIONS.iter().any(|name| folder.join(name).is_file()) {
        return Some(Rendered::Kustomization);
    }
    folder.join(CHART).is_file().then_some(Rendered::Chart)
}

/// Returns what the folder of a file is, if the file is the one that makes it so.
pub(super) fn rendered_by(file: &Path) -> Option<Rendered> {
    let name = file.file_name()?.to_str()?;
    if KUSTOMIZATIONS.contains(&name) { Some(Rendered::Kustomization) } else { (name == CHART).then_some(Rendered::Chart) }
}

/// Reads one file.
pub(super) fn load_file(path: &Path) -> Result<Loaded, ManifestError> {
    let name = name(path);
    objects::parse(text(&read(path)?, &name)?, &name)
}

fn read(path: &Path) -> Result<Vec<u8>, ManifestError> {
    std::fs::read(path).map_err(|source| ManifestError::Read { path: path.into(), source })
}

/// Reads the manifests of a folder and its subfolders, in the order of their names. What another tool has there is left out, as in Argo CD,
/// and said to be; unless there is nothing else.
pub(super) fn load_folder(folder: &Path) -> Result<Loaded, ManifestError> {
    let mut files = Vec::new();
    collect(folder, &mut HashSet::new(), &mut files)?;
    let (mut all, mut others) = (Loaded::default(), Vec::new());
    for file in files {
        match load_part(&file)? {
            Part::Manifests(loaded) => {
                all.manifests.extend(loaded.manifests);
                all.warnings.extend(loaded.warnings);
            }
            Part::Other(fault) => others.push(fault),
        }
    }
    if all.manifests.is_empty() && !others.is_empty() {
        return Err(ManifestError::Text(others.swap_remove(0)));
    }
    all.warnings.extend(left_out(&others));
    Ok(all)
}

/// A file of a folder.
enum Part {
    Manifests(Loaded),
    /// It was never meant as a manifest; why it is none.
    Other(Box<TextError>),
}

fn load_part(path: &Path) -> Result<Part, ManifestError> {
    let (bytes, name) = (read(path)?, name(path));
    let text = text(&bytes, &name)?;
    match objects::parse(text, &name) {
        Ok(loaded) => Ok(Part::Manifests(loaded)),
        Err(ManifestError::Text(fault)) if !objects::is_meant(text, &name) => Ok(Part::Other(fault)),
        Err(error) => Err(error),
    }
}

/// Says which files are left out, and why.
fn left_out(others: &[Box<TextError>]) -> Vec<ManifestWarning> {
    let (named, rest) = others.split_at(others.len().min(NAMED));
    let warning = |fault: &TextError| ManifestWarning {
        message: format!(
            "left out, because it does not look like a manifest ({}); if it is one, give it apiVersion and kind, else move it out of the folder",
            fault.problem
        ),
        origin: Some(Origin { file: fault.file.as_str().into(), line: fault.line }),
    };
    let mut warnings: Vec<ManifestWarning> = named.iter().map(|fault| warning(fault)).collect();
    if !rest.is_empty() {
        let files: Vec<&str> = rest.iter().take(LISTED).map(|fault| fault.file.as_str()).collect();
        let more = if rest.len() > LISTED { format!(" and {} more", rest.len() - LISTED) } else { String::new() };
        let message = format!("{} more files of the folder are left out in the same way: {}{more}", rest.len(), files.join(", "));
        warnings.push(ManifestWarning { message, origin: None });
    }
    warnings
}

/// Reads a stream to its end.
pub(super) fn load_stream(mut stream: impl io::Read) -> Result<Loaded, ManifestError> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map_err(|source| ManifestError::Read { path: "-".into(), source })?;
    objects::parse(text(&bytes, "-")?, "-")
}

/// Returns bytes as text, or says in which line they stop being text.
pub(super) fn text<'bytes>(bytes: &'bytes [u8], file: &str) -> Result<&'bytes str, ManifestError> {
    let not_text = |end: usize| {
        let line = 1 + bytes[..end].iter().filter(|byte| **byte == b'\n').count();
        ManifestError::NotText { file: visible(file), line }
    };
    // A zero byte is valid UTF-8, but no text has one.
    if let Some(zero) = bytes.iter().position(|byte| *byte == 0) {
        return Err(not_text(zero));
    }
    std::str::from_utf8(bytes).map_err(|error| not_text(error.valid_up_to()))
}

/// Collects the files of a folder. A folder that was visited is not visited again, so a link to a folder above ends.
fn collect(folder: &Path, visited: &mut HashSet<PathBuf>, files: &mut Vec<PathBuf>) -> Result<(), ManifestError> {
    let unreadable = |source| ManifestError::Read { path: folder.into(), source };
    if !visited.insert(folder.canonicalize().map_err(unreadable)?) {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> =
        entries.iter().filter(|entry| !is_hidden(&entry.file_name())).map(|entry| folder.join(entry.file_name())).collect();
    paths.sort();
    for path in paths {
        if !path.is_dir() {
            if has_extension(&path) {
                refuse_endless(&path)?;
                files.push(path);
            }
        } else if let Some(rendered) = rendered(&path) {
            let kind = match rendered {
                Rendered::Kustomization => "kustomization",
                Rendered::Chart => "Helm chart",
            };
            return Err(ManifestError::Nested { path, kind });
        } else {
            collect(&path, visited, files)?;
        }
    }
    Ok(())
}

/// A pipe waits for a writer, and a device may have no end. Who names one wants it read; in a folder nobody has named it.
fn refuse_endless(path: &Path) -> Result<(), ManifestError> {
    match std::fs::metadata(path) {
        // Somebody hides a file that way.
        Ok(_) if std::fs::canonicalize(path).is_ok_and(|real| real == Path::new("/dev/null")) => Ok(()),
        Ok(found) if !found.is_file() => Err(ManifestError::NoFile { path: path.into() }),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn has_extension(path: &Path) -> bool {
    path.extension().is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

/// The name of a file in origins and errors: as a person would type it.
fn name(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).to_string_lossy().into_owned()
}
