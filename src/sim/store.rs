//! Objects, one global revision and a ring of changes. Owns what is stored and the order in which it changed;
//! the rules of writing are in `write` and `remove`, and HTTP is not known here at all.
//!
//! One mutex guards everything and is held only for the duration of a call, never across an await.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::pulse;
use super::registry::{Catalog, Gr, Resource};
use super::remove::{self, DeleteOptions};
use super::rng::Rng;
use super::status::ApiError;
use super::write::{self, Caller};
use crate::clock::Clock;

/// How many changes can be replayed; older ones are compacted.
const RING: usize = 200_000;

/// The revision of a fresh cluster: a watch from revision 1 is too old here as it is in reality.
const FIRST_REVISION: u64 = 100;

/// Namespace (empty for cluster-scoped objects) and name; the order of lists.
pub(super) type Key = (Arc<str>, Arc<str>);

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The global revision after the change.
    pub(crate) rev: u64,
    pub(crate) gr: Gr,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    /// The object before; none if it was created.
    pub(crate) before: Option<Arc<Value>>,
    /// The object after; none if it was removed.
    pub(crate) after: Option<Arc<Value>>,
}

/// The changes that were asked for are no longer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the changes up to revision {floor} are no longer kept")]
pub(crate) struct Compacted {
    /// The oldest revision from which changes can be replayed.
    pub(crate) floor: u64,
}

/// The objects of the embedded cluster. Clones share the same state.
#[derive(Clone, Debug)]
pub(crate) struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    revision: pulse::Sender,
    clock: Clock,
}

/// What the mutex guards.
#[derive(Debug)]
pub(super) struct State {
    rev: u64,
    floor: u64,
    objects: BTreeMap<Gr, BTreeMap<Key, Arc<Value>>>,
    ring: VecDeque<Change>,
    pub(super) catalog: Catalog,
    pub(super) rng: Rng,
    /// How many cluster IPs were given out.
    pub(super) addresses: u32,
}

