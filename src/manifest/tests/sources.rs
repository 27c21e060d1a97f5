use std::fs;
use std::path::Path;

use miette::Diagnostic;
use tempfile::TempDir;

use super::super::{LoadOptions, Source, directory, load, revision};
use super::*;

fn config(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

/// A folder with files; a name may have folders in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn source(path: &Path) -> Source {
    Source::of(path.to_str().unwrap()).unwrap()
}

async fn load_path(path: &Path) -> Result<Loaded, ManifestError> {
    load(&Source::of(path.to_str().unwrap())?, &LoadOptions::default()).await
}

fn names(loaded: &Loaded) -> Vec<&str> {
    loaded.manifests.iter().map(|manifest| manifest.object.name()).collect()
}

#[tokio::test]
async fn a_folder_is_read_in_the_order_of_names_without_hidden_files() {
    let (a, b, c, d) = (config("a"), config("b"), config("c"), config("d"));
    let json = "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"j\"}}";
    let files = [
        ("b.yaml", b.as_str()),
        ("a.yml", &a),
        ("sub/deep/c.YAML", &c),
        ("sub/j.json", json),
        (".hidden.yaml", &d),
        (".git/d.yaml", &d),
        ("notes.txt", "not read"),
        ("README.md", "not read"),
    ];
    let folder = folder(&files);
    let found = load_path(folder.path()).await.unwrap();
    assert_eq!(names(&found), ["a", "b", "c", "j"]);
    let origin = &found.manifests[2].origin;
    assert_eq!(origin.to_string(), format!("{}:1", folder.path().join("sub/deep/c.YAML").display()));
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_but_not_in_circles() {
    let folder = folder(&[("a.yaml", &config("a")), ("sub/b.yaml", &config("b"))]);
    let elsewhere = self::folder(&[("c.yaml", &config("c"))]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/loop")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("linked")).unwrap();
    assert_eq!(names(&load_path(folder.path()).await.unwrap()), ["a", "c", "b"]);
    std::os::unix::fs::symlink("nowhere.yaml", folder.path().join("z.yaml")).unwrap();
    let error = load_path(folder.path()).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot read `") && error.contains("z.yaml"), "{error}");
}

#[tokio::test]
async fn a_file_of_any_name_is_read() {
    let folder = folder(&[("manifest", &config("a"))]);
    assert_eq!(names(&load_path(&folder.path().join("manifest")).await.unwrap()), ["a"]);
}

#[test]
fn standard_input_is_read_to_its_end() {
    let found = directory::load_stream(config("a").as_bytes()).unwrap();
    assert_eq!(found.manifests[0].origin.to_string(), "-:1");
    let error = directory::load_stream(&b"a: 1\nb: \xff\n"[..]).unwrap_err();
    assert_eq!(error.to_string(), "`-` is not text: line 2 has bytes that are not UTF-8");
    assert_eq!(Source::of("-").unwrap(), Source::Stdin);
}

#[tokio::test]
async fn what_cannot_be_read_gets_one_sentence() {
    let folder = folder(&[("bad.yaml", "x"), ("empty/notes.txt", "x"), ("comment.yaml", "# nothing\n---\n")]);
    fs::write(folder.path().join("zip.yaml"), b"PK\x03\x04\0\0\n").unwrap();
    let missing = Source::of("/no/such/path").unwrap_err();
    assert_eq!(missing.to_string(), "`/no/such/path` does not exist");
    assert!(missing.help().is_some_and(|help| help.to_string().contains("standard input")));
    let empty = load_path(&folder.path().join("empty")).await.unwrap_err();
    assert_eq!(empty.to_string(), format!("no manifests in `{}`", folder.path().join("empty").display()));
    assert!(empty.help().is_some_and(|help| help.to_string().contains(".yaml, .yml or .json")));
    let comment = load_path(&folder.path().join("comment.yaml")).await.unwrap_err();
    assert!(comment.to_string().starts_with("no manifests in `"), "{comment}");
    let binary = load_path(&folder.path().join("zip.yaml")).await.unwrap_err();
    assert!(binary.to_string().ends_with("zip.yaml` is not text: line 1 has bytes that are not UTF-8"), "{binary}");
    let bad = load_path(&folder.path().join("bad.yaml")).await.unwrap_err();
    assert!(bad.to_string().ends_with("bad.yaml:1:1: the document is text, not an object"), "{bad}");
}

#[cfg(unix)]
#[tokio::test]
async fn an_unreadable_file_is_named_with_the_reason() {
    let folder = folder(&[]);
    let path = folder.path().join("x.yaml");
    std::os::unix::fs::symlink("x.yaml", &path).unwrap();
    let error = Source::of(path.to_str().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read `{}`", path.display()));
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_folder_is_known_by_its_files() {
    let folder = folder(&[
        ("k/kustomization.yaml", ""),
        ("l/Kustomization", ""),
        ("c/Chart.yaml", ""),
        ("both/Chart.yaml", ""),
        ("both/kustomization.yml", ""),
        ("plain/a.yaml", ""),
    ]);
    let path = |name: &str| folder.path().join(name);
    assert_eq!(source(&path("k")), Source::Kustomization(path("k")));
    assert_eq!(source(&path("l")), Source::Kustomization(path("l")));
    assert_eq!(source(&path("c")), Source::Chart(path("c")));
    assert_eq!(source(&path("both")), Source::Kustomization(path("both")));
    assert_eq!(source(&path("plain")), Source::Folder(path("plain")));
    assert_eq!(source(&path("k/kustomization.yaml")), Source::Kustomization(path("k")));
    assert_eq!(source(&path("plain/a.yaml")), Source::File(path("plain/a.yaml")));
}

#[tokio::test]
async fn a_kustomization_or_chart_inside_a_plain_folder_is_refused() {
    let folder = folder(&[("a.yaml", &config("a")), ("overlay/kustomization.yaml", "resources: []\n")]);
    let error = load_path(folder.path()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`{}` is a kustomization inside a folder of plain manifests", folder.path().join("overlay").display())
    );
}

#[tokio::test]
async fn options_for_charts_are_refused_elsewhere() {
    let folder = folder(&[("a.yaml", &config("a"))]);
    let options = LoadOptions { parameters: vec!["a=b".into()], ..LoadOptions::default() };
    let error = load(&source(folder.path()), &options).await.unwrap_err();
    assert_eq!(error.to_string(), format!("--parameter is for Helm charts, and `{}` is none", folder.path().display()));
}

#[test]
fn an_app_gets_the_name_of_its_folder() {
    let folder = folder(&[("shop/a.yaml", ""), ("shop/sub/b.yaml", "")]);
    let name = |path: &str| source(&folder.path().join(path)).app_name();
    assert_eq!(name("shop").as_deref(), Some("shop"));
    assert_eq!(name("shop/").as_deref(), Some("shop"));
    assert_eq!(name("shop/.").as_deref(), Some("shop"));
    assert_eq!(name("shop/sub/..").as_deref(), Some("shop"));
    assert_eq!(name("shop/a.yaml").as_deref(), Some("shop"));
    let here = std::env::current_dir().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(Source::of(".").unwrap().app_name(), Some(here.clone()));
    assert_eq!(Source::Stdin.app_name(), Some(here));
    assert_eq!(Source::of("/").unwrap().app_name(), None);
}

#[tokio::test]
async fn the_revision_is_the_commit_or_a_digest_of_the_manifests() {
    let folder = folder(&[("a.yaml", &config("a"))]);
    let source = source(folder.path());
    let found = load(&source, &LoadOptions::default()).await.unwrap();
    let digest = revision(&source, &found).await;
    assert_eq!((digest.len(), digest.bytes().all(|byte| byte.is_ascii_hexdigit())), (64, true), "{digest}");
    assert_eq!(revision(&Source::Stdin, &found).await, digest, "the place does not matter");
    assert_ne!(revision(&Source::Stdin, &loaded(&config("b"))).await, digest);
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(folder.path()).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
        command.output().is_ok_and(|output| output.status.success())
    };
    if git(&["init", "-q"]) && git(&["commit", "-q", "--allow-empty", "-m", "first"]) {
        let commit = revision(&source, &found).await;
        assert_eq!(commit.len(), 40, "{commit}");
    } else {
        super::tools::skipped("git");
    }
}
