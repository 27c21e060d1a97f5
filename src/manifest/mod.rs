//! Where targets come from: files, folders, standard input, kustomizations and Helm charts, read into objects that
//! know their file and line; and what an `argocd-cm` says about kinds. Knows nothing of clusters, plans or hooks; whoever needs objects from
//! text asks [`parse`].

mod child;
pub(crate) mod customization;
mod directory;
mod error;
mod excerpt;
mod json;
mod node;
mod objects;
mod render;
mod scalar;
mod yaml;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::model::{Object, Origin};
use child::Tools;
use directory::Rendered;

pub(crate) use error::ManifestError;
pub(crate) use objects::parse;
pub(crate) use yaml::to_yaml;

/// Where the manifests of a TARGET come from (cli.md, Words).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
    Folder(PathBuf),
    Kustomization(PathBuf),
    Chart(PathBuf),
    /// Files that are compiled in, as (name, text).
    Memory {
        name: &'static str,
        files: &'static [(&'static str, &'static str)],
    },
}

/// What a Helm chart is rendered with; the other sources take nothing from here.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoadOptions {
    /// The app's name, which is the name of the release.
    pub(crate) app: String,
    /// The destination namespace, if one is given.
    pub(crate) namespace: Option<String>,
    /// `--values FILE`.
    pub(crate) values: Vec<PathBuf>,
    /// `--parameter NAME=VALUE`.
    pub(crate) parameters: Vec<String>,
}

/// An object and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) object: Object,
    pub(crate) origin: Origin,
}

/// Something that works, but is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManifestWarning {
    pub(crate) message: String,
    pub(crate) origin: Option<Origin>,
}

/// The manifests of a source, in the order of its files and documents.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) warnings: Vec<ManifestWarning>,
}

impl Source {
    /// Finds out what a path target is; `-` is standard input.
    pub(crate) fn of(target: &str) -> Result<Self, ManifestError> {
        if target == "-" {
            return Ok(Self::Stdin);
        }
        let path = PathBuf::from(target);
        match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => Ok(Self::of_folder(path)),
            Ok(_) if directory::rendered_by(&path).is_some() => Ok(Self::of_folder(folder_of(&path).into())),
            Ok(_) => Ok(Self::File(path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(ManifestError::Missing { path }),
            Err(source) => Err(ManifestError::Read { path, source }),
        }
    }

    fn of_folder(path: PathBuf) -> Self {
        match directory::rendered(&path) {
            Some(Rendered::Kustomization) => Self::Kustomization(path),
            Some(Rendered::Chart) => Self::Chart(path),
            None => Self::Folder(path),
        }
    }

    /// Returns the name that an app gets from its folder: for a file the folder it is in, for standard input the
    /// working folder. The root of a disk has none.
    pub(crate) fn app_name(&self) -> Option<String> {
        if let Self::Memory { name, .. } = self {
            return Some((*name).to_owned());
        }
        let folder = self.folder();
        let named = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        named(folder).or_else(|| named(&folder.canonicalize().ok()?))
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Stdin | Self::Memory { .. } => Path::new("."),
            Self::File(path) => folder_of(path),
            Self::Folder(path) | Self::Kustomization(path) | Self::Chart(path) => path,
        }
    }

    fn place(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::Memory { name, .. } => (*name).to_owned(),
            Self::File(path) | Self::Folder(path) | Self::Kustomization(path) | Self::Chart(path) => {
                error::visible(&path.to_string_lossy())
            }
        }
    }
}

/// Reads the manifests of a source. Nothing at all is an error, so that a wrong path never looks like an empty app.
pub(crate) async fn load(source: &Source, options: &LoadOptions) -> Result<Loaded, ManifestError> {
    load_with(source, options, &Tools::default()).await
}

/// Returns what a sync is recorded with: the git commit of the source's folder, else the SHA-256 in hex of the
/// manifests (cli.md, `--revision`).
pub(crate) async fn revision(source: &Source, loaded: &Loaded) -> String {
    let commit = match source {
        Source::Stdin | Source::Memory { .. } => None,
        Source::File(_) | Source::Folder(_) | Source::Kustomization(_) | Source::Chart(_) => {
            render::commit(source.folder(), &Tools::default()).await
        }
    };
    commit.unwrap_or_else(|| digest(loaded))
}

async fn load_with(source: &Source, options: &LoadOptions, tools: &Tools) -> Result<Loaded, ManifestError> {
    if !matches!(source, Source::Chart(_)) {
        refuse_chart_options(source, options)?;
    }
    let loaded = match source.clone() {
        Source::Stdin => blocking(|| directory::load_stream(std::io::stdin().lock())).await,
        Source::File(path) => blocking(move || directory::load_file(&path)).await,
        Source::Folder(path) => blocking(move || directory::load_folder(&path)).await,
        Source::Kustomization(path) => render::kustomization(&path, tools).await,
        Source::Chart(path) => render::chart(&path, options, tools).await,
        Source::Memory { files, .. } => load_memory(files),
    }?;
    if loaded.manifests.is_empty() {
        return Err(ManifestError::Empty { place: source.place(), searched: searched(source) });
    }
    Ok(loaded)
}

fn searched(source: &Source) -> &'static str {
    match source {
        Source::Folder(_) => "files ending in .yaml, .yml or .json are read, in subfolders too; hidden ones are not",
        Source::Stdin | Source::File(_) | Source::Memory { .. } => "there are only comments or empty documents",
        Source::Kustomization(_) | Source::Chart(_) => "it rendered to nothing",
    }
}

fn load_memory(files: &[(&str, &str)]) -> Result<Loaded, ManifestError> {
    let mut all = Loaded::default();
    for (name, text) in files {
        let loaded = parse(text, name)?;
        all.manifests.extend(loaded.manifests);
        all.warnings.extend(loaded.warnings);
    }
    Ok(all)
}

fn refuse_chart_options(source: &Source, options: &LoadOptions) -> Result<(), ManifestError> {
    for (option, is_given) in [("--values", !options.values.is_empty()), ("--parameter", !options.parameters.is_empty())] {
        if is_given {
            return Err(ManifestError::NotAChart { option, place: source.place() });
        }
    }
    Ok(())
}

/// Reads and parses beside the runtime: disks block, and large files take their time.
async fn blocking(read: impl FnOnce() -> Result<Loaded, ManifestError> + Send + 'static) -> Result<Loaded, ManifestError> {
    // Such a task can only fail by a panic: it is never cancelled while somebody waits for it.
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn digest(loaded: &Loaded) -> String {
    let mut hash = Sha256::new();
    for manifest in &loaded.manifests {
        hash.update(manifest.object.wire().to_string());
        hash.update("\n");
    }
    format!("{:x}", hash.finalize())
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
