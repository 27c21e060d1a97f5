//! Events: what controllers and the kubelet tell about objects. Owns their names and how repeated ones are counted;
//! knows nothing of who tells and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sim::fields::{self, stamp};
use crate::sim::rng::Rng;
use crate::sim::store::Store;

/// Whether an event is routine or trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sim) enum Tone {
    Normal,
    Warning,
}

/// What is told.
#[derive(Clone, Copy)]
pub(in crate::sim) struct Note<'a> {
    pub(in crate::sim) tone: Tone,
    pub(in crate::sim) reason: &'a str,
    pub(in crate::sim) message: &'a str,
    /// Who tells it, for example `job-controller`.
    pub(in crate::sim) component: &'a str,
    /// The node of a kubelet, else empty.
    pub(in crate::sim) host: &'a str,
    /// The part of the object that is meant, for example `spec.containers{main}`, else empty.
    pub(in crate::sim) part: &'a str,
}

impl<'a> Note<'a> {
    pub(in crate::sim) fn new(tone: Tone, component: &'a str, reason: &'a str, message: &'a str) -> Self {
        Self { tone, reason, message, component, host: "", part: "" }
    }
}

/// Uid of the object, part, reason and message: what makes two events the same.
type Sameness = (String, String, String, String);

/// Writes events; the same event again is counted on the first one.
#[derive(Debug)]
pub(super) struct Recorder {
    known: BTreeMap<Sameness, String>,
    rng: Rng,
}

impl Recorder {
    pub(super) fn new(seed: u64) -> Self {
        Self { known: BTreeMap::new(), rng: Rng::new(seed ^ 0x000e_7e27) }
    }

    /// Records an event about an object.
    pub(super) fn record(&mut self, store: &Store, now: Timestamp, about: &Value, note: &Note<'_>) {
        let same = (fields::uid(about).to_owned(), note.part.to_owned(), note.reason.to_owned(), note.message.to_owned());
        let namespace = match fields::namespace(about) {
            "" => "default",
            namespace => namespace,
        };
        if let Some(name) = self.known.get(&same) {
            let counted = store.update(note.component, "", "events", namespace, name, |event| {
                event["count"] = (fields::int(event, "/count").unwrap_or(1) + 1).into();
                event["lastTimestamp"] = stamp(now).into();
            });
            if counted.is_ok() {
                return;
            }
        }
        let name = format!("{}.{:016x}", fields::name(about), self.rng.next_u64());
        // A namespace in deletion takes no events; that they are lost then is what really happens.
        if store.create(note.component, event(about, note, &name, namespace, now)).is_ok() {
            self.known.insert(same, name);
        }
    }
}

fn event(about: &Value, note: &Note<'_>, name: &str, namespace: &str, now: Timestamp) -> Value {
    let mut involved = json!({
        "apiVersion": about["apiVersion"], "kind": about["kind"], "name": fields::name(about), "uid": fields::uid(about),
        "resourceVersion": about["metadata"]["resourceVersion"],
    });
    for (key, value) in [("namespace", fields::namespace(about)), ("fieldPath", note.part)] {
        if !value.is_empty() {
            involved[key] = value.into();
        }
    }
    let mut source = json!({"component": note.component});
    if !note.host.is_empty() {
        source["host"] = note.host.into();
    }
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
        "involvedObject": involved, "type": format!("{:?}", note.tone), "reason": note.reason, "message": note.message, "count": 1,
        "firstTimestamp": stamp(now), "lastTimestamp": stamp(now), "eventTime": null, "source": source,
        "reportingComponent": note.component, "reportingInstance": note.host,
    })
}
