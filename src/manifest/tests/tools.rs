use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::child::Tools;
use super::super::{LoadOptions, Source, load, load_with};
use super::*;

/// Says that a test could not prove anything here.
#[expect(clippy::print_stderr, reason = "the only way for a test to say that it was skipped")]
pub(super) fn skipped(tool: &str) {
    eprintln!("skipped: {tool} is not installed");
}

/// Whether a folder has manifests that only a real tool can render.
fn is_installed(tool: &str) -> bool {
    let found = Tools::default().find(tool).is_some();
    if !found {
        skipped(tool);
    }
    found
}

/// A tool that is a script, in a folder of its own. A shell writes it: were the file ever open in this process, a
/// child of another test could inherit it, and the system would refuse to run a file that is open for writing.
#[cfg(unix)]
fn fake(name: &str, script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = "printf '#!/bin/sh\\n%s\\n' \"$2\" > \"$1\" && chmod +x \"$1\"";
    let status = std::process::Command::new("/bin/sh").args(["-c", write, "sh"]).arg(folder.path().join(name)).arg(script).status();
    assert!(status.is_ok_and(|status| status.success()));
    folder
}

#[cfg(unix)]
async fn with_fake(name: &str, script: &str, source: Source, options: &LoadOptions) -> Result<Loaded, ManifestError> {
    let folder = fake(name, script);
    load_with(&source, options, &Tools::in_folder(folder.path(), Duration::from_secs(60))).await
}

fn kustomization() -> Source {
    Source::Kustomization("overlay".into())
}

#[tokio::test]
async fn a_missing_tool_is_named() {
    let nothing = tempfile::tempdir().unwrap();
    let tools = Tools::in_folder(nothing.path(), Duration::from_secs(60));
    let error = load_with(&kustomization(), &LoadOptions::default(), &tools).await.unwrap_err();
    assert_eq!(error.to_string(), "`overlay` needs `kustomize` or `kubectl`, which is not installed");
    let error = load_with(&Source::Chart("chart".into()), &LoadOptions::default(), &tools).await.unwrap_err();
    assert_eq!(error.to_string(), "`chart` needs `helm`, which is not installed");
}

