//! What a cluster knows of kinds: their resource name and scope, or why it does not know them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::key::{Gvk, ResourceKey};
use super::object::Object;

/// Whether objects of a kind live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Scope {
    Namespaced,
    Cluster,
}

/// What discovery said of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum KindFact {
    /// Served, under this resource name.
    Known { plural: Arc<str>, scope: Scope },
    /// Not served; the text as the operation message needs it (spec R525).
    NotFound(String),
    /// Not served in this version, but in this other one.
    OtherVersion { text: String, served: Arc<str>, scope: Scope },
    /// The answer could not be had.
    Failed(String),
}

/// Says what the server lacks of an object's kind (spec R1312): the version that is asked for, if it serves another one, or all of it.
pub(crate) fn missing(key: &ResourceKey, version: &str, served: Option<&str>) -> String {
    let kind = if key.group.is_empty() { key.kind.to_string() } else { format!("{}/{}", key.group, key.kind) };
    let name = if key.namespace.is_empty() { key.name.to_string() } else { format!("{}/{}", key.namespace, key.name) };
    match served {
        Some(served) => format!(
            "The Kubernetes API could not find version \"{version}\" of {kind} for requested resource {name}. Version \"{served}\" of {kind} is installed on the destination cluster."
        ),
        None => format!(
            "The Kubernetes API could not find {kind} for requested resource {name}. Make sure the \"{}\" CRD is installed on the destination cluster.",
            key.kind
        ),
    }
}

/// What a CustomResourceDefinition says of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) group: Arc<str>,
    pub(crate) kind: Arc<str>,
    pub(crate) scope: Scope,
}

impl Definition {
    /// Reads a definition; `None` if the object is none, or says too little.
    pub(crate) fn of(object: &Object) -> Option<Self> {
        if *object.gvk().kind != *"CustomResourceDefinition" {
            return None;
        }
        let (group, kind) = (object.text(&["spec", "group"]), object.text(&["spec", "names", "kind"]));
        let scope = if object.text(&["spec", "scope"]) == "Cluster" { Scope::Cluster } else { Scope::Namespaced };
        (!group.is_empty() && !kind.is_empty()).then(|| Self { group: group.into(), kind: kind.into(), scope })
    }
}

/// Kinds of a plan as discovery saw them, and as definitions among the manifests say that they will be. A kind of which nobody knows
/// anything is assumed to be namespaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds {
    facts: BTreeMap<String, KindFact>,
    defined: BTreeMap<(Arc<str>, Arc<str>), Scope>,
}

impl Kinds {
    /// Notes what discovery said.
    pub(crate) fn insert(&mut self, gvk: &Gvk, fact: KindFact) {
        self.facts.insert(gvk.to_string(), fact);
    }

    /// Notes what the definitions among these objects say: their kinds may be served only when the sync has begun.
    pub(crate) fn define<'a>(&mut self, objects: impl IntoIterator<Item = &'a Object>) {
        let definitions = objects.into_iter().filter_map(Definition::of);
        self.defined.extend(definitions.map(|definition| ((definition.group, definition.kind), definition.scope)));
    }

    /// Returns what discovery said, if it was asked.
    pub(crate) fn get(&self, gvk: &Gvk) -> Option<&KindFact> {
        self.facts.get(&gvk.to_string())
    }

    /// Returns the scope: discovery's, else that of the definition, else that of Kubernetes' own kinds, else namespaced.
    pub(crate) fn scope(&self, gvk: &Gvk) -> Scope {
        self.told_scope(gvk).unwrap_or_else(|| built_in_scope(gvk))
    }

    /// Returns the scope, if the cluster or a definition tells it. All versions of a kind have one scope.
    pub(crate) fn told_scope(&self, gvk: &Gvk) -> Option<Scope> {
        match self.get(gvk) {
            Some(KindFact::Known { scope, .. } | KindFact::OtherVersion { scope, .. }) => Some(*scope),
            Some(KindFact::NotFound(_) | KindFact::Failed(_)) | None => self.defined.get(&(gvk.group.clone(), gvk.kind.clone())).copied(),
        }
    }

    /// Returns the key that an object has in the cluster (spec R312, R1210): without a namespace if its kind has none, else in its own or in
    /// the destination.
    pub(crate) fn key_of(&self, object: &Object, destination: &str) -> ResourceKey {
        let key = object.key();
        let namespace: Arc<str> = match self.scope(&object.gvk()) {
            Scope::Cluster => "".into(),
            Scope::Namespaced if key.namespace.is_empty() => destination.into(),
            Scope::Namespaced => key.namespace.clone(),
        };
        ResourceKey { namespace, ..key }
    }
}

/// Cluster-scoped kinds of Kubernetes itself, for plans without a cluster.
const CLUSTER_SCOPED: [(&str, &str); 22] = [
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
    ("networking.k8s.io", "IngressClass"),
    ("node.k8s.io", "RuntimeClass"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
];

fn built_in_scope(gvk: &Gvk) -> Scope {
    if CLUSTER_SCOPED.contains(&(&*gvk.group, &*gvk.kind)) { Scope::Cluster } else { Scope::Namespaced }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn r1210_a_definition_among_the_manifests_tells_the_scope_of_its_kind_until_the_cluster_does() {
        let spec = json!({"group": "example.com", "scope": "Cluster", "names": {"kind": "Widget", "plural": "widgets"}});
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec});
        let widget = json!({"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}});
        let (gvk, mut kinds) = (Gvk::new("example.com/v2", "Widget"), Kinds::default());
        assert_eq!((kinds.told_scope(&gvk), kinds.scope(&gvk)), (None, Scope::Namespaced));
        kinds.insert(&gvk, KindFact::NotFound("no".into()));
        kinds.define([&Object::new(definition), &Object::new(widget.clone())]);
        assert_eq!(kinds.key_of(&Object::new(widget), "shop"), ResourceKey::new("example.com", "Widget", "", "w"));
        kinds.insert(&gvk, KindFact::Known { plural: "widgets".into(), scope: Scope::Namespaced });
        assert_eq!(kinds.told_scope(&gvk), Some(Scope::Namespaced));
    }
}
