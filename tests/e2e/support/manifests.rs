//! Manifests that read like prose, and those of the stories, which the tests play on a real cluster.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// A manifest.
pub(crate) type Object = Value;

/// A Job whose only container runs a shell script, once.
pub(crate) fn job(name: &str, script: &str) -> Object {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": pod_spec("Never", script)}},
    })
}

/// A Pod that runs a shell script, once.
pub(crate) fn pod(name: &str, script: &str) -> Object {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod_spec("Never", script)})
}

/// A Deployment of one pod, which is ready when its script has made the file `/tmp/ready`.
pub(crate) fn deployment(name: &str, script: &str) -> Object {
    let mut spec = pod_spec("Always", script);
    spec["containers"][0]["readinessProbe"] = json!({"exec": {"command": ["test", "-f", "/tmp/ready"]}, "periodSeconds": 1});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    })
}

fn pod_spec(restart: &str, script: &str) -> Value {
    json!({
        "restartPolicy": restart, "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": "busybox", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script]}],
    })
}

pub(crate) fn config_map(name: &str, value: &str) -> Object {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}})
}

pub(crate) fn secret(name: &str, key: &str) -> Object {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {key: "hidden"}})
}

/// What makes a manifest a hook, or places it.
pub(crate) trait ObjectExt: Sized {
    fn annotated(self, key: &str, value: &str) -> Self;
    /// Sets a field by its JSON pointer, for example `/spec/backoffLimit`; its parent has to be there.
    fn with(self, pointer: &str, value: impl Into<Value>) -> Self;
    /// Gives it a `generateName` instead of its name.
    fn generated(self) -> Self;

    fn hook(self, phases: &str) -> Self {
        self.annotated("argocd.argoproj.io/hook", phases)
    }

    fn policy(self, policies: &str) -> Self {
        self.annotated("argocd.argoproj.io/hook-delete-policy", policies)
    }

    fn wave(self, wave: i32) -> Self {
        self.annotated("argocd.argoproj.io/sync-wave", &wave.to_string())
    }
}

impl ObjectExt for Object {
    fn annotated(mut self, key: &str, value: &str) -> Self {
        self["metadata"]["annotations"][key] = json!(value);
        self
    }

    fn with(mut self, pointer: &str, value: impl Into<Self>) -> Self {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let parent = self.pointer_mut(parent).unwrap_or_else(|| panic!("{parent} is not there"));
        match parent {
            Self::Array(items) => items[field.parse::<usize>().unwrap()] = value.into(),
            other => other[field] = value.into(),
        }
        self
    }

    fn generated(mut self) -> Self {
        let name = self["metadata"].as_object_mut().unwrap().remove("name").unwrap();
        self["metadata"]["generateName"] = json!(format!("{}-", name.as_str().unwrap()));
        self
    }
}

/// Returns the manifests of a story of `assets/demo`, with some of its words replaced; each of them has to occur.
pub(crate) fn story(name: &str, words: &[(&str, &str)]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo").join(name).join("manifests");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut text = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect::<Vec<_>>().join("\n---\n");
    for (old, new) in words {
        assert!(text.contains(old), "{name} does not say {old:?} any more");
        text = text.replace(old, new);
    }
    text
}
