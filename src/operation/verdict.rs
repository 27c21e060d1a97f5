//! The one sentence that says how the operation stands, the same on screen, in plain output and in the summary: what it is waiting
//! for, since when, and why; or how it ended.

use jiff::{SignedDuration, Timestamp};

use crate::model::{ContainerState, HealthStatus, OperationPhase, Phase, PodView, ResourceKey, ResultCode, Role, TaskId, TaskState};

use super::timeline::Stage;
use super::{Operation, RunKind, TaskResult};

/// Colour role of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Working,
    Blocked,
    /// Nothing happens until a person says so.
    Paused,
    Good,
    Bad,
    Stopping,
}

/// How the operation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) tone: Tone,
    /// One word in capitals: `SYNCING`, `SUCCEEDED`, `FAILED`, `TERMINATED` …
    pub(crate) word: &'static str,
    /// A sentence that names an object, without a full stop.
    pub(crate) text: String,
}

/// What holds the operation up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blocker {
    pub(crate) task: TaskId,
    /// Since when it has been waited for.
    pub(crate) since: Timestamp,
}

/// What holds up an operation that only has to clean up, while nothing is heard of the cluster.
const STUCK: &str = "what is still to be cleaned up waits for the API server";

impl Operation {
    /// Returns the task that holds the operation up: the first one that is waited for, hooks before resources.
    pub(crate) fn blocker(&self) -> Option<Blocker> {
        let waited = &self.waiting.on;
        let task = waited.iter().find(|id| self.task(id).is_some_and(|task| task.is_hook())).or_else(|| waited.first())?;
        let progress = self.progress(task);
        let since =
            progress.and_then(|progress| progress.applied_at.or(progress.started_at)).or(self.waiting.since).unwrap_or(self.started_at);
        Some(Blocker { task: task.clone(), since })
    }

    /// Returns the sentence of the verdict line.
    pub(crate) fn verdict(&self, now: Timestamp) -> Verdict {
        if self.finished_at.is_some() {
            return self.final_verdict();
        }
        if self.phase == OperationPhase::Terminating {
            return self.terminating_verdict(now);
        }
        if let Some(held) = self.held_verdict(now) {
            return held;
        }
        match self.blocker() {
            Some(blocker) => self.blocked_verdict(&blocker, now),
            None => Verdict { tone: Tone::Working, word: self.working_word(), text: self.work_sentence() + &self.quiet(now) },
        }
    }

    /// Returns the verdict while no task is waited for: until the next attempt, in a pause, at the end, outside of the windows.
    fn held_verdict(&self, now: Timestamp) -> Option<Verdict> {
        let lost = self.lost_tail(now);
        if let Some(respite) = &self.respite {
            let left = short_time(respite.until.duration_since(now));
            let text = format!("attempt {} starts in {left}; attempt {} failed: {}{lost}", self.attempt + 1, self.attempt, respite.message);
            return Some(Verdict { tone: Tone::Bad, word: "RETRYING", text });
        }
        if let Some(paused) = self.paused.filter(|_| self.conclusion.is_none()) {
            let waited = short_time(now.duration_since(paused.since));
            let text =
                format!("before {} wave {} for {waited}; nothing is written until a person lets it go on{lost}", paused.phase, paused.wave);
            return Some(Verdict { tone: Tone::Paused, word: "PAUSED", text });
        }
        if self.conclusion.is_some() {
            let text = if lost.is_empty() { "keeping the last log lines, then cleaning up hooks" } else { STUCK };
            let text = text.to_owned() + &lost;
            return Some(Verdict { tone: Tone::Working, word: "FINISHING", text });
        }
        let window = self.window_sentence(now)?;
        Some(Verdict { tone: Tone::Blocked, word: "SYNCING", text: format!("blocked by sync window: {window}{lost}") })
    }

    fn terminating_verdict(&self, now: Timestamp) -> Verdict {
        let is_running_hook = |result: &&TaskResult| result.state == TaskState::Running && result.task.role == Role::Hook;
        let mut running = self.results.iter().filter(is_running_hook);
        let since = self.terminate.as_ref().map(|(at, _)| format!(" for {}", short_time(now.duration_since(*at)))).unwrap_or_default();
        let what = match (running.next(), running.count()) {
            (None, _) if self.lost_since.is_some() => STUCK.to_owned(),
            (None, _) => "the operation is about to end".to_owned(),
            (Some(first), 0) => format!("stopping {}{since}", first.task.key.short()),
            (Some(first), more) => format!("stopping {} and {more} more hook{}{since}", first.task.key.short(), plural(more)),
        };
        Verdict { tone: Tone::Stopping, word: "TERMINATING", text: what + &self.quiet(now) }
    }

