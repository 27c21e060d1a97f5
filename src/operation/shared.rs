//! Objects that belong to another app too: they are told at the beginning, and with `FailOnSharedResource=true` nothing begins or goes on
//! with them (spec R725, R1212).

use super::event::Event;
use super::pass::conclude;
use super::{Effect, Operation};
use crate::model::{DeletePolicy, OperationPhase, Task};

impl Operation {
    /// Returns what is said of tasks whose live object another app tracks.
    fn shared(&self) -> impl Iterator<Item = (&Task, String)> {
        let app = &self.plan.app;
        self.plan.tasks.iter().filter_map(move |task| {
            let key = &task.id.key;
            let other = self.live.get(key)?.app.as_ref().filter(|other| *other != app)?;
            Some((task, format!("{}/{} is part of applications {app} and {other}", key.kind, key.name)))
        })
    }

    /// Ends the operation because of shared objects, if it was asked for: in every pass (spec R725), also while something is waited for. Only
    /// a hook that runs comes to its end before.
    pub(super) fn refuse_shared(&self) -> Vec<Effect> {
        let is_hook_busy = || self.running_tasks().any(|task| task.is_hook());
        if !self.request.options.has("FailOnSharedResource=true") || is_hook_busy() {
            return Vec::new();
        }
        let said: Vec<String> = self.shared().map(|(_, text)| text).collect();
        if said.is_empty() {
            return Vec::new();
        }
        let cleanup = self.group_ran.then_some(DeletePolicy::HookFailed);
        vec![conclude(OperationPhase::Failed, format!("Shared resource found: {}", said.join("; ")), cleanup)]
    }

    /// Returns the warnings about shared objects, for the first pass of the operation.
    pub(super) fn warn_of_shared(&self) -> Vec<Effect> {
        if self.attempt > 1 {
            return Vec::new();
        }
        self.shared().map(|(task, text)| Effect::Record(Event::Warned { task: Some(task.id.clone()), text })).collect()
    }
}
