//! Turns the steps that the core asks for into calls to the cluster, and their answers into outcomes. Owns what surrounds a call: an
//! unknown kind is looked for again, a definition is waited for, a hook's logs are completed before it is deleted. Decides nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::captures::Captures;
use super::definitions;
use super::respect::{self, Wanted};
use super::seals::{Seals, Sent, may_be_sealed};
use crate::cluster::apply::{Applied, Before, Spot, Word};
use crate::cluster::delete::Removal;
use crate::cluster::judge::{Judged, Look};
use crate::cluster::watch::Watches;
use crate::cluster::{CallError, Cluster, Outbox, Reporter, Resource, Snapshot, hints, trial};
use crate::model::annotation::TRACKING_ID;
use crate::model::{Assessment, DeletePolicy, Live, Mode, Object, Phase, Role, Task, TaskId, Verb, kinds};
use crate::operation::{Request, Step, StepOutcome};
use crate::plan::{Kind, Plan};

/// How long an apply waits for the first list of a kind that has just appeared.
const FIRST_LIST_WITHIN: Duration = Duration::from_secs(5);

/// What all steps of one operation share.
pub(super) struct Executor {
    /// For the steps of a terminate, which nobody hurries.
    calm: Cluster,
    /// For what ends with a terminate too, but without second tries once that was asked for.
    hurried: Cluster,
    /// For what a terminate stops: nothing is sent once it was asked for.
    stoppable: Cluster,
    watches: Watches,
    captures: Arc<Captures>,
    outbox: Arc<Outbox>,
    plan: Arc<Plan>,
    request: Arc<Request>,
    /// `None`: everything is sent, changed or not.
    seals: Option<Arc<Seals>>,
}

impl Executor {
    pub(super) fn new(
        cluster: &Cluster,
        watches: Watches,
        captures: Arc<Captures>,
        outbox: Arc<Outbox>,
        plan: Arc<Plan>,
        request: Arc<Request>,
        hurry: CancellationToken,
    ) -> Self {
        let (hurried, stoppable) = (cluster.with_hurry(hurry.clone()), cluster.with_stop(hurry));
        Self { calm: cluster.clone(), hurried, stoppable, watches, captures, outbox, plan, request, seals: None }
    }

    /// Returns the same executor, which does not send what would change nothing.
    pub(super) fn with_seals(self, seals: Option<Arc<Seals>>) -> Self {
        Self { seals, ..self }
    }

    /// Performs one step.
    pub(super) async fn perform(&self, task: &Task, step: &Step) -> StepOutcome {
        let reporter = Reporter::new(&self.outbox, Some(&task.id));
        match step {
            Step::Discover => return self.discover(task).await,
            Step::Try => return self.try_out(task, &reporter).await,
            _ => {}
        }
        let resource = match self.resource(task, step).await {
            Ok(resource) => resource,
            Err(error) if *step == Step::Apply => return StepOutcome::Failed { error: self.unmapped(task).await.unwrap_or(error) },
            Err(error) => return StepOutcome::Failed { error },
        };
        let call = Call { task, resource: &resource, reporter: &reporter };
        match step {
            Step::Apply => self.apply(call).await,
            Step::Look | Step::Try | Step::Discover => self.look(call).await,
            Step::RemoveOldFinalizer { uid } => self.remove_finalizers(&self.stoppable, call, uid).await,
            // The next group does not wait for it (decision 22).
            Step::RemoveFinalizer { uid } => self.remove_finalizers(&self.hurried.aside(), call, uid).await,
            Step::TerminateFinalizer { uid } | Step::RemoveLeftFinalizer { uid } => self.remove_finalizers(&self.calm, call, uid).await,
            Step::Adopt { uid } => self.adopt(call, uid).await,
            Step::DeleteOldHook { uid } if self.plan.kind == Kind::Delete => match self.stranger(call).await {
                Some(refusal) => refusal,
                None => self.delete(&self.stoppable, call, uid).await,
            },
            Step::Prune { uid } => {
                if let Some(hook) = self.hook_of(task, uid) {
                    self.captures.complete(hook, uid).await;
                }
                self.delete(&self.stoppable, call, uid).await
            }
            Step::DeleteOldHook { uid } => self.delete(&self.stoppable, call, uid).await,
            Step::TerminateDelete { uid } => self.delete(&self.calm, call, uid).await,
            Step::DeleteHook { uid, .. } => {
                // What the pods of a leftover printed is another operation's story.
                if self.watches.has_created(&task.id.key, uid) {
                    self.captures.complete(task, uid).await;
                }
                self.delete(&self.calm, call, uid).await
            }
        }
    }

    async fn resource(&self, task: &Task, step: &Step) -> Result<Resource, String> {
        let gvk = task.gvk();
        if let Some(resource) = self.calm.known_resource(&gvk) {
            return Ok(resource);
        }
        let resource = if definitions::is_planned(&self.plan, &gvk) {
            definitions::served_soon(&self.calm, &gvk).await?
        } else {
            self.calm.resource(&gvk).await?
        };
        if *step == Step::Apply {
            self.watch_new(&resource).await;
        }
        Ok(resource)
    }