    fn work_sentence(&self) -> String {
        match &self.run {
            Some(run) if run.kind == RunKind::DryRun => {
                format!("trying {} object{}; nothing is written", run.tasks.len(), plural(run.tasks.len()))
            }
            Some(run) if run.phase == Phase::Delete => {
                format!("deleting {} object{} of wave {}", run.tasks.len(), plural(run.tasks.len()), run.wave)
            }
            Some(run) => format!("applying {} object{} of {} wave {}", run.tasks.len(), plural(run.tasks.len()), run.phase, run.wave),
            None if !self.watches_open => "opening watches on everything in the plan".to_owned(),
            None => "deciding what comes next".to_owned(),
        }
    }

    fn blocked_verdict(&self, blocker: &Blocker, now: Timestamp) -> Verdict {
        let id = &blocker.task;
        let waited = short_time(now.duration_since(blocker.since));
        let others = self.waiting.on.len().saturating_sub(1);
        let more = if others > 0 { format!(" and {others} more") } else { String::new() };
        if super::messages::is_confirmation(&self.waiting.message) {
            let since = self.waiting.since.unwrap_or(blocker.since);
            let waited = short_time(now.duration_since(since));
            let lost = self.lost_tail(now);
            let text = format!("waiting {waited} for a person to confirm the deletion of {}{more}{lost}", id.key.short());
            return Verdict { tone: Tone::Blocked, word: self.working_word(), text };
        }
        // What was known of the object before is not true any more.
        let (why, quiet) = match self.lost_sentence(now) {
            Some(lost) => (lost, String::new()),
            None => (self.why_waiting(id), self.quiet(now)),
        };
        let text = format!("waiting {waited} for {}{more}{}{why}{quiet}", id.key.short(), if why.is_empty() { "" } else { ": " });
        Verdict { tone: Tone::Blocked, word: self.working_word(), text }
    }

    fn lost_sentence(&self, now: Timestamp) -> Option<String> {
        self.lost_since.map(|since| format!("the API server has not answered for {}", short_time(now.duration_since(since))))
    }

    fn lost_tail(&self, now: Timestamp) -> String {
        self.lost_sentence(now).map(|lost| format!("; {lost}")).unwrap_or_default()
    }

    fn quiet(&self, now: Timestamp) -> String {
        if self.lost_since.is_some() {
            return self.lost_tail(now);
        }
        self.stalled_since().map(|since| format!("; no change for {}", short_time(now.duration_since(since)))).unwrap_or_default()
    }

