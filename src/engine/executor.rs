//! Turns the steps that the core asks for into calls to the cluster, and their answers into outcomes. Owns what surrounds a call: an
//! unknown kind is looked for again, a definition is waited for, a hook's logs are completed before it is deleted. Decides nothing.

mod applying;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::captures::Captures;
use super::definitions;
use super::seals::Seals;
use crate::cluster::apply::Spot;
use crate::cluster::delete::Removal;
use crate::cluster::judge::{Judged, Look};
use crate::cluster::watch::Watches;
use crate::cluster::{CallError, Cluster, Outbox, Reporter, Resource};
use crate::model::annotation::TRACKING_ID;
use crate::model::{Object, Phase, Role, Task, TaskId};
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

/// What an operation acts, sees and speaks with.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) cluster: Cluster,
    pub(super) watches: Watches,
    pub(super) captures: Arc<Captures>,
    pub(super) outbox: Arc<Outbox>,
}

impl Executor {
    pub(super) fn new(means: Means, plan: Arc<Plan>, request: Arc<Request>, hurry: CancellationToken) -> Self {
        let Means { cluster: calm, watches, captures, outbox } = means;
        let (hurried, stoppable) = (calm.with_hurry(hurry.clone()), calm.with_stop(hurry));
        Self { calm, hurried, stoppable, watches, captures, outbox, plan, request, seals: None }
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
            Step::Prune { uid } => {
                if let Some(hook) = self.hook_of(task, uid) {
                    self.captures.complete(hook, uid).await;
                }
                self.delete(&self.stoppable, call, uid).await
            }
            Step::DeleteOldHook { uid } => self.delete_old_hook(call, uid).await,
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

    /// A deletion finds the objects of its hooks by their names alone.
    async fn delete_old_hook(&self, call: Call<'_>, uid: &str) -> StepOutcome {
        let refusal = if self.plan.kind == Kind::Delete { self.stranger(call).await } else { None };
        match refusal {
            Some(refusal) => refusal,
            None => self.delete(&self.stoppable, call, uid).await,
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

fn failed(error: &CallError) -> StepOutcome {
    match error {
        CallError::Unsent => StepOutcome::Unsent,
        CallError::Unsure(error) => StepOutcome::Unsettled { error: error.clone() },
        CallError::Refused { .. }
        | CallError::Lost(_)
        | CallError::Unreachable(_)
        | CallError::TimedOut
        | CallError::Credentials(_)
        | CallError::Withheld(_)
        | CallError::Unreadable(_) => StepOutcome::Failed { error: error.to_string() },
    }
}

fn refused_stranger(task: &Task, object: &Object) -> Option<StepOutcome> {
    let own = task.target.as_ref()?.annotation(TRACKING_ID);
    let error = || format!("{} exists and does not belong to this app", task.id.key);
    (object.annotation(TRACKING_ID) != own).then(|| StepOutcome::Failed { error: error() })
}
