//! What an object needs before it can work: the Secrets, ConfigMaps, claims and accounts that its pods name, and the Namespace that it is
//! in. Reads manifests as they are, half-written ones too; whether anybody provides what is needed is the business of `provision`.

use serde_json::Value;

use crate::model::{Object, ResourceKey};

/// What happens without the object that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// The pod, or the object itself, does not come up.
    Required,
    /// The pod starts, if its images can be had without a password.
    ForImages,
    /// `optional: true`: nothing.
    Optional,
}

/// One object that another one needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) to: ResourceKey,
    pub(crate) strength: Strength,
    /// The field that names it, for example `spec.containers[0].envFrom[1].secretRef`.
    pub(crate) path: String,
    /// The key of a Secret or a ConfigMap, if it is one value that is needed.
    pub(crate) key: Option<String>,
}

/// Kinds that may be needed, as the cluster calls them.
pub(crate) const PLURALS: [(&str, &str); 5] = [
    ("ConfigMap", "configmaps"),
    ("Namespace", "namespaces"),
    ("PersistentVolumeClaim", "persistentvolumeclaims"),
    ("Secret", "secrets"),
    ("ServiceAccount", "serviceaccounts"),
];

/// Lists of a pod's spec that hold containers.
const CONTAINERS: [&str; 2] = ["initContainers", "containers"];

/// Returns what an object needs, in the order of its fields. Its namespace is the one that its metadata names.
pub(crate) fn references(object: &Object) -> Vec<Reference> {
    let mut walk = Walk { namespace: object.namespace(), found: Vec::new() };
    if !walk.namespace.is_empty() {
        walk.found.push(Reference {
            to: ResourceKey::new("", "Namespace", "", walk.namespace),
            strength: Strength::Required,
            path: "metadata.namespace".to_owned(),
            key: None,
        });
    }
    if let Some((path, spec)) = pod_spec(object) {
        let claimed = items(object.wire().pointer("/spec/volumeClaimTemplates"));
        let templates: Vec<&str> = claimed.filter_map(|(_, claim)| text(claim.pointer("/metadata/name"))).collect();
        walk.pod(&path, spec, &templates);
    }
    walk.found
}

/// Returns the spec of the pods that an object makes, and its path.
pub(crate) fn pod_spec(object: &Object) -> Option<(String, &Value)> {
    let gvk = object.gvk();
    let path = match (&*gvk.group, &*gvk.kind) {
        ("", "Pod") => "spec",
        ("", "ReplicationController") | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            "spec.template.spec"
        }
        ("batch", "CronJob") => "spec.jobTemplate.spec.template.spec",
        _ => return None,
    };
    let spec = path.split('.').try_fold(object.wire(), |value, field| value.get(field))?;
    Some((path.to_owned(), spec))
}

/// Returns the containers of a pod's spec with their paths, init containers first.
pub(crate) fn containers<'a>(path: &str, spec: &'a Value) -> impl Iterator<Item = (String, &'a Value)> {
    let lists = CONTAINERS.map(|list| (format!("{path}.{list}"), spec.get(list)));
    lists.into_iter().flat_map(|(path, list)| items(list).map(move |(at, container)| (format!("{path}[{at}]"), container)))
}

/// Returns the items of a list with their places; nothing of anything else.
pub(crate) fn items(value: Option<&Value>) -> impl Iterator<Item = (usize, &Value)> {
    value.and_then(Value::as_array).into_iter().flatten().enumerate()
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whatever names a Secret or a ConfigMap in an entry of a list: its field, the field of the name, and the kind.
const OF_ENV: [(&str, &str, &str); 2] = [("secretKeyRef", "name", "Secret"), ("configMapKeyRef", "name", "ConfigMap")];
const OF_ENV_FROM: [(&str, &str, &str); 2] = [("secretRef", "name", "Secret"), ("configMapRef", "name", "ConfigMap")];
const OF_VOLUMES: [(&str, &str, &str); 2] = [("secret", "secretName", "Secret"), ("configMap", "name", "ConfigMap")];
/// Volumes whose password the kubelet hands to a driver: where the name of the Secret stands in the volume.
const PASSWORDS: [&str; 8] = [
    "azureFile.secretName",
    "cephfs.secretRef.name",
    "csi.nodePublishSecretRef.name",
    "flexVolume.secretRef.name",
    "iscsi.secretRef.name",
    "rbd.secretRef.name",
    "scaleIO.secretRef.name",
    "storageos.secretRef.name",
];
const OF_SOURCES: [(&str, &str, &str); 2] = [("secret", "name", "Secret"), ("configMap", "name", "ConfigMap")];

struct Walk<'a> {
    namespace: &'a str,
    found: Vec<Reference>,
}