    fn working_word(&self) -> &'static str {
        if self.request.dry_run {
            return "DRY RUN";
        }
        if self.is_deletion() { "DELETING" } else { "SYNCING" }
    }

    /// Returns why an object is not done, from the most telling source: its deletion, its pods, its health.
    pub(crate) fn why_waiting(&self, id: &TaskId) -> String {
        let live = self.live.get(&id.key);
        if let Some(live) = live
            && live.deletion.is_some()
        {
            let held = if live.finalizers.is_empty() { "its pods to end".to_owned() } else { live.finalizers.join(", ") };
            return format!("in deletion, held by {held}");
        }
        if let Some(live) = live
            && live.is_behind()
        {
            let (asked, seen) = (live.generation.unwrap_or_default(), live.observed_generation.unwrap_or_default());
            return format!("its controller has not seen generation {asked} yet, only {seen}");
        }
        if let Some(sentence) = self.pod_sentence(&id.key) {
            return sentence;
        }
        let health = live.map(|live| live.assessment.message()).unwrap_or_default();
        let said = if health.is_empty() { self.result(id).map(|result| &*result.message).unwrap_or_default() } else { health };
        format!("{said}{}", self.rule_aside(&id.key)).trim_start().to_owned()
    }

    /// Returns ` (rule: …)` where another rule than the program's own one of this kind judges an object: only that may surprise.
    pub(crate) fn rule_aside(&self, key: &ResourceKey) -> String {
        let rule = self.live.get(key).map(|live| live.assessment.rule()).unwrap_or_default();
        let own = if key.group.is_empty() { key.kind.to_string() } else { format!("{}/{}", key.group, key.kind) };
        if rule.is_empty() || rule == own || rule == "deletion" { String::new() } else { format!(" (rule: {rule})") }
    }

    fn pod_sentence(&self, key: &ResourceKey) -> Option<String> {
        let pods = self.pods_of(key);
        let newest = pods.iter().rev().find(|pod| !self.is_pod_gone(&pod.uid))?;
        let trouble = container_trouble(newest);
        let failed = pods.iter().filter(|pod| pod.phase == "Failed").count();
        let tries = if failed > 0 { format!(" ({failed} failed attempt{} before)", plural(failed)) } else { String::new() };
        if newest.phase == "Failed" {
            let since = self.newest_warning(key).map(|text| format!("; {text}")).unwrap_or_default();
            return Some(format!("attempt {failed} failed{}{since}", trouble.map(|text| format!(" with {text}")).unwrap_or_default()));
        }
        // The older pods of a rollout are on their way out.
        let is_rollout = *key.kind == *"Deployment" || *key.kind == *"StatefulSet";
        match trouble {
            Some(text) => Some(format!("pod {}: {text}{tries}", newest.name)),
            None if is_rollout => None,
            None => Some(match (self.among_many(&pods), &*newest.phase) {
                (Some(text), _) => text + &tries,
                (None, "Succeeded") => format!("pod {} has succeeded{tries}, its end is being recorded", newest.name),
                (None, phase) => format!("pod {} is {}{tries}", newest.name, phase.to_lowercase()),
            }),
        }
    }

    /// Returns how many pods run, if they are many, or which of them has trouble: it may be any.
    fn among_many(&self, pods: &[&PodView]) -> Option<String> {
        let is_open = |pod: &&&PodView| !self.is_pod_gone(&pod.uid) && !matches!(&*pod.phase, "Failed" | "Succeeded");
        if let Some((pod, text)) = pods.iter().rev().filter(is_open).find_map(|pod| Some((pod, container_trouble(pod)?))) {
            return Some(format!("pod {}: {text}", pod.name));
        }
        let running = pods.iter().filter(is_open).filter(|pod| pod.phase == "Running").count();
        let done = pods.iter().filter(|pod| pod.phase == "Succeeded").count();
        let have = if done == 1 { "has" } else { "have" };
        match (running, done) {
            (0, _) | (1, 0) => None,
            (1, _) => Some(format!("1 pod is running, {done} {have} succeeded")),
            (_, 0) => Some(format!("{running} pods are running")),
            (_, _) => Some(format!("{running} pods are running, {done} {have} succeeded")),
        }
    }

    /// Returns the newest warning Event about an object or its pods.
    pub(crate) fn newest_warning(&self, key: &ResourceKey) -> Option<String> {
        self.occurrences.iter().rev().find(|found| found.owner == *key && found.warning).map(|found| found.message.clone())
    }

    fn final_verdict(&self) -> Verdict {
        if self.is_terminated() && self.phase != OperationPhase::Succeeded {
            let text = if self.request.dry_run { "a dry run; nothing was written".to_owned() } else { self.terminated_sentence() };
            return Verdict { tone: Tone::Bad, word: "TERMINATED", text };
        }
        match self.phase {
            OperationPhase::Succeeded => Verdict { tone: Tone::Good, word: "SUCCEEDED", text: self.success_sentence() },
            OperationPhase::Failed | OperationPhase::Error | OperationPhase::Running | OperationPhase::Terminating => {
                let word = if self.phase == OperationPhase::Error { "ERROR" } else { "FAILED" };
                Verdict { tone: Tone::Bad, word, text: self.failure_sentence() }
            }
        }
    }

    fn terminated_sentence(&self) -> String {
        let by = self.terminate.as_ref().map(|(_, by)| by.as_str()).unwrap_or_default();
        if self.is_deletion() {
            return format!("terminated by {by}; {}", self.deleted_sentence());
        }
        let kept = self.results.iter().filter(|result| result.task.role == Role::Apply).count();
        let stay = match kept {
            0 => "nothing had been applied".to_owned(),
            1 => "1 applied resource stays as it is".to_owned(),
            _ => format!("{kept} applied resources stay as they are"),
        };
        format!("terminated by {by}; {stay}")
    }

    fn deleted_sentence(&self) -> String {
        match self.deleted() {
            (0, _) => "nothing was deleted".to_owned(),
            (gone, all) => format!("{gone} of {all} object{} are gone", plural(all)),
        }
    }

    fn success_sentence(&self) -> String {
        if self.is_deletion() {
            let took = self.finished_at.map(|at| short_time(at.duration_since(self.started_at))).unwrap_or_default();
            let left = self.left_behind().len();
            let stay = if left > 0 { format!("; {left} left behind") } else { String::new() };
            let (gone, _) = self.deleted();
            return format!("{gone} object{} deleted in {took}{stay}", plural(gone));
        }
        let counts = self.counts();
        if self.request.dry_run {
            return format!("dry run of {} task{}: nothing was written", counts.done, plural(counts.done));
        }
        let took = self.finished_at.map(|at| short_time(at.duration_since(self.started_at))).unwrap_or_default();
        let settling = self.settling();
        let tail = if settling.is_empty() {
            String::new()
        } else {
            format!("; still settling: {}", settling.iter().map(ResourceKey::short).collect::<Vec<_>>().join(", "))
        };
        // What settles has been applied like the others, and is done already where a later wave came after it.
        let is_done = |id: &TaskId| self.task(id).is_some_and(|task| self.row(task).stage == Stage::Done);
        let tasks = counts.done + self.settling_tasks().filter(|id| !is_done(id)).count();
        format!("{tasks} task{} in {took}{tail}", plural(tasks))
    }

    /// Returns the resources that were applied and are not healthy yet (decision 10).
    pub(crate) fn settling(&self) -> Vec<ResourceKey> {
        self.settling_tasks().map(|id| id.key.clone()).collect()
    }

    fn settling_tasks(&self) -> impl Iterator<Item = &TaskId> {
        let is_unhealthy = |id: &&TaskId| {
            self.live.get(&id.key).and_then(|live| live.assessment.status()).is_some_and(|status| status != HealthStatus::Healthy)
        };
        self.results
            .iter()
            .filter(|result| !self.request.dry_run && result.task.role == Role::Apply && result.code == ResultCode::Synced)
            .map(|result| &result.task)
            .filter(is_unhealthy)
    }

    fn failure_sentence(&self) -> String {
        let bad = |result: &&super::TaskResult| {
            matches!(result.state, TaskState::Failed | TaskState::Error) && result.task.phase != Phase::SyncFail
        };
        let Some(result) =
            self.results.iter().find(bad).or_else(|| self.results.iter().find(|result| result.code == ResultCode::SyncFailed))
        else {
            return self.message.clone();
        };
        let id = &result.task;
        let wave = self.task(id).map(|task| task.wave).unwrap_or_default();
        let exit = self.exit_sentence(&id.key).map(|text| format!(" ({text})")).unwrap_or_default();
        let dry = if self.request.dry_run { "dry run: nothing was written; " } else { "" };
        let nothing = match id.phase {
            _ if self.request.dry_run => "",
            // A finalizer goes beside the next group (decision 22), and a hook fails if it cannot be taken off.
            Phase::PreSync if self.phase_span(Phase::Sync).is_some() => "",
            Phase::PreSync => ". Nothing in Sync was applied",
            Phase::PreDelete => ". Nothing was deleted",
            Phase::Sync | Phase::PostSync | Phase::SyncFail | Phase::Delete | Phase::PostDelete => "",
        };
        format!("{dry}in {} wave {wave}: {}: {}{exit}{nothing}", id.phase, id.key.short(), result.message)
    }

    /// Returns how the pods of a hook ended: `exit 1 ×3`.
    pub(crate) fn exit_sentence(&self, key: &ResourceKey) -> Option<String> {
        let codes: Vec<i32> = self.pods_of(key).iter().filter_map(|pod| exit_code(pod)).collect();
        let last = codes.last()?;
        let same = codes.iter().filter(|code| *code == last).count();
        Some(if same > 1 { format!("exit {last} ×{same}") } else { format!("exit {last}") })
    }
}

