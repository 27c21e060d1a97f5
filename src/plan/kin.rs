//! Which kinds may belong to an object: Kubernetes' own controllers make what they make, anybody else may make anything. Pure; who
//! belongs to whom is found elsewhere.

use crate::model::key::is_built_in;
use crate::model::{Gvk, ResourceKey};

/// Kinds that may be below an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    Nothing,
    /// Kinds of Kubernetes, by their names, in the same namespace.
    These(&'static [&'static str]),
    /// Whatever operators usually make, and the kinds of the plan, in the same namespace.
    Anything,
    /// The same in every namespace, and outside of them.
    Everywhere,
}

/// A kind that controllers make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Usual {
    pub(crate) gvk: Gvk,
    /// What the cluster calls it: `pods`.
    pub(crate) plural: &'static str,
    pub(crate) is_namespaced: bool,
}

/// Version, kind, and what the cluster calls them.
const IN_NAMESPACES: [(&str, &str, &str); 13] = [
    ("v1", "ConfigMap", "configmaps"),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ("v1", "Pod", "pods"),
    ("v1", "Secret", "secrets"),
    ("v1", "Service", "services"),
    ("apps/v1", "ControllerRevision", "controllerrevisions"),
    ("apps/v1", "DaemonSet", "daemonsets"),
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "ReplicaSet", "replicasets"),
    ("apps/v1", "StatefulSet", "statefulsets"),
    ("batch/v1", "CronJob", "cronjobs"),
    ("batch/v1", "Job", "jobs"),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
];

const IN_THE_CLUSTER: [(&str, &str, &str); 2] = [
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings"),
];

/// Workloads whose pods run for long and read ConfigMaps and Secrets.
pub(crate) const READERS: [(&str, &str, &str); 4] = [
    ("apps/v1", "DaemonSet", "daemonsets"),
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "StatefulSet", "statefulsets"),
    ("batch/v1", "CronJob", "cronjobs"),
];

/// Returns what may be below an object. A cluster-scoped one of Kubernetes owns nothing by reference.
pub(crate) fn below(key: &ResourceKey) -> Below {
    match (&*key.group, &*key.kind) {
        (group, _) if key.namespace.is_empty() => {
            if is_built_in(group) {
                Below::Nothing
            } else {
                Below::Everywhere
            }
        }
        ("apps", "Deployment") => Below::These(&["ReplicaSet", "Pod"]),
        ("apps", "StatefulSet") => Below::These(&["ControllerRevision", "PersistentVolumeClaim", "Pod"]),
        ("apps", "DaemonSet") => Below::These(&["ControllerRevision", "Pod"]),
        ("apps", "ReplicaSet") | ("", "ReplicationController") | ("batch", "Job") => Below::These(&["Pod"]),
        ("batch", "CronJob") => Below::These(&["Job", "Pod"]),
        ("", "Service") => Below::These(&["EndpointSlice"]),
        ("argoproj.io", "Rollout") => Below::These(&["ReplicaSet", "Pod"]),
        (group, _) if is_built_in(group) => Below::Nothing,
        _ => Below::Anything,
    }
}

impl Below {
    /// Returns the usual kinds among them.
    pub(crate) fn usual(self) -> Vec<Usual> {
        let usual = |is_namespaced| {
            move |(version, kind, plural): &(&str, &str, &'static str)| Usual { gvk: Gvk::new(version, kind), plural, is_namespaced }
        };
        let inside = || IN_NAMESPACES.iter().map(usual(true));
        match self {
            Self::Nothing => Vec::new(),
            Self::These(kinds) => inside().filter(|usual| kinds.contains(&&*usual.gvk.kind)).collect(),
            Self::Anything => inside().collect(),
            Self::Everywhere => inside().chain(IN_THE_CLUSTER.iter().map(usual(false))).collect(),
        }
    }

    /// Returns whether objects of any other kind may be below, too.
    pub(crate) fn is_open(self) -> bool {
        match self {
            Self::Nothing | Self::These(_) => false,
            Self::Anything | Self::Everywhere => true,
        }
    }
}
