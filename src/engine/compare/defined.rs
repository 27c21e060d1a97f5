//! Objects whose definition comes, or changes, with the same sync: the API server cannot be asked about them, or answers by the definition
//! that it has now. So they are held against the one that comes. Writes nothing.

use super::{Eye, spot};
use crate::cluster::foresee::{Foreseen, Prospect};
use crate::cluster::{CallError, Reporter, Resource};
use crate::model::{Gvk, Object, ResourceKey, Task};
use crate::plan::schema::{self, Misfit};

/// How many misfits a sentence names.
const NAMED: usize = 3;

impl Eye<'_> {
    /// Says what of a target does not fit the definition that comes with the sync.
    pub(super) fn misfits(&self, task: &Task, target: &Object) -> Option<String> {
        let schema = schema::of_plan(self.plan, &task.gvk())?;
        let is_strict = self.mode(task, &[]).validate;
        let found = schema::misfits(schema, target.wire()).into_iter().filter(|misfit| is_strict || !misfit.is_unknown_field());
        let found: Vec<String> = found.map(|misfit: Misfit| misfit.to_string()).collect();
        let named = &found[..found.len().min(NAMED)];
        let more = if found.len() > NAMED { format!(" and {} more", found.len() - NAMED) } else { String::new() };
        let key = &task.id.key;
        let sentence = || {
            format!(
                "{key} does not fit the definition that comes with this sync: {}{more}; the API server will refuse it",
                named.join(", ")
            )
        };
        (!found.is_empty()).then(sentence)
    }

    /// Takes a refusal for no answer if it is one of the definition that this sync changes, and the new one takes the target.
    pub(super) async fn by_definition(&self, task: &Task, target: &Object, foreseen: Foreseen) -> Foreseen {
        let Prospect::Refused(error) = &foreseen.prospect else { return foreseen };
        let Some(coming) = schema::of_plan(self.plan, &task.gvk()).filter(|_| may_be_of_schema(error)) else { return foreseen };
        if !schema::misfits(coming, target.wire()).is_empty() || !self.is_refused_now(&task.gvk(), target).await {
            return foreseen;
        }
        let why =
            format!("the API server refuses it by the definition as it is now ({error}); by the one that comes with this sync it fits");
        Foreseen { approximate: Some(why), prospect: Prospect::Untried, ..foreseen }
    }

    /// Returns whether the target does not fit the definition as it is live.
    async fn is_refused_now(&self, gvk: &Gvk, target: &Object) -> bool {
        let is_its = |key: &ResourceKey| key.is_definition() && key.name.strip_suffix(&format!(".{}", gvk.group)).is_some();
        for task in self.plan.tasks.iter().filter(|task| is_its(&task.id.key)) {
            let Some(resource) = self.cluster.known_resource(&task.gvk()) else { continue };
            let Some(live) = self.live_definition(&resource, task).await else { continue };
            if schema::of_definition(&live, gvk).is_some_and(|schema| !schema::misfits(schema, target.wire()).is_empty()) {
                return true;
            }
        }
        false
    }

    /// A definition can be large and have a thousand objects, so it is read once.
    async fn live_definition(&self, resource: &Resource, task: &Task) -> Option<Object> {
        let mut read = self.definitions.lock().await;
        if let Some(known) = read.get(&task.id.key) {
            return known.clone();
        }
        let live = self.cluster.get(spot(resource, task), &Reporter::default()).await.ok().flatten();
        read.insert(task.id.key.clone(), live.clone());
        live
    }
}

/// Fields that are not declared are refused with a status of their own, values that do not fit with that of every invalid object.
fn may_be_of_schema(error: &CallError) -> bool {
    error.code() == Some(422) || error.to_string().contains("field not declared in schema")
}
