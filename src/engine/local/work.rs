//! What the loop lets run beside itself: calls, followed logs, last looks at pods, and searches; how each begins, and what is said when it
//! ends, whatever it ended with. What to begin is the core's word.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::Id;

use super::super::captures::{OfHook, Wish};
use super::super::finder::Looked;
use super::Local;
use crate::cluster::logs::LogTarget;
use crate::model::{Role, TaskId};
use crate::operation::{Event, Step, StepOutcome};

/// What a spawned task does, in case that it panics.
pub(super) enum UnderWay {
    Step { task: TaskId, step: Step },
    Log(Wish),
    LastLook,
    Search,
}

impl Local {
    /// Everything that hooks of this operation printed must be kept, also of pods that came and went between two looks.
    pub(super) fn look_for_unread_logs(&mut self) {
        let plan = self.operation.plan().clone();
        let mut hooks: BTreeMap<Arc<str>, Vec<OfHook>> = BTreeMap::new();
        for task in plan.tasks.iter().filter(|task| task.is_hook() && task.id.key.may_have_pods()) {
            let applied = self.operation.progress(&task.id).and_then(|progress| progress.applied.as_ref());
            let Some(uid) = applied.map(|applied| applied.uid.clone()) else { continue };
            self.tell_lost_logs(&task.id);
            hooks.entry(task.id.key.namespace.clone()).or_default().push(OfHook { task: task.id.clone(), uid });
        }
        for hooks in hooks.into_values() {
            let captures = self.captures.clone();
            let handle = self.work.spawn(async move { captures.unread(&hooks).await });
            self.looks_out += 1;
            self.under_way.insert(handle.id(), UnderWay::LastLook);
        }
    }

    /// Pods that were gone before anybody followed them.
    fn tell_lost_logs(&mut self, task: &TaskId) {
        let are_polled = self.operation.polled().iter().any(|kind| kind == "Pod");
        let mut texts = Vec::new();
        for pod in self.operation.pods_of(&task.key) {
            let is_read = |name: &str| self.operation.logs().any(|(log, _)| log.uid == pod.uid && *log.container == *name);
            let is_lost = |name: &str, has_log: bool| (has_log || are_polled) && !is_read(name);
            if self.operation.is_pod_gone(&pod.uid) {
                let lost = pod.containers.iter().filter(|container| is_lost(&container.name, container.has_log()));
                texts.extend(lost.map(|container| {
                    format!("pod {} was gone before the log of its container {} could be read", pod.name, container.name)
                }));
            }
        }
        texts.into_iter().for_each(|text| self.publish(Event::Warned { task: Some(task.clone()), text }));
    }

    pub(super) fn begin_step(&mut self, id: TaskId, step: Step) {
        self.publish(Event::StepStarted { task: id.clone(), step: step.clone() });
        let Some(task) = self.operation.plan().task(&id).cloned() else {
            let error = format!("{} is not in the plan", id.key);
            return self.publish(Event::StepFinished { task: id, step, outcome: StepOutcome::Failed { error } });
        };
        let (executor, outbox, own) = (self.executor.clone(), self.outbox.clone(), step.clone());
        let handle = self.work.spawn(async move {
            let outcome = executor.perform(&task, &own).await;
            outbox.push(Event::StepFinished { task: task.id, step: own, outcome });
            Vec::new()
        });
        self.steps_out += 1;
        self.under_way.insert(handle.id(), UnderWay::Step { task: id, step });
    }

    pub(super) fn begin_search(&mut self) {
        self.publish(Event::SearchStarted);
        let Some(finder) = self.finder.clone() else { return self.publish(Event::SearchFinished { found: Vec::new() }) };
        let known = self.operation.known_belongings();
        let cluster = self.cluster.with_hurry(self.hurry.clone());
        let (watches, outbox) = (self.watches.clone(), self.outbox.clone());
        let handle = self.work.spawn(async move {
            let Looked { found, notes } = finder.look(&cluster, &watches, &known).await;
            outbox.extend(notes.into_iter().map(|text| Event::Warned { task: None, text }));
            outbox.push(Event::SearchFinished { found });
            Vec::new()
        });
        self.under_way.insert(handle.id(), UnderWay::Search);
    }

    pub(super) fn begin_log(&mut self, wish: Wish) {
        self.publish(wish.opened());
        let (captures, own) = (self.captures.clone(), wish.clone());
        let handle = self.work.spawn(async move {
            captures.follow(own).await;
            Vec::new()
        });
        self.under_way.insert(handle.id(), UnderWay::Log(wish));
    }

    /// Logs of objects that are no hooks, because somebody asked for them.
    pub(super) fn wishes(&self) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for key in &self.followed {
            let Some(task) = self.operation.plan().tasks.iter().map(|task| &task.id).find(|id| id.key == *key && id.role != Role::Hook)
            else {
                continue;
            };
            for (pod, attempt) in self.operation.pods_of(key).into_iter().zip(1_u32..) {
                let is_open = |name: &Arc<str>| self.operation.logs().any(|(log, _)| log.uid == pod.uid && log.container == *name);
                let ready = pod.containers.iter().filter(|container| container.has_log() && !is_open(&container.name));
                wishes.extend(ready.map(|container| Wish {
                    task: task.clone(),
                    target: LogTarget {
                        namespace: pod.namespace.clone(),
                        pod: pod.name.clone(),
                        uid: pod.uid.clone(),
                        container: container.name.clone(),
                    },
                    pod_attempt: attempt,
                }));
            }
        }
        wishes
    }

    /// A task that panicked must not leave the operation waiting for ever.
    pub(super) fn ended(&mut self, ended: Result<(Id, Vec<Wish>), tokio::task::JoinError>) {
        let (id, wishes, panicked) = match ended {
            Ok((id, wishes)) => (id, wishes, None),
            Err(error) => (error.id(), Vec::new(), Some(error)),
        };
        let Some(what) = self.under_way.remove(&id) else { return };
        match what {
            UnderWay::Step { .. } => self.steps_out -= 1,
            UnderWay::Log(_) | UnderWay::Search => {}
            UnderWay::LastLook => {
                self.looks_out -= 1;
                self.is_news = true;
            }
        }
        for wish in wishes {
            if !self.operation.logs().any(|(log, _)| *log == wish.key()) {
                self.begin_log(wish);
            }
        }
        let Some(error) = panicked else { return };
        tracing::error!("{error}");
        match what {
            UnderWay::Step { task, step } => {
                let outcome = StepOutcome::Failed { error: "the program failed in the middle of this call; see its log".to_owned() };
                self.publish(Event::StepFinished { task, step, outcome });
            }
            UnderWay::Log(wish) => self.publish(wish.closed()),
            UnderWay::LastLook => {}
            UnderWay::Search => self.publish(Event::SearchFinished { found: Vec::new() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::ResourceKey;

    #[test]
    fn only_kinds_that_may_run_pods_are_looked_at() {
        let may = |group: &str, kind: &str| ResourceKey::new(group, kind, "shop", "x").may_have_pods();
        assert!(may("", "Pod") && may("batch", "Job") && may("argoproj.io", "Workflow"));
        assert!(!may("", "ConfigMap") && !may("rbac.authorization.k8s.io", "Role") && !may("policy", "PodDisruptionBudget"));
    }
}
