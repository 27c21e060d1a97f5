//! What every controller may touch: the store, the time, the index of owners, the queue and the recorder of events.
//! Knows no controller.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::events::{Note, Recorder, Tone};
use super::index::Index;
use super::queue::{Actor, ObjectRef, Queue, Task};
use super::steps::Planned;
use crate::clock::Clock;
use crate::sim::fields;
use crate::sim::logbook::Logbook;
use crate::sim::store::Store;
use crate::sim::story::Story;
use crate::sim::{DeleteOptions, Propagation};

/// How long a controller takes to notice a change.
pub(super) const LAG: Duration = Duration::from_millis(10);

/// The name under which controllers write.
pub(super) const MANAGER: &str = "kube-controller-manager";

/// Everything that controllers share.
pub(in crate::sim) struct World {
    pub(in crate::sim) store: Store,
    pub(in crate::sim) logs: Logbook,
    pub(in crate::sim) story: Arc<Story>,
    pub(in crate::sim) index: Index,
    pub(in crate::sim) seed: u64,
    pub(super) queue: Queue,
    pub(super) planned: Vec<Planned>,
    recorder: Recorder,
    clock: Clock,
    /// The time while the objects of the beginning settle, which lies before the clock's.
    pretended: Option<Timestamp>,
}

impl World {
    pub(super) fn new(store: Store, logs: Logbook, story: Arc<Story>, clock: Clock, seed: u64) -> Self {
        let (index, queue, recorder) = (Index::default(), Queue::default(), Recorder::new(seed));
        Self { store, logs, story, index, seed, queue, planned: Vec::new(), recorder, clock, pretended: None }
    }

    pub(in crate::sim) fn now(&self) -> Timestamp {
        self.pretended.unwrap_or_else(|| self.clock.now())
    }

    pub(super) fn pretend(&mut self, time: Option<Timestamp>) {
        self.pretended = time;
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Asks for a task after a delay.
    pub(super) fn wake(&mut self, actor: Actor, object: ObjectRef, delay: Duration) {
        let at = self.now().saturating_add(delay).unwrap_or(Timestamp::MAX);
        self.queue.ask(Task { actor, object }, at);
    }

    pub(in crate::sim) fn get(&self, place: &ObjectRef) -> Option<Arc<Value>> {
        self.store.get(&place.group, &place.plural, &place.namespace, &place.name)
    }

    /// Returns the objects of a resource that an owner controls, by name.
    pub(in crate::sim) fn controlled(&self, owner: &Value, group: &str, plural: &str) -> Vec<Arc<Value>> {
        let uid = fields::uid(owner);
        let places = self.index.dependents(uid).filter(|place| place.is(group, plural));
        let controlled = |object: &Arc<Value>| fields::controller(object).is_some_and(|owner| owner["uid"] == uid);
        places.filter_map(|place| self.get(place)).filter(controlled).collect()
    }

    /// Creates an object; the error is the sentence of the API server.
    pub(in crate::sim) fn create(&self, manager: &str, object: Value) -> Result<Arc<Value>, String> {
        self.store.create(manager, object).map_err(|error| error.to_string())
    }

    /// Changes an object; nothing happens if it is gone meanwhile.
    pub(in crate::sim) fn update(&self, manager: &str, place: &ObjectRef, change: impl FnOnce(&mut Value)) -> Option<Arc<Value>> {
        let (group, plural, namespace, name) = (&place.group, &place.plural, &place.namespace, &place.name);
        said(self.store.update(manager, group, plural, namespace, name, change), place)
    }

    /// Changes the status of an object; nothing happens if it is gone meanwhile.
    pub(in crate::sim) fn update_status(&self, manager: &str, place: &ObjectRef, change: impl FnOnce(&mut Value)) -> Option<Arc<Value>> {
        let (group, plural, namespace, name) = (&place.group, &place.plural, &place.namespace, &place.name);
        said(self.store.update_status(manager, group, plural, namespace, name, change), place)
    }

    /// Deletes an object if it is still the same one.
    pub(in crate::sim) fn delete(&self, place: &ObjectRef, uid: &str, propagation: Propagation, grace: Option<i64>) {
        let options =
            DeleteOptions { propagation: Some(propagation), grace_seconds: grace, uid: Some(uid.to_owned()), resource_version: None };
        let gone = self.store.delete(&place.group, &place.plural, &place.namespace, &place.name, &options);
        drop(said(gone, place));
    }

    /// Records an event about an object.
    pub(in crate::sim) fn tell(&mut self, about: &Value, note: &Note<'_>) {
        self.recorder.record(&self.store, self.now(), about, note);
    }

    /// Records a routine event of a controller.
    pub(super) fn normal(&mut self, about: &Value, component: &str, reason: &str, message: &str) {
        self.tell(about, &Note::new(Tone::Normal, component, reason, message));
    }

    /// Records an event of a controller about trouble.
    pub(super) fn warning(&mut self, about: &Value, component: &str, reason: &str, message: &str) {
        self.tell(about, &Note::new(Tone::Warning, component, reason, message));
    }
}

/// A write that comes too late is no mistake: the controller looks again at the next change.
fn said(outcome: Result<Arc<Value>, crate::sim::status::ApiError>, place: &ObjectRef) -> Option<Arc<Value>> {
    outcome.inspect_err(|error| tracing::debug!("{} {}: {error}", place.plural, place.name)).ok()
}