fn exit_code(pod: &PodView) -> Option<i32> {
    pod.containers.iter().rev().find_map(|container| match &container.state {
        ContainerState::Terminated { exit_code, .. } => Some(*exit_code),
        ContainerState::Waiting { .. } | ContainerState::Running { .. } => None,
    })
}

fn container_trouble(pod: &PodView) -> Option<String> {
    pod.containers.iter().find_map(|container| match &container.state {
        ContainerState::Waiting { reason, message }
            if !reason.is_empty() && reason != "ContainerCreating" && reason != "PodInitializing" =>
        {
            Some(if message.is_empty() { reason.clone() } else { format!("{reason}: {message}") })
        }
        ContainerState::Terminated { exit_code, reason, .. } if *exit_code != 0 => {
            Some(if reason.is_empty() || reason == "Error" { format!("exit {exit_code}") } else { format!("exit {exit_code} {reason}") })
        }
        ContainerState::Waiting { .. } | ContainerState::Running { .. } | ContainerState::Terminated { .. } => None,
    })
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Writes a time as `0.4s`, `31s`, `2m05s`, `1h04m`.
pub(crate) fn short_time(time: SignedDuration) -> String {
    let millis = time.as_millis().max(0);
    let seconds = millis / 1000;
    match seconds {
        0..10 => format!("{}.{}s", seconds, millis % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_at_most_six_characters() {
        for (millis, text) in
            [(0, "0.0s"), (431, "0.4s"), (9_990, "9.9s"), (31_200, "31s"), (125_000, "2m05s"), (3_840_000, "1h04m"), (-5, "0.0s")]
        {
            assert_eq!(short_time(SignedDuration::from_millis(millis)), text);
        }
    }
}
