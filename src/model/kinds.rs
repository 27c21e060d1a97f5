//! What a cluster knows of kinds: their resource name and scope, or why it does not know them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::key::{Gvk, ResourceKey};

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
    OtherVersion { text: String, served: Arc<str> },
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

/// Kinds of a plan as discovery saw them. A kind that nobody asked for is assumed to be namespaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Kinds(BTreeMap<String, KindFact>);

impl Kinds {
    /// Notes what discovery said.
    pub(crate) fn insert(&mut self, gvk: &Gvk, fact: KindFact) {
        self.0.insert(gvk.to_string(), fact);
    }

    /// Returns what discovery said, if it was asked.
    pub(crate) fn get(&self, gvk: &Gvk) -> Option<&KindFact> {
        self.0.get(&gvk.to_string())
    }

    /// Returns the scope: discovery's, else that of Kubernetes' own kinds, else namespaced.
    pub(crate) fn scope(&self, gvk: &Gvk) -> Scope {
        match self.get(gvk) {
            Some(KindFact::Known { scope, .. }) => *scope,
            Some(KindFact::NotFound(_) | KindFact::OtherVersion { .. } | KindFact::Failed(_)) | None => built_in_scope(gvk),
        }
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
