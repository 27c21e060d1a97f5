//! Which kinds may belong to an object: Kubernetes' own controllers make what they make, anybody else may make anything.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cluster::Resource;
use crate::model::key::is_built_in;
use crate::model::{Gvk, ResourceKey};

/// A kind and a namespace.
pub(super) type Place = (Resource, Arc<str>);

/// Kinds that may be below an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    Nothing,
    /// Kinds of Kubernetes, by their names.
    These(&'static [&'static str]),
    /// Whatever operators usually make, and the kinds of the plan.
    Anything,
}

/// Kinds that controllers make: version, kind, and what the cluster calls them.
const USUAL: [(&str, &str, &str); 13] = [
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

/// Returns what may be below an object. What belongs to a cluster-scoped one may be anywhere, and is not looked for.
pub(super) fn below(key: &ResourceKey) -> Below {
    match (&*key.group, &*key.kind) {
        _ if key.namespace.is_empty() => Below::Nothing,
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
    /// Returns where to look, in one namespace; `own`: the kinds of the plan.
    pub(super) fn places(self, namespace: &Arc<str>, own: &BTreeSet<Resource>) -> BTreeSet<Place> {
        let usual = USUAL.iter().filter(|(_, kind, _)| match self {
            Self::Nothing => false,
            Self::These(kinds) => kinds.contains(kind),
            Self::Anything => true,
        });
        let usual: BTreeSet<Resource> = usual.map(resource).collect();
        let is_new = |resource: &&Resource| {
            let is_usual =
                USUAL.iter().any(|(version, kind, _)| Gvk::new(version, kind).group == resource.gvk.group && *resource.gvk.kind == **kind);
            self == Self::Anything && resource.is_namespaced && resource.can_list && !is_usual
        };
        let own = own.iter().filter(is_new).cloned();
        usual.into_iter().chain(own).map(|resource| (resource, namespace.clone())).collect()
    }
}

fn resource((version, kind, plural): &(&str, &str, &str)) -> Resource {
    Resource { gvk: Gvk::new(version, kind), plural: (*plural).into(), is_namespaced: true, can_list: true, can_watch: true }
}
