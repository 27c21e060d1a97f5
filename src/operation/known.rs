//! What is known of an operation, for whoever asks: decisions, screens and reports. Reads the fold and changes nothing.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Attempt, LogKey, LogState, Operation, Paused, Progress, Request, Respite, Span, TaskResult, messages};
use crate::model::{Hang, Live, Occurrence, OperationPhase, Phase, PodView, ResourceKey, Task, TaskId, TaskState, Wave};
use crate::plan::Plan;

impl Operation {
    /// Returns the operation's id.
    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Returns the plan it started with, and in a deletion what was found since (spec R1109d).
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns the options in force.
    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    /// Returns the context's name and the server.
    pub(crate) fn destination(&self) -> (&str, &str) {
        (&self.context, &self.cluster)
    }

    /// Returns the phase of the operation.
    pub(crate) fn phase(&self) -> OperationPhase {
        self.phase
    }

    /// Returns the operation's message, word for word as Argo CD says it.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns when it started.
    pub(crate) fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Returns when it ended.
    pub(crate) fn finished_at(&self) -> Option<Timestamp> {
        self.finished_at
    }

    /// Returns 1 + the number of retries.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns when the present attempt began.
    pub(crate) fn attempt_started_at(&self) -> Timestamp {
        self.attempt_started_at
    }

    /// Returns the attempts that failed and were followed by another one, in order.
    pub(crate) fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Returns the pause before the next attempt, while it lasts.
    pub(crate) fn respite(&self) -> Option<&Respite> {
        self.respite.as_ref()
    }

    /// Returns where the operation waits for a person to let it go on.
    pub(crate) fn paused(&self) -> Option<&Paused> {
        self.paused.as_ref()
    }

    /// Returns whether somebody wants a pause before the next group.
    pub(crate) fn is_pause_wanted(&self) -> bool {
        self.pause_wanted
    }

    /// Returns whether the operation ended, or will end, by a terminate. A deletion that its time limit has stopped has failed (cli.md).
    pub(crate) fn is_terminated(&self) -> bool {
        self.terminate.is_some() && !(self.timed_out && self.is_deletion())
    }

    /// Returns the prunes that wait for the confirmation of a person (spec R634).
    pub(crate) fn unconfirmed(&self) -> Vec<ResourceKey> {
        if messages::is_confirmation(&self.waiting.message) {
            // What is confirmed may still have to wait for something else.
            self.waiting.on.iter().map(|id| id.key.clone()).filter(|key| !self.approved.contains(key)).collect()
        } else {
            Vec::new()
        }
    }

    /// Returns the tasks that are waited for now.
    pub(crate) fn waited_for(&self) -> &[TaskId] {
        &self.waiting.on
    }

    /// Returns the results, in order of arrival.
    pub(crate) fn results(&self) -> &[TaskResult] {
        &self.results
    }

    /// Returns the result of a task, if there is one.
    pub(crate) fn result(&self, task: &TaskId) -> Option<&TaskResult> {
        self.result_at(self.plan.position(task)?)
    }

    pub(super) fn result_at(&self, position: usize) -> Option<&TaskResult> {
        self.slots[position].result.map(|at| &self.results[at])
    }

    pub(super) fn state_at(&self, position: usize) -> TaskState {
        self.result_at(position).map(|result| result.state).unwrap_or_default()
    }

    /// Returns the state of a task, `Pending` without a result.
    pub(crate) fn state(&self, task: &TaskId) -> TaskState {
        self.result(task).map(|result| result.state).unwrap_or_default()
    }

    /// Returns when and what a task did.
    pub(crate) fn progress(&self, task: &TaskId) -> Option<&Progress> {
        self.slots[self.plan.position(task)?].progress.as_ref()
    }

    /// Returns whether a task was begun, in any attempt, and the server is not known to have taken it: a request whose answer was lost may
    /// reach it yet.
    pub(crate) fn may_come_late(&self, task: &TaskId) -> bool {
        let Some(position) = self.plan.position(task) else { return false };
        let slots = self.attempts.iter().map(|attempt| &attempt.slots).chain([&self.slots]);
        let mut progress = slots.filter_map(|slots| slots.get(position)?.progress.as_ref());
        progress.any(|progress| progress.started_at.is_some() && progress.applied.is_none())
    }

    /// Returns the live object as last seen.
    pub(crate) fn live(&self, key: &ResourceKey) -> Option<&Live> {
        self.live.get(key)
    }

    /// Returns the pods that belong to an object of the plan, oldest first, deleted ones included.
    pub(crate) fn pods_of(&self, key: &ResourceKey) -> Vec<&PodView> {
        let mut pods: Vec<&PodView> = self.pods_of.get(key).into_iter().flatten().filter_map(|uid| self.pods.get(uid)).collect();
        pods.sort_by(|one, other| (one.created, &one.name).cmp(&(other.created, &other.name)));
        pods
    }

    /// Returns what keeps a pod of an object from running, of several pods the newest that hangs.
    pub(crate) fn hang(&self, key: &ResourceKey) -> Option<Hang> {
        let there = self.pods_of(key).into_iter().rev().filter(|pod| !self.is_pod_gone(&pod.uid));
        there.filter(|pod| !pod.deleting).find_map(PodView::hang)
    }

    /// Returns whether a pod has been deleted.
    pub(crate) fn is_pod_gone(&self, uid: &str) -> bool {
        self.gone_pods.contains(uid)
    }

    /// Returns the cluster's Events, in order of arrival.
    pub(crate) fn occurrences(&self) -> &[Occurrence] {
        &self.occurrences
    }

    /// Returns the logs that were opened.
    pub(crate) fn logs(&self) -> impl Iterator<Item = (&LogKey, &LogState)> {
        self.logs.iter()
    }

    /// Returns when a phase ran.
    pub(crate) fn phase_span(&self, phase: Phase) -> Option<&Span> {
        self.phases.get(&phase)
    }

    /// Returns when a wave ran.
    pub(crate) fn wave_span(&self, phase: Phase, wave: Wave) -> Option<&Span> {
        self.waves.get(&(phase, wave))
    }

    /// Returns the kinds that are polled because they may not be watched.
    pub(crate) fn polled(&self) -> &[String] {
        &self.polled
    }

    /// Returns the warnings, in order of arrival.
    #[cfg(test)]
    pub(crate) fn warnings(&self) -> &[(Option<TaskId>, String)] {
        &self.warnings
    }

    pub(super) fn task(&self, id: &TaskId) -> Option<&Task> {
        self.plan.task(id)
    }
}
