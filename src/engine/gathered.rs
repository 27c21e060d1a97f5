//! Live objects of a plan, seen before each is looked at: one list for each kind and namespace of which the plan has many objects, because a
//! request for each of them costs the server a good part of what its dry run costs. What a list does not show is read by its name. Reads only.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures::StreamExt as _;

use super::answers;
use super::candidates::Place;
use crate::cluster::foresee::Glimpse;
use crate::cluster::{Cluster, Listed};
use crate::model::{ResourceKey, Task};

/// From so many objects of a kind and namespace on they are listed.
const MANY: usize = 8;
/// A list of more than so many objects for each that is wanted is not read to its end.
const WORTH: u64 = 4;
const AT_ONCE: usize = 8;
/// What lists have not shown by then is read one by one.
const PATIENCE: Duration = Duration::from_secs(10);

/// What lists have shown.
#[derive(Debug, Default)]
pub(super) struct Gathered(HashMap<ResourceKey, Glimpse>);

/// The keys that are wanted in one place, by name.
type Names<'a> = BTreeMap<&'a str, &'a ResourceKey>;

impl Gathered {
    /// Lists where that is worth it. What may not be listed, or cannot, is left to the looks at each object.
    pub(super) async fn of(cluster: &Cluster, tasks: impl Iterator<Item = &Task>) -> Self {
        let mut wanted: BTreeMap<Place, Names<'_>> = BTreeMap::new();
        let mut resources = HashMap::new();
        for task in tasks.filter(|task| !task.id.key.name.is_empty()) {
            let key = &task.id.key;
            let resource = resources.entry(task.gvk()).or_insert_with_key(|gvk| cluster.known_resource(gvk));
            let Some(resource) = resource.as_ref().filter(|resource| resource.can_list) else { continue };
            if resource.is_namespaced != key.namespace.is_empty() {
                wanted.entry((resource.clone(), key.namespace.clone())).or_default().insert(&key.name, key);
            }
        }
        wanted.retain(|_, names| names.len() >= MANY);
        let lists = wanted.into_iter().map(|((resource, namespace), names)| async move {
            let most = WORTH.saturating_mul(names.len() as u64);
            (cluster.list_whole(&resource, &namespace, most).await, names)
        });
        let lists = futures::stream::iter(lists.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
        let mut gathered = Self::default();
        let take = |(listed, names)| match listed {
            Ok(listed) => gathered.take(listed, names),
            Err(error) => tracing::debug!("not listed, so read one by one: {error}"),
        };
        // What has not come is read one by one, whatever the reason.
        answers::until(cluster.clock().sleep(PATIENCE), lists, take).await;
        gathered
    }

    fn take(&mut self, listed: Listed, mut names: Names<'_>) {
        for object in listed.objects {
            if let Some(key) = names.remove(object.name()) {
                self.0.insert(key.clone(), Glimpse::Live(object));
            }
        }
        if listed.is_whole {
            self.0.extend(names.into_values().map(|key| (key.clone(), Glimpse::Absent)));
        }
    }

    /// Returns what was seen of an object.
    pub(super) fn glimpse(&self, key: &ResourceKey) -> Glimpse {
        self.0.get(key).cloned().unwrap_or_default()
    }
}
