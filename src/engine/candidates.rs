//! Which live objects an app owns although no manifest asks for them any more: those of the inventory, or, without one, those that carry
//! the app's tracking id (decision 24). Hooks never are, and copies that controllers make of annotations never count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;

use super::inventory::Owned;
use crate::cluster::apply::Spot;
use crate::cluster::{Cluster, Reporter, Resource};
use crate::model::annotation::TRACKING_ID;
use crate::model::{Gvk, KindFact, Kinds, Object, Part, ResourceKey, Scope, Traits};
use crate::plan::{Candidate, Manifest};

const AT_ONCE: usize = 16;

/// Where to look.
pub(super) struct Search<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) app: &'a str,
    pub(super) namespace: &'a str,
    pub(super) manifests: &'a [Manifest],
    pub(super) kinds: &'a Kinds,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    /// Sentences about what could not be looked at.
    pub(super) notes: Vec<String>,
    /// Objects of the inventory that are not live any more.
    pub(super) gone: BTreeSet<ResourceKey>,
}

impl Search<'_> {
    /// Looks for candidates, in the inventory if there is one.
    pub(super) async fn run(&self, inventory: Option<&[Owned]>) -> Found {
        let managed = self.managed();
        let mut found = Found::default();
        let wanted = match inventory {
            Some(owned) => owned
                .iter()
                .filter(|owned| !managed.contains(&owned.key))
                .map(|owned| {
                    (
                        owned.key.clone(),
                        Gvk { group: owned.key.group.clone(), version: owned.version.as_str().into(), kind: owned.key.kind.clone() },
                    )
                })
                .collect(),
            None => self.tracked(&managed, &mut found.notes).await,
        };
        let looks = futures::stream::iter(wanted).map(|(key, gvk)| async move {
            let live = self.look(&key, &gvk).await;
            (key, gvk, live)
        });
        let mut looks = looks.buffered(AT_ONCE);
        while let Some((key, gvk, live)) = looks.next().await {
            match live {
                Ok(Some(object)) if self.is_candidate(&key, &object) => {
                    found.candidates.push(Candidate { key, version: gvk.version, live: self.cluster.judge().live(&object) });
                }
                Ok(Some(_)) => {}
                Ok(None) => _ = found.gone.insert(key),
                Err(note) => found.notes.push(note),
            }
        }
        found
    }

    /// Keys of the manifests that are pairs of live objects: everything but hooks (spec R109, R118, R124).
    fn managed(&self) -> BTreeSet<ResourceKey> {
        let managed = self.manifests.iter().map(|manifest| &manifest.object).filter(|object| !Traits::of(object).is_hook());
        managed.map(|object| self.key_of(object)).collect()
    }

    fn key_of(&self, object: &Object) -> ResourceKey {
        let key = object.key();
        let namespace: Arc<str> = match self.kinds.scope(&object.gvk()) {
            Scope::Cluster => "".into(),
            Scope::Namespaced if key.namespace.is_empty() => self.namespace.into(),
            Scope::Namespaced => key.namespace.clone(),
        };
        ResourceKey { namespace, ..key }
    }

    async fn look(&self, key: &ResourceKey, gvk: &Gvk) -> Result<Option<Object>, String> {
        // A kind that is not served has no objects.
        let Ok(resource) = self.cluster.resource(gvk).await else { return Ok(None) };
        let spot = Spot { resource: &resource, namespace: &key.namespace, name: &key.name };
        let found = self.cluster.get(spot, &Reporter::default()).await;
        found.map_err(|error| format!("{key} belongs to the app but cannot be read, so it cannot be pruned: {error}"))
    }

    fn is_candidate(&self, key: &ResourceKey, object: &Object) -> bool {
        self.is_tracked(key, object.annotation(TRACKING_ID)) && Traits::of(object).part == Part::Resource
    }

    /// The id names the object itself: controllers copy annotations, and a copy belongs to its controller.
    fn is_tracked(&self, key: &ResourceKey, id: Option<&str>) -> bool {
        id == Some(&format!("{}:{}/{}:{}/{}", self.app, key.group, key.kind, key.namespace, key.name))
    }

    async fn tracked(&self, managed: &BTreeSet<ResourceKey>, notes: &mut Vec<String>) -> Vec<(ResourceKey, Gvk)> {
        let lists = futures::stream::iter(self.places()).map(|(resource, namespace)| async move {
            let listed = self.cluster.list_metadata(&resource, &namespace).await;
            (resource, namespace, listed)
        });
        let mut lists = lists.buffered(AT_ONCE);
        let mut found = BTreeMap::new();
        while let Some((resource, namespace, listed)) = lists.next().await {
            match listed {
                Ok(objects) => {
                    for object in objects {
                        let key = ResourceKey::new(&resource.gvk.group, &resource.gvk.kind, object.namespace(), object.name());
                        if self.is_tracked(&key, object.annotation(TRACKING_ID)) && !managed.contains(&key) {
                            found.insert(key, resource.gvk.clone());
                        }
                    }
                }
                Err(error) => {
                    let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
                    notes.push(format!("{}{place} cannot be listed, so none of them can be pruned: {error}", resource.plural));
                }
            }
        }
        found.into_iter().collect()
    }

    /// Every kind of the manifests, in every namespace of the manifests.
    fn places(&self) -> BTreeSet<(Resource, Arc<str>)> {
        let keys: Vec<(ResourceKey, Gvk)> =
            self.manifests.iter().map(|manifest| (self.key_of(&manifest.object), manifest.object.gvk())).collect();
        let mut namespaces: BTreeSet<Arc<str>> =
            keys.iter().map(|(key, _)| key.namespace.clone()).filter(|name| !name.is_empty()).collect();
        namespaces.insert(self.namespace.into());
        let kinds: BTreeSet<&Gvk> = keys.iter().map(|(_, gvk)| gvk).collect();
        let known = kinds.into_iter().filter(|gvk| matches!(self.kinds.get(gvk), Some(KindFact::Known { .. })));
        let resources = known.filter_map(|gvk| self.cluster.known_resource(gvk)).filter(|resource| resource.can_list);
        let place = |resource: Resource| -> Vec<(Resource, Arc<str>)> {
            if resource.is_namespaced {
                namespaces.iter().map(|namespace| (resource.clone(), namespace.clone())).collect()
            } else {
                vec![(resource, "".into())]
            }
        };
        resources.flat_map(place).collect()
    }
}
