//! The fold: facts in, state out. Total: no order of records makes it panic, and a fact that is older than what is known changes nothing.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Event, Record, RunKind, Step, StepOutcome};
use super::{Applied, Conclusion, LogKey, LogState, Operation, Progress, Run, StepState, TaskResult, Waiting};
use crate::model::{Live, OperationPhase, Phase, PodView, ResourceKey, ResultCode, Role, TaskId, TaskState, annotation};

#[expect(clippy::wildcard_enum_match_arm, reason = "`Operation::apply` is exhaustive and hands each part its own events")]
impl Operation {
    /// Folds one fact.
    pub(crate) fn apply(&mut self, record: &Record) {
        self.last_seq = record.seq;
        self.note_progress(record);
        match &record.event {
            Event::OperationStarted { .. } => {}
            Event::WatchesOpened { polled } => {
                self.watches_open = true;
                self.polled.clone_from(polled);
            }
            Event::DryPassFinished => self.dry_pass_done = true,
            Event::RunStarted { .. } | Event::StepStarted { .. } | Event::StepFinished { .. } | Event::RunFinished { .. } => {
                self.apply_work(record);
            }
            Event::TaskChanged { task, code, state, message } => self.set_result(record.at, task, *code, *state, message),
            Event::PhaseStarted { .. } | Event::WaveStarted { .. } | Event::WaveFinished { .. } | Event::PhaseFinished { .. } => {
                self.apply_span(record);
            }
            Event::LiveObserved { .. }
            | Event::LiveGone { .. }
            | Event::PodObserved { .. }
            | Event::PodGone { .. }
            | Event::Occurred { .. }
            | Event::LogOpened { .. }
            | Event::LogClosed { .. } => self.apply_observation(record),
            Event::Waiting { .. }
            | Event::PruneApproved { .. }
            | Event::Concluded { .. }
            | Event::TerminateRequested { .. }
            | Event::TimedOut
            | Event::Warned { .. }
            | Event::OperationFinished { .. } => self.apply_course(record),
            Event::SearchStarted | Event::SearchFinished { .. } => self.apply_search(record.at, &record.event),
            Event::RetryScheduled { .. } | Event::AttemptStarted { .. } => self.apply_attempt(record),
            Event::PauseRequested { .. } | Event::Paused { .. } | Event::Resumed { .. } => self.apply_pause(record),
            Event::Stalled { .. } => self.stalls += 1,
            Event::ClusterLost { since } => self.lost_since = Some(*since),
            Event::ClusterBack { .. } => self.lost_since = None,
        }
    }

    fn apply_course(&mut self, record: &Record) {
        match &record.event {
            Event::Waiting { message, on } => {
                let since = if self.waiting.message == *message { self.waiting.since } else { None };
                self.message.clone_from(message);
                self.waiting = Waiting { message: message.clone(), on: on.clone(), since: since.or(Some(record.at)), at: Some(record.at) };
            }
            Event::PruneApproved { keys, .. } => self.approved.extend(keys.iter().cloned()),
            Event::Concluded { phase, message, cleanup } if self.conclusion.is_none() => {
                self.conclusion = Some(Conclusion { at: record.at, phase: *phase, message: message.clone(), cleanup: *cleanup });
                self.waiting = Waiting::default();
            }
            Event::TerminateRequested { by } if self.terminate.is_none() && self.finished_at.is_none() => {
                self.terminate = Some((record.at, by.clone()));
                // An end that is decided already is not changed, but the person did ask (cli.md, exit code 3).
                if self.conclusion.is_none() {
                    self.phase = OperationPhase::Terminating;
                }
            }
            Event::TimedOut if self.terminate.is_none() && self.finished_at.is_none() && self.conclusion.is_none() => {
                self.terminate = Some((record.at, "the time limit of the operation".to_owned()));
                self.timed_out = true;
                self.phase = OperationPhase::Terminating;
            }
            Event::Warned { task, text } => self.warnings.push((task.clone(), text.clone())),
            Event::OperationFinished { phase, message } => {
                self.phase = *phase;
                self.message.clone_from(message);
                self.finished_at = Some(record.at);
                self.waiting = Waiting::default();
            }
            _ => {}
        }
    }

