//! What is to be done when: tasks ordered by time, each at most once. Knows nothing of what a task does.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::sim::fields;

/// Where an object is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sim) struct ObjectRef {
    pub(in crate::sim) group: Arc<str>,
    pub(in crate::sim) plural: Arc<str>,
    pub(in crate::sim) namespace: Arc<str>,
    pub(in crate::sim) name: Arc<str>,
}

impl ObjectRef {
    pub(in crate::sim) fn new(group: &str, plural: &str, namespace: &str, name: &str) -> Self {
        Self { group: group.into(), plural: plural.into(), namespace: namespace.into(), name: name.into() }
    }

    /// Returns the place of a stored object whose resource is known.
    pub(in crate::sim) fn of(group: &str, plural: &str, object: &Value) -> Self {
        Self::new(group, plural, fields::namespace(object), fields::name(object))
    }

    pub(in crate::sim) fn is(&self, group: &str, plural: &str) -> bool {
        *self.group == *group && *self.plural == *plural
    }
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Actor {
    Namespace,
    Garbage,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    Autoscaler,
    Budget,
    Address,
    ApiService,
    Claim,
    Workflow,
    Scheduler,
    Kubelet,
    Timeline,
}

/// Somebody looks after an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Task {
    pub(super) actor: Actor,
    pub(super) object: ObjectRef,
}

/// Tasks by the time when they are due; those of the same time in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Queue {
    due: BTreeMap<(Timestamp, u64), Task>,
    times: BTreeMap<Task, (Timestamp, u64)>,
    asked: u64,
}

impl Queue {
    /// Makes a task due at `at`, unless it is due earlier anyway.
    pub(super) fn ask(&mut self, task: Task, at: Timestamp) {
        if let Some(former) = self.times.get(&task).copied() {
            if former.0 <= at {
                return;
            }
            self.due.remove(&former);
        }
        self.asked += 1;
        self.times.insert(task.clone(), (at, self.asked));
        self.due.insert((at, self.asked), task);
    }

    /// Returns when the next task is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the first task that is due by `now`.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Task> {
        let entry = self.due.first_entry().filter(|entry| entry.key().0 <= now)?;
        let task = entry.remove();
        self.times.remove(&task);
        Some(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_of_two_wishes_counts_and_equal_times_keep_their_order() {
        let task = |name: &str| Task { actor: Actor::Job, object: ObjectRef::new("batch", "jobs", "ns", name) };
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut queue = Queue::default();
        queue.ask(task("z"), at(5));
        queue.ask(task("a"), at(5));
        queue.ask(task("m"), at(9));
        queue.ask(task("m"), at(2));
        queue.ask(task("m"), at(7));
        assert_eq!(queue.next(), Some(at(2)));
        let names: Vec<_> = std::iter::from_fn(|| queue.take(at(6))).map(|task| task.object.name.to_string()).collect();
        assert_eq!(names, ["m", "z", "a"]);
        assert_eq!(queue.next(), None);
    }
}