impl Walk<'_> {
    fn pod(&mut self, path: &str, spec: &Value, templates: &[&str]) {
        let mut mounted = Vec::new();
        for (path, container) in containers(path, spec) {
            self.container(&path, container);
            mounted.extend(items(container.get("volumeMounts")).filter_map(|(_, mount)| text(mount.get("name"))));
        }
        for (at, volume) in items(spec.get("volumes")) {
            let name = text(volume.get("name")).unwrap_or_default();
            // A claim that the StatefulSet makes itself takes the place of the volume of its name.
            if !templates.contains(&name) {
                self.volume(&format!("{path}.volumes[{at}]"), volume, mounted.contains(&name));
            }
        }
        for (at, secret) in items(spec.get("imagePullSecrets")) {
            self.add("Secret", text(secret.get("name")), Strength::ForImages, format!("{path}.imagePullSecrets[{at}]"));
        }
        let account = ["serviceAccountName", "serviceAccount"].into_iter().find_map(|field| Some((field, text(spec.get(field))?)));
        if let Some((field, name)) = account.filter(|(_, name)| *name != "default") {
            self.add("ServiceAccount", Some(name), Strength::Required, format!("{path}.{field}"));
        }
    }

    fn container(&mut self, path: &str, container: &Value) {
        for (at, variable) in items(container.get("env")) {
            if let Some(from) = variable.get("valueFrom") {
                self.sources(&format!("{path}.env[{at}].valueFrom"), from, &OF_ENV);
            }
        }
        for (at, from) in items(container.get("envFrom")) {
            self.sources(&format!("{path}.envFrom[{at}]"), from, &OF_ENV_FROM);
        }
    }

    /// A Secret or a ConfigMap that no container mounts is not waited for; a claim is, by the scheduler.
    fn volume(&mut self, path: &str, volume: &Value, is_mounted: bool) {
        if is_mounted {
            self.sources(path, volume, &OF_VOLUMES);
            for (at, source) in items(volume.pointer("/projected/sources")) {
                self.sources(&format!("{path}.projected.sources[{at}]"), source, &OF_SOURCES);
            }
            for field in PASSWORDS {
                let name = field.split('.').try_fold(volume, |value, part| value.get(part));
                let place = field.strip_suffix(".name").unwrap_or(field);
                self.add("Secret", text(name), Strength::Required, format!("{path}.{place}"));
            }
        }
        let claim = text(volume.pointer("/persistentVolumeClaim/claimName"));
        self.add("PersistentVolumeClaim", claim, Strength::Required, format!("{path}.persistentVolumeClaim"));
    }

    fn sources(&mut self, path: &str, holder: &Value, table: &[(&str, &str, &str)]) {
        for (field, name, kind) in table {
            let Some(source) = holder.get(field) else { continue };
            let strength =
                if source.get("optional").and_then(Value::as_bool) == Some(true) { Strength::Optional } else { Strength::Required };
            let before = self.found.len();
            self.add(kind, text(source.get(name)), strength, format!("{path}.{field}"));
            let Some(added) = self.found.get_mut(before) else { continue };
            added.key = text(source.get("key")).map(str::to_owned);
            let whole = added.clone();
            // A volume that takes single values does not come up without one of them.
            let values = items(source.get("items")).filter_map(|(at, item)| Some((at, text(item.get("key"))?)));
            self.found.extend(values.map(|(at, key)| {
                let path = format!("{}.items[{at}]", whole.path);
                Reference { path, key: Some(key.to_owned()), ..whole.clone() }
            }));
        }
    }

    fn add(&mut self, kind: &str, name: Option<&str>, strength: Strength, path: String) {
        let Some(name) = name else { return };
        self.found.push(Reference { to: ResourceKey::new("", kind, self.namespace, name), strength, path, key: None });
    }
}

#[cfg(test)]
mod tests;