    fn apply_span(&mut self, record: &Record) {
        match &record.event {
            Event::PhaseStarted { phase } => _ = self.phases.entry(*phase).or_default().started_at.get_or_insert(record.at),
            Event::WaveStarted { phase, wave } => _ = self.waves.entry((*phase, *wave)).or_default().started_at.get_or_insert(record.at),
            Event::WaveFinished { phase, wave } => self.waves.entry((*phase, *wave)).or_default().finished_at = Some(record.at),
            Event::PhaseFinished { phase, result } => {
                let span = self.phases.entry(*phase).or_default();
                span.finished_at = Some(record.at);
                span.failed = *result != TaskState::Succeeded;
            }
            _ => {}
        }
    }

    fn apply_work(&mut self, record: &Record) {
        match &record.event {
            Event::RunStarted { kind, phase, wave, tasks } => {
                self.run = Some(Run { kind: *kind, phase: *phase, wave: *wave, tasks: tasks.clone(), in_flight: 0, sent: 0 });
                self.group_ran |= *kind != RunKind::Namespace;
                self.waiting = Waiting::default();
            }
            Event::StepStarted { task, step } => self.begin(record.at, task, step),
            Event::StepFinished { task, step, outcome } => self.end(record.at, task, step, outcome),
            Event::RunFinished { .. } => {
                let is_namespace = self.run.take().is_none_or(|run| run.kind == RunKind::Namespace);
                // No delay follows the destination Namespace (spec R610).
                self.run_finished_at = if is_namespace { self.run_finished_at } else { Some(record.at) };
            }
            _ => {}
        }
    }

    fn begin(&mut self, at: Timestamp, task: &TaskId, step: &Step) {
        self.looks.note(task, step);
        let before = self.steps.insert((task.clone(), step.clone()), StepState { started_at: at, outcome: None });
        // One that is out already counts once, for its end is taken once.
        if before.is_none_or(|state| state.outcome.is_some()) {
            self.in_flight += 1;
            if let Some(run) = self.run.as_mut().filter(|_| step.is_of_run()) {
                run.in_flight += 1;
                run.sent += usize::from(matches!(step, Step::Apply | Step::Try));
            }
        }
        if step.is_of_run()
            && let Some(position) = self.plan.position(task)
        {
            self.slots[position].progress.get_or_insert_default().started_at.get_or_insert(at);
        }
    }

