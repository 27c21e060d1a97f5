//! Controllers and pods on virtual time, compared with what was recorded on a real cluster (simulator.md 3.7).

mod cluster;
mod job;
mod pods;
mod workload;

use serde_json::Value;
use tokio::task::JoinSet;

use super::*;
use crate::sim::fields::{self, int, list, text};

const CLUSTER_SCOPED: [&str; 3] = ["Namespace", "APIService", "CustomResourceDefinition"];

/// A cluster that plays a story.
pub(super) struct Lab {
    pub(super) store: Store,
    pub(super) logs: Logbook,
    pub(super) clock: Clock,
    start: Timestamp,
    /// The revision when the story began.
    first: u64,
    _tasks: JoinSet<()>,
}

impl Lab {
    pub(super) fn new(story: &str) -> Self {
        let text = format!("apiVersion: sim/v1\nkind: Scenario\nseed: 7\n{story}");
        let story = Story::parse(&text, "test").unwrap();
        let clock = Clock::starting_at(story.clock.start, 1.0);
        let (store, logs) = (Store::new(clock, story.seed), Logbook::default());
        let actors = Actors::prepare(store.clone(), logs.clone(), Arc::new(story), clock, 7);
        let mut tasks = JoinSet::new();
        tasks.spawn(actors.run());
        let first = store.revision().update();
        Self { store, logs, clock, start: clock.now(), first, _tasks: tasks }
    }

    /// Creates the objects of a multi-document manifest, in `default` if they say nothing else.
    pub(super) fn apply(&self, manifest: &str) {
        for document in serde_yaml::Deserializer::from_str(manifest) {
            let mut object: Value = serde::Deserialize::deserialize(document).unwrap();
            if object["metadata"]["namespace"].is_null() && !CLUSTER_SCOPED.iter().any(|kind| object["kind"] == *kind) {
                object["metadata"]["namespace"] = "default".into();
            }
            self.store.create("test", object).unwrap();
        }
    }

    pub(super) async fn wait(&self, seconds: f64) {
        self.clock.sleep(Duration::from_secs_f64(seconds)).await;
    }

    pub(super) fn get(&self, group: &str, plural: &str, name: &str) -> Arc<Value> {
        self.store.get(group, plural, "default", name).unwrap_or_else(|| panic!("there is no {plural} {name}"))
    }

    pub(super) fn pods(&self) -> Vec<Arc<Value>> {
        self.store.list("", "pods", Some("default"))
    }

    /// Returns what a projection says of each change, without the ones that it says nothing of and repetitions.
    pub(super) fn trace(&self, plural: &str, project: impl Fn(&Value) -> String) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for change in self.store.changes_since(self.first).unwrap().iter().filter(|change| &*change.gr.plural == plural) {
            let line = change.after.as_deref().map_or_else(|| "gone".to_owned(), &project);
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
        lines
    }

    /// Returns `reason: message` of all events, in order, with their counts if they were repeated.
    pub(super) fn events(&self) -> Vec<String> {
        let mut events: Vec<(u64, String)> = Vec::new();
        for change in self.store.changes_since(self.first).unwrap().iter().filter(|change| &*change.gr.plural == "events") {
            if let (None, Some(event)) = (&change.before, &change.after) {
                events.push((change.rev, format!("{}: {}", text(event, "/reason"), text(event, "/message"))));
            }
        }
        events.into_iter().map(|(_, event)| event).collect()
    }

    /// Seconds since the story began, with tenths, at which an object was stamped: whole seconds.
    pub(super) fn seconds(&self, object: &Value, pointer: &str) -> i64 {
        let at: Timestamp = text(object, pointer).parse().unwrap();
        at.duration_since(self.start).as_secs()
    }

    pub(super) fn log(&self, pod: &Value, container: &str) -> Vec<String> {
        let mut reader = self
            .logs
            .reader(fields::namespace(pod), fields::name(pod), fields::uid(pod), container, crate::sim::logbook::Run::Current)
            .unwrap();
        reader.lines().iter().map(|line| String::from_utf8_lossy(&line.bytes).into_owned()).collect()
    }

    pub(super) fn log_times(&self, pod: &Value, container: &str) -> Vec<f64> {
        let mut reader = self
            .logs
            .reader(fields::namespace(pod), fields::name(pod), fields::uid(pod), container, crate::sim::logbook::Run::Current)
            .unwrap();
        reader.lines().iter().map(|line| line.at.duration_since(self.start).as_secs_f64()).collect()
    }
}

/// `Type/reason` of the conditions that are True, in their order; others with their status.
pub(super) fn conditions(object: &Value) -> String {
    let word = |condition: &Value| match text(condition, "/status") {
        "True" => format!("{}/{}", text(condition, "/type"), text(condition, "/reason")),
        status => format!("{}={status}/{}", text(condition, "/type"), text(condition, "/reason")),
    };
    list(object, "/status/conditions").iter().map(word).collect::<Vec<_>>().join(" ")
}

pub(super) fn number(object: &Value, field: &str) -> i64 {
    int(object, &format!("/status/{field}")).unwrap_or(0)
}
