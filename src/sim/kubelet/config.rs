//! What a pod needs before its containers can be made: Secrets and ConfigMaps of its volumes and variables. Also
//! collects the variables with plain values.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sim::actors::World;
use crate::sim::fields::{self, flag, list, text};

/// A volume that cannot be mounted: its name and why.
pub(super) fn missing_volume(world: &World, pod: &Value) -> Option<(String, String)> {
    let namespace = fields::namespace(pod);
    list(pod, "/spec/volumes").iter().find_map(|volume| {
        let projected = list(volume, "/projected/sources").iter();
        let sources =
            projected.flat_map(|source| [(Kind::Secret, &source["secret"], "/name"), (Kind::ConfigMap, &source["configMap"], "/name")]);
        let own = [(Kind::Secret, &volume["secret"], "/secretName"), (Kind::ConfigMap, &volume["configMap"], "/name")];
        let problem = own.into_iter().chain(sources).find_map(|(kind, source, name)| {
            if source.is_null() || flag(source, "/optional") {
                return None;
            }
            let Some(object) = kind.find(world, namespace, text(source, name)) else {
                return Some(kind.not_found(text(source, name)));
            };
            let wanted = list(source, "/items").iter().map(|item| text(item, "/key"));
            wanted.into_iter().find(|key| !has_key(&object, key)).map(|key| format!("references non-existent {} key: {key}", kind.word()))
        })?;
        Some((text(volume, "/name").to_owned(), problem))
    })
}

/// Why the variables of a container cannot be made.
pub(super) fn missing_variable(world: &World, namespace: &str, container: &Value) -> Option<String> {
    let whole =
        list(container, "/envFrom").iter().flat_map(|from| [(Kind::ConfigMap, &from["configMapRef"]), (Kind::Secret, &from["secretRef"])]);
    let single = list(container, "/env").iter().flat_map(|variable| {
        [(Kind::ConfigMap, &variable["valueFrom"]["configMapKeyRef"]), (Kind::Secret, &variable["valueFrom"]["secretKeyRef"])]
    });
    whole.chain(single).find_map(|(kind, reference)| {
        if reference.is_null() || flag(reference, "/optional") {
            return None;
        }
        let name = text(reference, "/name");
        let Some(object) = kind.find(world, namespace, name) else { return Some(kind.not_found(name)) };
        let key = reference["key"].as_str()?;
        (!has_key(&object, key)).then(|| format!("couldn't find key {key} in {} {namespace}/{name}", kind.title()))
    })
}

/// Returns the variables of a container that have plain values.
pub(super) fn variables(container: &Value) -> BTreeMap<String, String> {
    let plain = |variable: &Value| Some((text(variable, "/name").to_owned(), variable["value"].as_str()?.to_owned()));
    list(container, "/env").iter().filter_map(plain).collect()
}

#[derive(Clone, Copy)]
enum Kind {
    Secret,
    ConfigMap,
}

impl Kind {
    fn find(self, world: &World, namespace: &str, name: &str) -> Option<std::sync::Arc<Value>> {
        let plural = match self {
            Self::Secret => "secrets",
            Self::ConfigMap => "configmaps",
        };
        world.store.get("", plural, namespace, name)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::ConfigMap => "config",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }

    fn not_found(self, name: &str) -> String {
        format!("{} \"{name}\" not found", self.title().to_lowercase())
    }
}

fn has_key(object: &Value, key: &str) -> bool {
    ["data", "binaryData"].into_iter().any(|map| object[map].get(key).is_some())
}