    fn end(&mut self, at: Timestamp, task: &TaskId, step: &Step, outcome: &StepOutcome) {
        let Some(state) = self.steps.get_mut(&(task.clone(), step.clone())) else { return };
        if state.outcome.replace(outcome.clone()).is_some() {
            return;
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(run) = &mut self.run
            && step.is_of_run()
        {
            run.in_flight = run.in_flight.saturating_sub(1);
        }
        match outcome {
            StepOutcome::Done { message, live } => self.end_well(at, task, step, message, live.as_deref()),
            StepOutcome::Gone => self.end_gone(at, task, step),
            StepOutcome::Failed { error } | StepOutcome::Unsettled { error } => self.end_badly(at, task, step, error),
            // As if it had not begun: the task is pending, and a terminate gives it no result (spec R904).
            StepOutcome::Unsent => drop(self.steps.remove(&(task.clone(), step.clone()))),
        }
    }

    fn end_well(&mut self, at: Timestamp, task: &TaskId, step: &Step, message: &str, live: Option<&Live>) {
        if let Some(live) = live {
            // The view had lost it and a direct look has found it: then it is there, whatever a list may have said. Any other answer
            // may be older than the news that the object is gone.
            if *step == Step::Look {
                self.gone.remove(&live.uid);
            }
            self.observe(at, &task.key, live);
        }
        match step {
            Step::Apply | Step::Adopt { .. } => {
                if let Some(position) = self.plan.position(task) {
                    let progress = self.slots[position].progress.get_or_insert_default();
                    progress.applied_at = Some(at);
                    progress.applied = live.map(|live| Applied {
                        uid: live.uid.clone(),
                        resource_version: live.resource_version,
                        generation: live.generation,
                    });
                }
                self.set_result(at, task, ResultCode::Synced, TaskState::Running, message);
            }
            Step::Prune { .. } => self.set_result(at, task, ResultCode::Pruned, TaskState::Succeeded, "pruned"),
            Step::RemoveOldFinalizer { uid }
            | Step::RemoveFinalizer { uid }
            | Step::RemoveLeftFinalizer { uid }
            | Step::TerminateFinalizer { uid } => {
                self.forget_finalizer(&task.key, uid);
            }
            Step::Try => self.set_result(at, task, ResultCode::Synced, TaskState::Succeeded, message),
            Step::DeleteOldHook { .. } | Step::DeleteHook { .. } | Step::TerminateDelete { .. } | Step::Look | Step::Discover => {}
        }
    }

    fn end_gone(&mut self, at: Timestamp, task: &TaskId, step: &Step) {
        match step {
            Step::Prune { uid } => {
                self.vanish(&task.key, uid);
                self.set_result(at, task, ResultCode::Pruned, TaskState::Succeeded, "pruned");
            }
            Step::RemoveOldFinalizer { uid }
            | Step::DeleteOldHook { uid }
            | Step::RemoveFinalizer { uid }
            | Step::RemoveLeftFinalizer { uid }
            | Step::DeleteHook { uid, .. }
            | Step::TerminateFinalizer { uid }
            | Step::TerminateDelete { uid } => {
                self.vanish(&task.key, uid);
                self.forget_finalizer(&task.key, uid);
            }
            Step::Apply | Step::Try => {
                self.set_result(at, task, ResultCode::SyncFailed, TaskState::Failed, "the object vanished while it was being applied");
            }
            Step::Discover | Step::Adopt { .. } => {}
            Step::Look if self.phase == OperationPhase::Terminating || self.state(task) != TaskState::Running => {}
            Step::Look => {
                let message = format!("Resource {} is missing, it might have been deleted", task.key.in_message());
                self.set_result(at, task, ResultCode::SyncFailed, TaskState::Error, &message);
            }
        }
    }

    fn end_badly(&mut self, at: Timestamp, task: &TaskId, step: &Step, error: &str) {
        let code = self.result(task).map(|result| result.code).unwrap_or_default();
        match step {
            Step::Apply | Step::Adopt { .. } | Step::Try | Step::Prune { .. } => {
                self.set_result(at, task, ResultCode::SyncFailed, TaskState::Failed, error);
            }
            Step::RemoveOldFinalizer { .. } => {
                self.set_result(at, task, ResultCode::None, TaskState::Error, &format!("failed to remove hook finalizer: {error}"));
            }
            Step::DeleteOldHook { .. } => {
                self.set_result(at, task, ResultCode::None, TaskState::Error, &format!("failed to delete resource: {error}"));
            }
            Step::DeleteHook { .. } => self.set_result(at, task, code, TaskState::Error, &format!("failed to delete resource: {error}")),
            Step::RemoveFinalizer { .. } | Step::RemoveLeftFinalizer { .. } => {
                self.set_result(at, task, code, TaskState::Error, &format!("Failed to remove hook finalizer: {error}"));
            }
            Step::Look if self.state(task) == TaskState::Running => {
                self.set_result(at, task, code, TaskState::Error, &format!("Failed to get live resource {error}"));
            }
            // It was asked for because of its finalizer alone (spec R218, R1502).
            Step::Look => {
                let message = format!("Failed to remove hook finalizer: failed to get resource: {error}");
                self.set_result(at, task, code, TaskState::Error, &message);
            }
            Step::TerminateFinalizer { .. } | Step::TerminateDelete { .. } | Step::Discover => {}
        }
    }

    /// Results with one object and phase are one result (spec R613); an empty message keeps the old one (spec R606).
    pub(super) fn set_result(&mut self, at: Timestamp, task: &TaskId, code: ResultCode, state: TaskState, message: &str) {
        let Some(position) = self.plan.position(task) else { return };
        match self.slots[position].result {
            Some(place) => {
                let result = &mut self.results[place];
                result.code = code;
                result.state = state;
                if !message.is_empty() {
                    message.clone_into(&mut result.message);
                }
            }
            None => {
                let place = self.results.len();
                self.results.push(TaskResult { task: task.clone(), code, state, message: message.to_owned() });
                for role in [Role::Apply, Role::Hook, Role::Prune] {
                    if let Some(position) = self.plan.position(&TaskId { role, ..task.clone() }) {
                        self.slots[position].result = Some(place);
                    }
                }
            }
        }
        if state == TaskState::Running {
            self.running.insert(position);
        } else {
            self.running.remove(&position);
        }
        self.note_completion(at, position, state);
    }

    fn note_completion(&mut self, at: Timestamp, position: usize, state: TaskState) {
        let progress: &mut Progress = self.slots[position].progress.get_or_insert_default();
        if state.is_completed() {
            progress.finished_at.get_or_insert(at);
        } else {
            progress.finished_at = None;
        }
    }

    fn apply_observation(&mut self, record: &Record) {
        match &record.event {
            Event::LiveObserved { key, live } => self.see(record.at, key, live),
            Event::LiveGone { key, uid } => self.vanish(key, uid),
            Event::PodObserved { pod } => self.observe_pod(pod),
            Event::PodGone { uid, .. } => _ = self.gone_pods.insert(uid.clone()),
            Event::Occurred { occurrence } => self.occurrences.push(occurrence.clone()),
            Event::LogOpened { task, pod, uid, container, pod_attempt } => {
                let key = LogKey { uid: uid.clone(), container: container.clone() };
                let state = LogState { task: task.clone(), pod: pod.clone(), pod_attempt: *pod_attempt, attempt: self.attempt, open: true };
                self.logs.insert(key, state);
            }
            Event::LogClosed { uid, container, .. } => {
                if let Some(log) = self.logs.get_mut(&LogKey { uid: uid.clone(), container: container.clone() }) {
                    log.open = false;
                }
            }
            _ => {}
        }
    }

    /// News come in the order in which they happened, so what was gone before and is seen now is there (decision 4).
    fn see(&mut self, at: Timestamp, key: &ResourceKey, live: &Live) {
        if !self.is_outdated(key, live) {
            self.gone.remove(&live.uid);
        }
        self.observe(at, key, live);
    }

    /// Also of another object of the same name: news of the one before may come after the answer to its successor's creation. What a list
    /// has lost may come back with less than an answer has told of it already.
    fn is_outdated(&self, key: &ResourceKey, live: &Live) -> bool {
        let known = self.live.get(key).or_else(|| self.graves.get(key).filter(|lost| lost.uid == live.uid));
        known.is_some_and(|known| known.resource_version > live.resource_version && live.resource_version > 0)
    }

    pub(super) fn observe(&mut self, at: Timestamp, key: &ResourceKey, live: &Live) {
        if self.gone.contains(&live.uid) || self.is_outdated(key, live) {
            return;
        }
        if live.deletion.is_some() {
            self.deletions.entry(live.uid.clone()).or_insert(at);
        }
        let before = self.live.insert(key.clone(), live.clone());
        if !live.is_leaving() {
            self.graves.remove(key);
        } else if let Some(before) = before.filter(|before| before.uid == live.uid && !before.is_leaving()) {
            self.graves.insert(key.clone(), before);
        }
    }

    /// What is in deletion says nothing of its end any more, so what it said before counts when it is gone (spec R1531, R1549).
    fn vanish(&mut self, key: &ResourceKey, uid: &Arc<str>) {
        self.gone.insert(uid.clone());
        if self.live.get(key).is_some_and(|live| live.uid == *uid)
            && let Some(live) = self.live.remove(key)
        {
            let before = self.graves.remove(key).filter(|before| before.uid == *uid && live.is_leaving());
            // News of it that are older than its deletion do not bring it back (decision 4).
            let known = |before| Live { finalizers: live.finalizers.clone(), resource_version: live.resource_version, ..before };
            let grave = before.map(known);
            self.graves.insert(key.clone(), grave.unwrap_or(live));
        }
    }

    fn observe_pod(&mut self, pod: &PodView) {
        let is_of_hook = Phase::OF_HOOKS
            .into_iter()
            .any(|phase| self.plan.position(&TaskId { phase, key: pod.owner.clone(), role: Role::Hook }).is_some());
        if is_of_hook {
            self.hook_pods.insert(pod.uid.clone());
        }
        self.pods_of.entry(pod.owner.clone()).or_default().insert(pod.uid.clone());
        self.pods.insert(pod.uid.clone(), pod.clone());
    }

    /// The view may lag behind a removal that the server has confirmed; it must not be asked for twice. Nor must an object that went
    /// before the confirmation came.
    fn forget_finalizer(&mut self, key: &ResourceKey, uid: &Arc<str>) {
        let known = [self.live.get_mut(key), self.graves.get_mut(key)].into_iter().flatten();
        known.filter(|live| live.uid == *uid).for_each(|live| live.finalizers.retain(|name| !annotation::is_hook_finalizer(name)));
    }
}
