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

/// What other tools keep beside manifests.
const OTHERS: [(&str, &str); 8] = [
    ("chart-values.yaml", "image:\n  kind: alpine\nreplicas: 2\n"),
    ("dashboards/web.json", "{\"title\": \"Web\", \"panels\": [{\"kind\": \"graph\", \"metadata\": {}}]}"),
    ("docker-compose.yml", "services:\n  web: {image: nginx}\n"),
    ("list.yaml", "- one\n- two\n"),
    ("package.json", "{\n  \"name\": \"shop\", \"version\": \"1.0.0\"\n}"),
    ("template.yaml", "replicas: {{ .Values.replicas }}\n"),
    ("tsconfig.json", "{\n  // comments are allowed here\n  \"compilerOptions\": {}\n}"),
    ("words.yml", "just words\n"),
];

#[tokio::test]
async fn what_another_tool_has_in_a_folder_is_left_out_and_said_to_be_as_in_argo_cd() {
    let mut files = vec![("app.yaml", config("a"))];
    files.extend(OTHERS.map(|(name, text)| (name, text.to_owned())));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder(&files);
    let found = load_path(folder.path()).await.unwrap();
    assert_eq!(names(&found), ["a"]);
    let told: Vec<String> =
        found.warnings.iter().map(|warning| format!("{}: {}", warning.origin.as_ref().unwrap(), warning.message)).collect();
    assert_eq!(told.len(), OTHERS.len(), "{told:#?}");
    for ((name, _), told) in OTHERS.iter().zip(&told) {
        let start = format!("{}:", folder.path().join(name).display());
        assert!(told.starts_with(&start) && told.contains(": left out, because it does not look like a manifest ("), "{told}");
    }
    assert!(told[4].ends_with("(the object has no apiVersion); if it is one, give it apiVersion and kind, else move it out of the folder"));
    for (name, _) in OTHERS {
        let error = load_path(&folder.path().join(name)).await.unwrap_err();
        assert!(matches!(error, ManifestError::Text(_)), "a file that is named is meant: {error}");
    }
}

#[tokio::test]
async fn what_looks_like_a_manifest_and_is_broken_refuses_its_folder() {
    for (text, words) in [
        ("kind: ConfigMap\nmetadata: {name: a}\n", "no apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "no kind"),
        ("metadata: {name: a}\ndata: {}\n", "no apiVersion"),
        ("a: 1\n---\nkind: ConfigMap\n", "no apiVersion"),
        ("- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n", "a list, not an object"),
        ("wrapped:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n", "no apiVersion"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n", ""),
        ("kind: ConfigMap\n\tdata: 1\n", ""),
        ("{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"a\"}", ""),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: on}\n", "metadata.name"),
    ] {
        let folder = folder(&[("app.yaml", &config("a")), ("broken.yaml", text)]);
        let error = load_path(folder.path()).await.unwrap_err().to_string();
        assert!(error.contains("broken.yaml:") && error.contains(words), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_folder_with_nothing_but_files_of_other_tools_says_what_is_wrong_with_the_first() {
    let folder = folder(&OTHERS);
    let error = load_path(folder.path()).await.unwrap_err().to_string();
    assert!(error.ends_with("chart-values.yaml:1:1: the object has no apiVersion"), "{error}");
}

#[tokio::test]
async fn of_many_files_that_are_left_out_the_first_have_a_reason_the_next_a_name_and_all_are_counted() {
    let mut files: Vec<(String, String)> = (0..100).map(|at| (format!("values-{at:02}.yaml"), "a: 1\n".to_owned())).collect();
    files.push(("app.yaml".to_owned(), config("a")));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let found = load_path(folder(&files).path()).await.unwrap();
    let last = &found.warnings[10].message;
    assert_eq!(found.warnings.len(), 11);
    assert!(
        last.starts_with("90 more files of the folder are left out in the same way: ") && last.ends_with("values-29.yaml and 70 more"),
        "{last}"
    );
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

/// A folder has what programs left there, and a pipe without a writer would be waited for without end.
#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_a_folder_is_named_and_not_waited_for() {
    let folder = folder(&[("a.yaml", &config("a"))]);
    let pipe = folder.path().join("b.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = load_path(folder.path()).await.unwrap_err().to_string();
    assert_eq!(error, format!("`{}` is a pipe, a socket or a device", pipe.display()));
    std::fs::remove_file(&pipe).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &pipe).unwrap();
    assert_eq!(load_path(folder.path()).await.unwrap_err().to_string(), error);
    std::fs::remove_file(&pipe).unwrap();
    std::os::unix::fs::symlink("/dev/null", &pipe).unwrap();
    assert_eq!(load_path(folder.path()).await.unwrap().manifests.len(), 1, "a file that somebody hides that way is empty");
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