#[cfg(unix)]
#[tokio::test]
async fn decision_16_the_tool_is_called_without_a_shell_and_its_output_is_read() {
    let script = "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: \"%s\"\\n' \"$*\"; echo '# Warning: old field' >&2";
    let found = with_fake("kustomize", script, kustomization(), &LoadOptions::default()).await.unwrap();
    assert_eq!(found.manifests[0].object.name(), "build overlay");
    assert_eq!(found.manifests[0].origin.to_string(), "kustomize overlay:1");
    assert_eq!(found.warnings[0].message, "kustomize: # Warning: old field");
    let found = with_fake("kubectl", script, kustomization(), &LoadOptions::default()).await.unwrap();
    assert_eq!(found.manifests[0].object.name(), "kustomize overlay");
    let values = tempfile::NamedTempFile::new().unwrap();
    let options = LoadOptions {
        app: "shop".into(),
        namespace: Some("prod".into()),
        values: vec![values.path().into()],
        parameters: vec!["image.tag=v2; exit 9".into(), "a=b".into()],
    };
    let found = with_fake("helm", script, Source::Chart("chart".into()), &options).await.unwrap();
    let file = values.path().display();
    let expected = format!("template shop chart --include-crds --namespace prod --values {file} --set image.tag=v2; exit 9 --set a=b");
    assert_eq!(found.manifests[0].object.name(), expected);
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_failing_tool_says_is_shown() {
    let script = "echo 'Error: no such field'; printf 'accumulating \\033[31mresources' >&2; exit 3";
    let error = with_fake("kustomize", script, kustomization(), &LoadOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "`kustomize build overlay` failed (exit code 3)\n  accumulating \\u{1b}[31mresources");
    let error = with_fake("kustomize", "kill -9 $$", kustomization(), &LoadOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("signal: 9"), "{error}");
    let error = with_fake("kustomize", "echo not yaml: [", kustomization(), &LoadOptions::default()).await.unwrap_err();
    assert!(error.to_string().starts_with("kustomize overlay:"), "{error}");
    let error = with_fake("kustomize", "true", kustomization(), &LoadOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "no manifests in `overlay`");
}

#[cfg(unix)]
#[tokio::test]
async fn values_of_parameters_are_not_printed_when_helm_fails() {
    let options = LoadOptions { app: "shop".into(), parameters: vec!["db.password=hunter2,x=y".into()], ..LoadOptions::default() };
    let script = "echo 'Error: bad value hunter2 for x' >&2; exit 1";
    let error = with_fake("helm", script, Source::Chart("chart".into()), &options).await.unwrap_err();
    let expected =
        "`helm template shop chart --include-crds --set db.password=••••••••` failed (exit code 1)\n  Error: bad value •••••••• for x";
    assert_eq!(error.to_string(), expected);
}

#[cfg(unix)]
#[tokio::test]
async fn a_tool_that_does_not_end_is_ended() {
    let folder = fake("kustomize", "exec /bin/sleep 600");
    let tools = Tools::in_folder(folder.path(), Duration::from_millis(50));
    let error = load_with(&kustomization(), &LoadOptions::default(), &tools).await.unwrap_err();
    assert_eq!(error.to_string(), "`kustomize build overlay` was ended: it took longer than 0 s");
}

/// The limit is real time: a paused clock that jumps ahead must not end a tool that works.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_end_a_tool() {
    let script = "/bin/sleep 0.1; echo 'apiVersion: v1'; echo 'kind: Pod'";
    let found = with_fake("kustomize", script, kustomization(), &LoadOptions::default()).await.unwrap();
    assert_eq!(found.manifests.len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn wrong_options_for_a_chart_are_refused() {
    let chart = Source::Chart("chart".into());
    let options = LoadOptions { app: "a".into(), parameters: vec!["=x".into()], ..LoadOptions::default() };
    let error = with_fake("helm", "true", chart.clone(), &options).await.unwrap_err();
    assert_eq!(error.to_string(), "`=x` is not a parameter");
    let options = LoadOptions { app: "a".into(), values: vec![PathBuf::from("/no/values.yaml")], ..LoadOptions::default() };
    let error = with_fake("helm", "true", chart, &options).await.unwrap_err();
    assert_eq!(error.to_string(), "`/no/values.yaml` does not exist");
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[tokio::test]
async fn a_real_kustomization_is_built() {
    if Tools::default().find("kustomize").is_none() && !is_installed("kubectl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations: {argocd.argoproj.io/hook: PreSync}\n";
    write(folder.path(), &[("kustomization.yaml", "namePrefix: shop-\nresources: [job.yaml]\n"), ("job.yaml", job)]);
    let source = Source::of(folder.path().to_str().unwrap()).unwrap();
    let found = load(&source, &LoadOptions::default()).await.unwrap();
    assert_eq!(found.manifests[0].object.name(), "shop-migrate");
    assert_eq!(found.manifests[0].object.annotation("argocd.argoproj.io/hook"), Some("PreSync"));
    write(folder.path(), &[("kustomization.yaml", "resources: [gone.yaml]\n")]);
    let error = load(&source, &LoadOptions::default()).await.unwrap_err().to_string();
    assert!(error.contains("failed (exit code 1)") && error.contains("gone.yaml"), "{error}");
}

#[tokio::test]
async fn a_real_chart_is_rendered_with_its_hooks_and_crds() {
    if !is_installed("helm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let hook = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}-{{ .Values.tag }}\n  namespace: {{ .Release.Namespace }}\n  annotations:\n    helm.sh/hook: pre-install\n";
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: gizmos.example.com\n";
    write(
        folder.path(),
        &[
            ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
            ("templates/job.yaml", hook),
            ("crds/gizmo.yaml", crd),
            ("values.yaml", "tag: v1\n"),
            ("more.yaml", "tag: v2\n"),
        ],
    );
    let source = Source::of(folder.path().to_str().unwrap()).unwrap();
    let mut options = LoadOptions { app: "shop".into(), namespace: Some("prod".into()), ..LoadOptions::default() };
    options.values.push(folder.path().join("more.yaml"));
    let found = load(&source, &options).await.unwrap();
    let names: Vec<_> = found.manifests.iter().map(|manifest| manifest.object.name()).collect();
    assert_eq!(names, ["gizmos.example.com", "shop-v2"]);
    assert_eq!(found.manifests[1].object.namespace(), "prod");
    options.parameters.push("tag=v3".into());
    assert_eq!(load(&source, &options).await.unwrap().manifests[1].object.name(), "shop-v3");
    write(folder.path(), &[("templates/job.yaml", "{{ .Values.tag.deep.missing }}")]);
    let error = load(&source, &options).await.unwrap_err().to_string();
    assert!(error.contains("helm template shop") && error.contains("templates/job.yaml"), "{error}");
}
