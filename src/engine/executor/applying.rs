//! Applying a target, and trying it: what is sent, what need not be sent, and what is said of a refusal. Knows nothing of deletions, and
//! decides nothing that the core decides.

use super::super::definitions;
use super::super::respect::{self, Wanted};
use super::super::seals::{Sent, may_be_sealed};
use super::{Call, Executor, failed};
use crate::cluster::apply::{Applied, Before, Word, Writing};
use crate::cluster::judge::{Judged, Look};
use crate::cluster::{CallError, Reporter, Snapshot, hints, trial};
use crate::model::{Assessment, DeletePolicy, Live, Mode, Object, Task, Verb, kinds};
use crate::operation::StepOutcome;

/// An object that is not sent: what is said of it, and how it is.
struct Spared {
    word: Word,
    live: Live,
}

impl Executor {
    /// Returns the sentence about a manifest whose kind nobody serves, as kubectl says it; `None` if that is not why it cannot be applied.
    pub(super) async fn unmapped(&self, task: &Task) -> Option<String> {
        let gvk = task.gvk();
        let None = self.calm.in_version(&gvk).await.ok()? else { return None };
        let key = &task.id.key;
        let place = task.origin.as_ref().map(|origin| format!(" from \"{}\"", origin.file)).unwrap_or_default();
        Some(format!(
            "resource mapping not found for name: \"{}\" namespace: \"{}\"{place}: no matches for kind \"{}\" in version \"{}\"\nensure CRDs are installed first",
            key.name,
            key.namespace,
            gvk.kind,
            gvk.api_version()
        ))
    }

    /// What an apply would do, by a dry run of the server. What only the server finds would fail in the real run alone, in Argo CD
    /// too, so here it is told and does not change the outcome (spec R707, R1318, R1547).
    pub(super) async fn try_out(&self, task: &Task, reporter: &Reporter) -> StepOutcome {
        let key = &task.id.key;
        let Some(target) = &task.target else { return StepOutcome::Failed { error: format!("{key} has no target to apply") } };
        let tried = |word: Word| {
            let message = format!("{} (dry run)", Applied { object: target.clone(), word }.message());
            StepOutcome::Done { message, live: None }
        };
        // A kind that is not served although the plan is valid comes with this sync.
        let Some(resource) = self.calm.known_resource(&task.gvk()) else { return tried(Word::Created) };
        let call = Call { task, resource: &resource, reporter };
        let Wanted { target, before, .. } = match self.wanted(call, target).await {
            Ok(wanted) => wanted,
            Err(error) => return failed(&error),
        };
        let mode = self.mode(task, &before);
        if self.spared(task, Sent { target: &target, mode }, &before).is_some() {
            return tried(Word::Unchanged);
        }
        mode.idle().into_iter().for_each(|text| reporter.warn(text.to_owned()));
        match self.stoppable.try_apply(call.spot(), &target, &before, mode).await {
            Ok(word) => tried(word),
            Err(CallError::Refused { message, .. }) => {
                // The old object of a hook goes first, so what cannot be changed in it does not matter.
                let is_replaced = task.delete_policies().contains(&DeletePolicy::BeforeHookCreation) && before != Before::Absent;
                if !is_replaced {
                    reporter.warn(format!("the API server would refuse it: {message}"));
                }
                tried(trial::likely(call.spot(), &before, mode))
            }
            Err(error) => failed(&error),
        }
    }

    pub(super) async fn apply(&self, call: Call<'_>) -> StepOutcome {
        let key = &call.task.id.key;
        let Some(target) = &call.task.target else { return StepOutcome::Failed { error: format!("{key} has no target to apply") } };
        let Wanted { target, before, .. } = match self.wanted(call, target).await {
            Ok(wanted) => wanted,
            Err(error) => return failed(&error),
        };
        let mode = self.mode(call.task, &before);
        let sent = Sent { target: &target, mode };
        if let Some(Spared { word, live }) = self.spared(call.task, sent, &before) {
            let message = Applied { object: target, word }.message();
            return StepOutcome::Done { message, live: Some(Box::new(live)) };
        }
        let writing = Writing { spot: call.spot(), target: &target, mode, reporter: call.reporter };
        match self.stoppable.apply(writing, &before).await {
            Ok(applied) => {
                let Judged { live, open } = self.calm.judge().judged(&applied.object, Look::One).await;
                self.note(call.task, sent, &applied, &live);
                self.watches.ask_again(key, &applied.object, open);
                say_if_reused(call, &before, &applied);
                if key.is_definition() {
                    self.calm.forget_group(target.text(&["spec", "group"]));
                    definitions::wait_until_established(&self.hurried, call.spot(), call.reporter).await;
                }
                // Nobody watches an object by a name that only the server knew (spec R307), so nobody waits for it either.
                let live = if key.name.is_empty() { unwatched(live) } else { live };
                StepOutcome::Done { message: applied.message(), live: Some(Box::new(live)) }
            }
            Err(error @ (CallError::Unsent | CallError::Unsure(_))) => failed(&error),
            Err(error) => StepOutcome::Failed { error: self.refused(call.task, &error).await },
        }
    }