    /// Returns the sentence about a manifest whose kind nobody serves, as kubectl says it; `None` if that is not why it cannot be applied.
    async fn unmapped(&self, task: &Task) -> Option<String> {
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

    /// Waits for the first list of a kind that has just appeared.
    async fn watch_new(&self, resource: &Resource) {
        let clock = self.calm.clock();
        tokio::select! {
            biased;
            () = self.watches.kind_appeared(resource) => {}
            () = clock.sleep(FIRST_LIST_WITHIN) => tracing::warn!("the first list of {} is late", resource.gvk),
        }
    }

    /// Asks anew whether a kind is served that was not before (spec R608).
    async fn discover(&self, task: &Task) -> StepOutcome {
        let gvk = task.gvk();
        self.calm.forget_group(&gvk.group);
        match self.calm.resource(&gvk).await {
            Ok(resource) => {
                self.watch_new(&resource).await;
                StepOutcome::Done { message: String::new(), live: None }
            }
            Err(error) => StepOutcome::Failed { error },
        }
    }

    /// What an apply would do, by a dry run of the server. What only the server finds would fail in the real run alone, in Argo CD
    /// too, so here it is told and does not change the outcome (spec R707, R1318, R1547).
    async fn try_out(&self, task: &Task, reporter: &Reporter) -> StepOutcome {
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
        if let Some(spared) = self.spared(task, Sent { target: &target, mode }, &before) {
            return tried(spared.word);
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

    async fn apply(&self, call: Call<'_>) -> StepOutcome {
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
        match self.stoppable.apply(call.spot(), &target, &before, mode, call.reporter).await {
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
            Err(CallError::Unsent) => StepOutcome::Unsent,
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

    async fn look(&self, call: Call<'_>) -> StepOutcome {
        match self.calm.get(call.spot(), call.reporter).await {
            Ok(Some(object)) => {
                let Judged { live, open } = self.calm.judge().judged(&object, Look::One).await;
                // No watch may ever bring it again.
                if open.is_some() {
                    self.watches.written(&call.task.id.key, &object, &live);
                    self.watches.ask_again(&call.task.id.key, &object, open);
                }
                StepOutcome::Done { message: String::new(), live: Some(Box::new(live)) }
            }
            Ok(None) => StepOutcome::Gone,
            Err(error) => failed(&error),
        }
    }

    /// Takes over a hook of an earlier deletion, seen directly: a view that lags must not let the deletion go on (spec R1111).
    async fn adopt(&self, call: Call<'_>, uid: &str) -> StepOutcome {
        let object = match self.calm.get(call.spot(), call.reporter).await {
            Ok(Some(object)) if object.text(&["metadata", "uid"]) == uid => object,
            Ok(_) => return StepOutcome::Gone,
            Err(error) => return failed(&error),
        };
        if let Some(refusal) = refused_stranger(call.task, &object) {
            return refusal;
        }
        self.watches.hook_created(&call.task.id.key, uid);
        let message = "still running since an earlier deletion".to_owned();
        StepOutcome::Done { message, live: Some(Box::new(self.calm.judge().live(&object).await)) }
    }

    /// Returns the refusal to touch what has the name of a hook and belongs to somebody else.
    async fn stranger(&self, call: Call<'_>) -> Option<StepOutcome> {
        match self.calm.get(call.spot(), call.reporter).await {
            Ok(object) => refused_stranger(call.task, &object?),
            Err(error) => Some(failed(&error)),
        }
    }

    /// Returns the hook of this operation whose object is deleted with the app.
    fn hook_of(&self, task: &Task, uid: &str) -> Option<&Task> {
        let id = TaskId { phase: Phase::PreDelete, key: task.id.key.clone(), role: Role::Hook };
        self.plan.task(&id).filter(|_| self.watches.has_created(&task.id.key, uid))
    }

    async fn remove_finalizers(&self, cluster: &Cluster, call: Call<'_>, uid: &str) -> StepOutcome {
        let known = self.watches.snapshot(&call.task.id.key);
        match cluster.remove_hook_finalizers(call.spot(), uid, known, call.reporter).await {
            Ok(removal) => self.removed(removal).await,
            Err(error) => StepOutcome::Failed { error },
        }
    }

    async fn delete(&self, cluster: &Cluster, call: Call<'_>, uid: &str) -> StepOutcome {
        match cluster.delete(call.spot(), uid, self.request.options.propagation(), call.reporter).await {
            Ok(removal) => self.removed(removal).await,
            Err(error) => failed(&error),
        }
    }

    async fn removed(&self, removal: Removal) -> StepOutcome {
        match removal {
            Removal::Done(object) => {
                let live = match object {
                    Some(object) => Some(Box::new(self.calm.judge().live(&object).await)),
                    None => None,
                };
                StepOutcome::Done { message: String::new(), live }
            }
            Removal::Gone => StepOutcome::Gone,
            Removal::Unsent => StepOutcome::Unsent,
        }
    }
}

/// An object that is not sent: what is said of it, and how it is.
struct Spared {
    word: Word,
    live: Live,
}

#[derive(Clone, Copy)]
struct Call<'a> {
    task: &'a Task,
    resource: &'a Resource,
    reporter: &'a Reporter,
}

impl Call<'_> {
    fn spot(&self) -> Spot<'_> {
        let key = &self.task.id.key;
        Spot { resource: self.resource, namespace: &key.namespace, name: &key.name }
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

fn failed(error: &CallError) -> StepOutcome {
    match error {
        CallError::Unsent => StepOutcome::Unsent,
        CallError::Refused { .. }
        | CallError::Lost(_)
        | CallError::Unreachable(_)
        | CallError::TimedOut
        | CallError::Credentials(_)
        | CallError::Withheld(_)
        | CallError::Unreadable(_) => StepOutcome::Failed { error: error.to_string() },
    }
}

fn unwatched(live: Live) -> Live {
    Live { assessment: Assessment::NoRule, generation: None, observed_generation: None, ..live }
}

fn refused_stranger(task: &Task, object: &Object) -> Option<StepOutcome> {
    let own = task.target.as_ref()?.annotation(TRACKING_ID);
    let error = || format!("{} exists and does not belong to this app", task.id.key);
    (object.annotation(TRACKING_ID) != own).then(|| StepOutcome::Failed { error: error() })
}
