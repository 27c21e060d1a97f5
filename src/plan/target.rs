//! What is sent to the server for a manifest: the name of a hook that has none, the namespace, and the marks of the app and of the
//! operation. Sends nothing, and does not know what is live.

use serde_json::{Value, json};

use super::Kind;
use super::build::Draft;
use crate::model::{Object, Part, Phase, ResourceKey, Role, TaskId, Tracking, Traits, annotation};

/// What is written on a target beside its tracking id (decision 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing more: nothing that changes with each sync is on an ordinary object.
    None,
    /// The operation's label: a hook of a deletion carries no finalizer (spec R214).
    Label,
    /// The operation's label and the hook finalizer.
    Hook,
}

impl Draft<'_> {
    /// What an object is called in sentences: a hook by its name in the first phase that it runs in.
    pub(super) fn shown_name(&self, object: &Object, traits: &Traits) -> String {
        match &traits.part {
            Part::Hook { phases, .. } if !phases.is_empty() => self.hook_name(object, phases[0]),
            Part::Hook { .. } | Part::Resource | Part::Skip if object.name().is_empty() => object.generate_name().to_owned(),
            Part::Hook { .. } | Part::Resource | Part::Skip => object.name().to_owned(),
        }
    }

    /// Name of a hook object (spec R301–R304). Hooks that would be generated the same name are no duplicates (spec R1210): the later ones
    /// are counted, so that each has a task of its own.
    pub(super) fn hook_name(&self, object: &Object, phase: Phase) -> String {
        if !object.name().is_empty() {
            return object.name().to_owned();
        }
        let revision = self.input.revision;
        let short = if revision.chars().count() >= 8 { revision.chars().take(7).collect() } else { revision.to_owned() };
        let suffix = match self.kind {
            Kind::Sync => format!("{short}-{phase}-{}", self.input.started_at.as_second()),
            // The same each time, so that a deletion that goes on finds its hooks again (spec R1536).
            Kind::Delete => format!("{short}-{phase}"),
        };
        let first = format!("{}{}", object.generate_name(), suffix.to_lowercase());
        let is_free = |name: &String| {
            let id = TaskId { phase, key: ResourceKey { name: name.as_str().into(), ..self.key_of(object) }, role: Role::Hook };
            !self.tasks.iter().chain(self.not_run.iter().map(|left| &left.task)).any(|task| task.id == id)
        };
        let counted = (2_u32..).map(|count| format!("{first}-{count}"));
        std::iter::once(first.clone()).chain(counted).find(is_free).unwrap_or(first)
    }

    /// What will be sent: name, namespace, tracking id; for hooks the finalizer and the operation's label too (spec R214, R306, R312, decision 5).
    pub(super) fn target(&self, object: &Object, key: &ResourceKey, tracked: &ResourceKey, mark: Mark) -> Object {
        object.with(|value| {
            let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else { return };
            if !key.name.is_empty() {
                metadata.insert("name".to_owned(), json!(&*key.name));
            }
            if key.namespace.is_empty() {
                metadata.remove("namespace");
            } else {
                metadata.insert("namespace".to_owned(), json!(&*key.namespace));
            }
            // Cluster-scoped objects are told apart by the destination (spec R1202).
            let place = if tracked.namespace.is_empty() { self.input.namespace } else { &*tracked.namespace };
            let id = Tracking { app: self.input.app.into(), key: ResourceKey { namespace: place.into(), ..tracked.clone() } };
            // A definition is nobody's: no prune may take all its resources with it (spec R1206).
            if *key.kind != *"CustomResourceDefinition" {
                insert_text(metadata, "annotations", annotation::TRACKING_ID, &id.to_string());
            }
            if mark != Mark::None {
                insert_text(metadata, "labels", annotation::OPERATION_LABEL, self.input.operation);
            }
            if mark == Mark::Hook {
                add_finalizer(metadata);
            }
        })
    }
}

fn insert_text(metadata: &mut serde_json::Map<String, Value>, field: &str, name: &str, text: &str) {
    let slot = metadata.entry(field).or_insert_with(|| json!({}));
    if !slot.is_object() {
        *slot = json!({});
    }
    if let Some(map) = slot.as_object_mut() {
        map.insert(name.to_owned(), json!(text));
    }
}

fn add_finalizer(metadata: &mut serde_json::Map<String, Value>) {
    let slot = metadata.entry("finalizers").or_insert_with(|| json!([]));
    if !slot.is_array() {
        *slot = json!([]);
    }
    if let Some(list) = slot.as_array_mut()
        && !list.iter().any(|item| item == annotation::HOOK_FINALIZER)
    {
        list.push(json!(annotation::HOOK_FINALIZER));
    }
}