impl Store {
    /// Returns a store that holds only the namespaces of every cluster.
    pub(crate) fn new(clock: Clock, seed: u64) -> Self {
        let state = State {
            rev: FIRST_REVISION,
            floor: FIRST_REVISION,
            objects: BTreeMap::new(),
            ring: VecDeque::new(),
            catalog: Catalog::default(),
            rng: Rng::new(seed),
            addresses: 0,
        };
        let store = Self(Arc::new(Shared { state: Mutex::new(state), revision: pulse::Sender::new(FIRST_REVISION), clock }));
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let namespace = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            store.create("kube-apiserver", namespace).expect("an empty store takes its first namespaces");
        }
        store.compact();
        store
    }

    /// Returns one object.
    pub(crate) fn get(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.lock().get(&Gr::new(group, plural), &(namespace.into(), name.into())).cloned()
    }

    /// Returns all objects of a resource, of one namespace or of all, by namespace and name.
    pub(crate) fn list(&self, group: &str, plural: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.lock().range(&Gr::new(group, plural), namespace).map(|(_, object)| Arc::clone(object)).collect()
    }

    /// Creates an object as a POST by `manager` does: defaults, uid, generation 1, creationTimestamp,
    /// generateName. Its kind and apiVersion choose the resource.
    pub(crate) fn create(&self, manager: &str, object: Value) -> Result<Arc<Value>, ApiError> {
        let caller = self.caller(manager);
        self.transact(|state| {
            let resource = resource_of(state, &object)?;
            write::create(state, &resource, object, &caller)
        })
    }

    /// Reads, changes and writes a whole object except its status: the generation grows if the spec changed, and an
    /// object in deletion goes with its last finalizer. `change` runs under the lock: it must not call the store.
    pub(crate) fn update(
        &self,
        manager: &str,
        group: &str,
        plural: &str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Arc<Value>, ApiError> {
        self.modify(&self.caller(manager), (group, plural, namespace, name), change)
    }

    /// The same for the status subresource: only `status` is kept from the change.
    pub(crate) fn update_status(
        &self,
        manager: &str,
        group: &str,
        plural: &str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Arc<Value>, ApiError> {
        let caller = self.caller(manager).on(write::Part::Status);
        self.modify(&caller, (group, plural, namespace, name), change)
    }

    fn modify(
        &self,
        caller: &Caller,
        (group, plural, namespace, name): (&str, &str, &str, &str),
        change: impl FnOnce(&mut Value),
    ) -> Result<Arc<Value>, ApiError> {
        self.transact(|state| {
            let resource = state.catalog.by_resource(group, plural).ok_or_else(ApiError::no_such_resource)?;
            let key = (namespace.into(), name.into());
            let old = state.get(&resource.storage(), &key).ok_or_else(|| ApiError::not_found(group, plural, name))?;
            let mut new = Value::clone(old);
            change(&mut new);
            write::replace(state, &resource, &key, new, caller)
        })
    }

    /// Gives a pod its node, and whatever the change says in the status besides.
    pub(super) fn bind(&self, manager: &str, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) -> Result<Arc<Value>, ApiError> {
        self.modify(&self.caller(manager).on(write::Part::Binding), ("", "pods", namespace, name), change)
    }

    /// Deletes an object as a DELETE does; returns its last or its terminating state.
    pub(crate) fn delete(
        &self,
        group: &str,
        plural: &str,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Arc<Value>, ApiError> {
        let caller = self.caller("");
        self.transact(|state| {
            let resource = state.catalog.by_resource(group, plural).ok_or_else(ApiError::no_such_resource)?;
            remove::delete(state, &resource, &(namespace.into(), name.into()), options, &caller).map(|gone| gone.object)
        })
    }

    /// Returns a receiver that wakes whenever the revision grows.
    pub(crate) fn revision(&self) -> pulse::Receiver {
        self.0.revision.subscribe()
    }

    /// Returns the changes after `rev`, oldest first; an error if some of them were compacted.
    pub(crate) fn changes_since(&self, rev: u64) -> Result<Vec<Change>, Compacted> {
        self.lock().changes_since(rev).map(|changes| changes.cloned().collect())
    }

    /// Forgets all changes so far: watches and pages from older revisions are answered with 410.
    pub(crate) fn compact(&self) {
        let mut state = self.lock();
        state.floor = state.rev;
        state.ring.clear();
    }

    /// Returns the revision and all objects, for who cannot be told what changed meanwhile.
    pub(super) fn everything(&self) -> (u64, Vec<(Gr, Arc<Value>)>) {
        let state = self.lock();
        let all = state.objects.iter().flat_map(|(gr, objects)| objects.values().map(|object| (gr.clone(), Arc::clone(object))));
        (state.rev, all.collect())
    }

    /// Makes everything that exists as old as if it had been created at `at`. For the beginning, before anybody looks.
    pub(super) fn backdate(&self, at: Timestamp) {
        let mut state = self.lock();
        for object in state.objects.values_mut().flat_map(BTreeMap::values_mut) {
            Arc::make_mut(object)["metadata"]["creationTimestamp"] = stamp(at).into();
        }
        state.floor = state.rev;
        state.ring.clear();
    }

    /// Returns group, plural name and whether it is namespaced of the resource behind a kind.
    pub(super) fn resource(&self, api_version: &str, kind: &str) -> Option<(Gr, bool)> {
        self.lock().catalog.by_kind(api_version, kind).map(|row| (row.gr.clone(), row.namespaced))
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a piece of work under the lock and wakes everybody who waits for a new revision.
    pub(super) fn transact<T>(&self, work: impl FnOnce(&mut State) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let mut state = self.lock();
        let before = state.rev;
        let outcome = work(&mut state);
        if state.rev != before {
            self.0.revision.send_replace(state.rev);
        }
        outcome
    }

    fn caller(&self, manager: &str) -> Caller {
        Caller::internal(manager, self.0.clock.now())
    }
}

fn resource_of(state: &State, object: &Value) -> Result<Arc<Resource>, ApiError> {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    state.catalog.by_kind(text("apiVersion"), text("kind")).ok_or_else(ApiError::no_such_resource)
}

impl State {
    pub(super) fn rev(&self) -> u64 {
        self.rev
    }

    /// The oldest revision whose successors are all known.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    pub(super) fn get(&self, gr: &Gr, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(gr)?.get(key)
    }

    /// The objects of a resource, of one namespace or of all, in the order of lists.
    pub(super) fn range<'a>(&'a self, gr: &Gr, namespace: Option<&str>) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> + use<'a> {
        let first: Key = (namespace.unwrap_or_default().into(), "".into());
        let wanted = namespace.map(str::to_owned);
        let objects = self.objects.get(gr).into_iter().flat_map(move |objects| objects.range(first.clone()..));
        objects.take_while(move |((namespace, _), _)| wanted.as_deref().is_none_or(|wanted| **namespace == *wanted))
    }

    pub(super) fn changes_since(&self, rev: u64) -> Result<impl DoubleEndedIterator<Item = &Change>, Compacted> {
        if rev < self.floor {
            return Err(Compacted { floor: self.floor });
        }
        let first = self.ring.partition_point(|change| change.rev <= rev);
        Ok(self.ring.range(first..))
    }

    /// The objects of a resource as they were at a former revision: later changes are taken back.
    pub(super) fn at(&self, rev: u64, gr: &Gr) -> Result<BTreeMap<Key, Arc<Value>>, Compacted> {
        let mut objects = self.objects.get(gr).cloned().unwrap_or_default();
        let later: Vec<&Change> = self.changes_since(rev)?.filter(|change| change.gr == *gr).collect();
        for change in later.into_iter().rev() {
            let key = (Arc::clone(&change.namespace), Arc::clone(&change.name));
            match &change.before {
                Some(before) => objects.insert(key, Arc::clone(before)),
                None => objects.remove(&key),
            };
        }
        Ok(objects)
    }

    /// Stores an object under a new revision.
    pub(super) fn put(&mut self, gr: &Gr, key: &Key, mut object: Value) -> Arc<Value> {
        self.rev += 1;
        object["metadata"]["resourceVersion"] = self.rev.to_string().into();
        if &*gr.plural == "customresourcedefinitions" {
            self.catalog.define(&object);
        }
        let object = Arc::new(object);
        let before = self.objects.entry(gr.clone()).or_default().insert(key.clone(), Arc::clone(&object));
        self.push(gr, key, before, Some(Arc::clone(&object)));
        object
    }

    /// Removes an object under a new revision.
    pub(super) fn take(&mut self, gr: &Gr, key: &Key) {
        let Some(last) = self.objects.get_mut(gr).and_then(|objects| objects.remove(key)) else { return };
        self.rev += 1;
        if &*gr.plural == "customresourcedefinitions" {
            self.catalog.undefine(&key.1);
        }
        self.push(gr, key, Some(last), None);
    }

    fn push(&mut self, gr: &Gr, (namespace, name): &Key, before: Option<Arc<Value>>, after: Option<Arc<Value>>) {
        let (namespace, name) = (Arc::clone(namespace), Arc::clone(name));
        self.ring.push_back(Change { rev: self.rev, gr: gr.clone(), namespace, name, before, after });
        if self.ring.len() > RING
            && let Some(oldest) = self.ring.pop_front()
        {
            self.floor = oldest.rev;
        }
    }

    /// Removes every object of a resource: its definition is gone.
    pub(super) fn clear(&mut self, gr: &Gr) {
        let keys: Vec<Key> = self.objects.get(gr).map(|objects| objects.keys().cloned().collect()).unwrap_or_default();
        for key in keys {
            self.take(gr, &key);
        }
    }
}

/// Renders a time as objects carry it: whole seconds, UTC.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