    /// Returns what is sent for a target, and what is there before it. The watch does not keep whole objects, so a live one is read.
    async fn wanted(&self, call: Call<'_>, target: &Object) -> Result<Wanted, CallError> {
        let rules = respect::rules(&self.request, call.task);
        if rules.is_empty() {
            return Ok(Wanted { target: target.clone(), before: self.before(call).await?, problems: Vec::new() });
        }
        let wanted = respect::wanted(&self.stoppable, call.spot(), (target, &rules), call.reporter).await?;
        wanted.problems.iter().for_each(|problem| call.reporter.warn(problem.clone()));
        Ok(wanted)
    }

    /// Returns what is there before a write, from the watch if it knows.
    async fn before(&self, call: Call<'_>) -> Result<Before, CallError> {
        match self.watches.before(&call.task.id.key, call.resource) {
            Before::Unknown => self.stoppable.look_before(call.spot()).await,
            known @ (Before::Absent | Before::Present(_)) => Ok(known),
        }
    }

    fn mode(&self, task: &Task, before: &Before) -> Mode {
        Mode::of(&self.request.options, self.request.force, &task.traits.options, before.options())
    }

    /// Returns the text of a failed apply; a kind that has gone since the plan was made is named (spec R1312).
    async fn refused(&self, task: &Task, error: &CallError) -> String {
        if !hints::is_unknown_kind(error) {
            return hints::explained(error);
        }
        let gvk = task.gvk();
        self.calm.forget_group(&gvk.group);
        let served = self.calm.served(&gvk).await.ok().flatten().map(|resource| resource.gvk.version);
        kinds::missing(&task.id.key, &gvk.version, served.as_deref().filter(|served| **served != *gvk.version))
    }

    /// What this very apply has made of an object need not be sent again as long as nobody has changed it.
    fn spared(&self, task: &Task, sent: Sent<'_>, before: &Before) -> Option<Spared> {
        let Before::Present(snapshot) = before else { return None };
        self.seals.as_ref().filter(|seals| seals.spare(task, sent, snapshot))?;
        let live = self.watches.live_as(&task.id.key, snapshot)?;
        let word = if sent.mode.verb == Verb::ServerSideApply { Word::ServersideApplied } else { Word::Unchanged };
        Some(Spared { word, live })
    }

    fn note(&self, task: &Task, sent: Sent<'_>, applied: &Applied, live: &Live) {
        self.watches.written(&task.id.key, &applied.object, live);
        if let Some(seals) = self.seals.as_ref().filter(|_| may_be_sealed(task, sent.mode)) {
            seals.put(&task.id.key, sent, Snapshot::of(applied.object.wire()).content());
        }
        if task.is_hook() {
            self.watches.hook_created(&task.id.key, applied.object.text(&["metadata", "uid"]));
        }
    }
}

/// A hook that is applied over its old object does not run again (spec R308, R1507).
fn say_if_reused(call: Call<'_>, before: &Before, applied: &Applied) {
    let is_same = matches!(before, Before::Present(old) if *old.uid == *applied.object.text(&["metadata", "uid"]));
    if call.task.is_hook() && is_same {
        let text = "did not run again: the object of an earlier run is still there, and its outcome counts; the delete policy BeforeHookCreation makes it run each time";
        call.reporter.warn(text.to_owned());
    }
}

fn unwatched(live: Live) -> Live {
    Live { assessment: Assessment::NoRule, generation: None, observed_generation: None, ..live }
}
