//! Whose objects a sync is about to write: those of Argo CD's Applications are left alone, unless the person takes them over (decision 7).
//! Costs one request where Argo CD is not installed; otherwise lists metadata of the plan's kinds in its namespaces. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;

use crate::cluster::{Cluster, Patience, Resource};
use crate::model::annotation::{APPLICATION_LABEL, ARGO_TRACKING_ID, TRACKING_ID};
use crate::model::{Gvk, Object, ResourceKey, Tracking};
use crate::plan::Plan;

const AT_ONCE: usize = 8;
/// How many objects a sentence names.
const NAMED: usize = 3;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Owners {
    /// By Application, as `namespace/name`, the objects of the plan that it tracks.
    applications: BTreeMap<String, BTreeSet<ResourceKey>>,
    /// Sentences about what could not be looked at.
    pub(super) notes: Vec<String>,
}

impl Owners {
    /// Returns why the sync must not begin: one sentence for all Applications.
    pub(super) fn refusal(&self) -> Option<String> {
        let whose = self.whose()?;
        let names: Vec<&str> = self.applications.keys().filter_map(|name| name.split_once('/').map(|(_, name)| name)).collect();
        Some(format!("{whose}; sync there instead (`argocd app sync {}`), or take the objects over with --take-over", names.join(" ")))
    }

    /// Returns what a sync takes over, for whoever has asked for it.
    pub(super) fn taken_over(&self) -> Option<String> {
        Some(format!("taken over: {}", self.whose()?))
    }

    fn whose(&self) -> Option<String> {
        let part = |(application, keys): (&String, &BTreeSet<ResourceKey>)| {
            let named: Vec<String> = keys.iter().take(NAMED).map(ToString::to_string).collect();
            let more = keys.len() - named.len();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            let verb = if keys.len() == 1 { "belongs" } else { "belong" };
            format!("{}{rest} {verb} to the Argo CD Application {application}", named.join(", "))
        };
        let parts: Vec<String> = self.applications.iter().map(part).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// Looks for Applications that own live targets of a plan.
pub(super) async fn look(cluster: &Cluster, plan: &Plan) -> Owners {
    let mut owners = Owners::default();
    let gvk = Gvk::new("argoproj.io/v1alpha1", "Application");
    let applications = match cluster.in_version(&gvk).await {
        Ok(Some(resource)) => cluster.list_metadata(&resource, "", Patience::Usual).await,
        Ok(None) => return owners,
        Err(error) => Err(error),
    };
    match applications {
        Ok(objects) if objects.is_empty() => {}
        Ok(objects) => find(cluster, plan, &Applications::of(&objects), &mut owners).await,
        Err(error) => owners.notes.push(unclear(&error.to_string())),
    }
    owners
}

fn unclear(error: &str) -> String {
    format!("Argo CD's Applications cannot be listed, so it is not known whether one of them owns what is synced here: {error}")
}

/// Applications by the name that they have in tracking annotations: of one in another namespace than Argo CD's own, that of the namespace
/// is a part of it (spec R1204). Which namespace is Argo CD's own is not known here, so both forms count.
struct Applications(BTreeMap<String, String>);

impl Applications {
    fn of(objects: &[Object]) -> Self {
        let names = objects.iter().flat_map(|object| {
            let (namespace, name) = (object.namespace(), object.name());
            let shown = format!("{namespace}/{name}");
            [(format!("{namespace}_{name}"), shown.clone()), (name.to_owned(), shown)]
        });
        Self(names.collect())
    }

    /// Returns the Application that tracks an object (spec R1202, R1203). A label says little: charts and manifests set it too, so one
    /// that came with our own sync does not count.
    fn owner(&self, key: &ResourceKey, object: &Object) -> Option<&String> {
        if let Some(id) = object.annotation(ARGO_TRACKING_ID) {
            let tracking = Tracking::parse(id).filter(|tracking| tracking.is_of(key))?;
            return self.0.get(&*tracking.app);
        }
        if object.annotation(TRACKING_ID).is_some() {
            return None;
        }
        self.0.get(object.text(&["metadata", "labels", APPLICATION_LABEL]))
    }
}

async fn find(cluster: &Cluster, plan: &Plan, applications: &Applications, owners: &mut Owners) {
    let wanted: BTreeSet<&ResourceKey> = plan.tasks.iter().filter(|task| !task.automatic).map(|task| &task.id.key).collect();
    let lists = futures::stream::iter(places(cluster, plan)).map(|(resource, namespace)| async move {
        let listed = cluster.list_metadata(&resource, &namespace, Patience::Usual).await;
        (resource, listed)
    });
    let mut lists = lists.buffered(AT_ONCE);
    while let Some((resource, listed)) = lists.next().await {
        match listed {
            Ok(objects) => {
                for object in objects {
                    let key = ResourceKey::new(&resource.gvk.group, &resource.gvk.kind, object.namespace(), object.name());
                    if let Some(application) = applications.owner(&key, &object).filter(|_| wanted.contains(&key)) {
                        owners.applications.entry(application.clone()).or_default().insert(key);
                    }
                }
            }
            Err(error) => owners.notes.push(format!(
                "{} cannot be listed, so it is not known whether an Argo CD Application owns those that are synced here: {error}",
                resource.plural
            )),
        }
    }
}

/// Every kind of the plan in every namespace where the plan has one of it.
fn places(cluster: &Cluster, plan: &Plan) -> BTreeSet<(Resource, Arc<str>)> {
    let tasks = plan.tasks.iter().filter(|task| !task.automatic);
    let known = tasks.filter_map(|task| Some((cluster.known_resource(&task.gvk())?, task.id.key.namespace.clone())));
    known.filter(|(resource, _)| resource.can_list).collect()
}

#[cfg(test)]
mod tests;
