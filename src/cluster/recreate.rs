//! Deleting an object and creating it again, because what has to change cannot be changed (spec R709, R712, R713), or because it is on its
//! way out already (spec R1503). Owns the wait for its disappearance.

use std::time::Duration;

use jiff::SignedDuration;

use super::apply::{Applied, Before, Spot, Word, Writing};
use super::beside::Anew;
use super::live::finalizers;
use super::unsure::is_of_this_operation;
use super::wire::CallError;
use super::{Cluster, Reporter};
use crate::model::{Mode, Object, Propagation, Verb};

/// How long an object may take to disappear. Its pods may take their whole grace period.
const GONE_WITHIN: SignedDuration = SignedDuration::from_mins(5);
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Cluster {
    /// Deletes the object with this uid, waits until it is gone, and has the new one created.
    pub(super) async fn recreate<Fut>(
        &self,
        spot: Spot<'_>,
        uid: &str,
        reporter: &Reporter,
        create: impl FnOnce() -> Fut,
    ) -> Result<Applied, CallError>
    where
        Fut: Future<Output = Result<Applied, CallError>>,
    {
        self.delete(spot, uid, Propagation::Foreground, reporter).await?;
        self.wait_until_gone(spot, uid, reporter).await?;
        create().await.map_err(bereaved)
    }

    /// Takes the place of an object that the server refuses to change, if that is allowed and of use.
    pub(super) async fn supersede(&self, writing: Writing<'_>, refusal: CallError) -> Result<Applied, CallError> {
        let Writing { spot, reporter, .. } = writing;
        let Some(Superseded { live, why, .. }) = self.superseded(writing, &refusal).await? else { return Err(refusal) };
        reporter.warn(format!("{refusal}; deleting it and creating it again ({why})"));
        let uid = live.text(&["metadata", "uid"]);
        let applied = self.recreate(spot, uid, reporter, || self.merge(writing, &Before::Absent)).await?;
        Ok(Applied { word: Word::Configured, ..applied })
    }

    /// Returns the object that has to go for the target, and why it may; `None` if the refusal stands, also because the server would
    /// refuse the new object as well.
    pub(super) async fn superseded(&self, writing: Writing<'_>, refusal: &CallError) -> Result<Option<Superseded>, CallError> {
        let Writing { spot, target, mode, .. } = writing;
        let is_binding = is_binding(spot, mode);
        if !matches!(refusal.code(), Some(409 | 422)) || !(mode.force || is_binding) {
            return Ok(None);
        }
        let Some(live) = self.get(spot, &Reporter::default()).await? else { return Ok(None) };
        let why = if is_binding && is_about_role(refusal) && role(&live) != role(target) {
            "the role of a binding cannot be changed"
        } else if mode.force {
            "force"
        } else {
            return Ok(None);
        };
        if is_of_this_operation(&live, target) {
            return Ok(None);
        }
        let anew = self.create_beside(spot, target, mode).await;
        if anew.as_ref().is_err_and(|again| is_of_no_use(again, refusal, mode.force)) {
            return Ok(None);
        }
        Ok(Some(Superseded { live, why, anew: Anew::of(anew)? }))
    }

    /// Waits for a hook's old object that somebody else deletes, then creates the hook (spec R309, R1503).
    pub(super) async fn succeed(&self, writing: Writing<'_>, refusal: CallError) -> Result<Applied, CallError> {
        let Writing { spot, target, reporter, .. } = writing;
        if let Some(live) = self.get(spot, reporter).await? {
            if is_of_this_operation(&live, target) {
                return Err(refusal);
            }
            self.wait_until_gone(spot, live.text(&["metadata", "uid"]), reporter).await?;
        }
        self.merge(writing, &Before::Absent).await
    }

    /// Waits until an object of this uid does not exist any more.
    pub(super) async fn wait_until_gone(&self, spot: Spot<'_>, uid: &str, reporter: &Reporter) -> Result<(), CallError> {
        let clock = self.clock();
        let began = clock.now();
        let mut pause = FIRST_LOOK;
        let mut is_told = false;
        loop {
            let Some(object) = self.get(spot, reporter).await?.filter(|object| object.text(&["metadata", "uid"]) == uid) else {
                return Ok(());
            };
            let waited = clock.now().duration_since(began);
            let stuck = || format!("{} is being deleted and not gone yet{}", spot.title(), held(&object));
            if waited >= GONE_WITHIN {
                return Err(CallError::Withheld(format!("{}, {} s after its deletion was asked for", stuck(), waited.as_secs())));
            }
            if !is_told && waited >= SignedDuration::from_secs(5) {
                is_told = true;
                reporter.warn(stuck());
            }
            tokio::select! {
                biased;
                () = self.hurry.cancelled() => return Err(CallError::Withheld(format!("{}: the operation was terminated", stuck()))),
                () = clock.sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// What has to go for a target.
pub(super) struct Superseded {
    live: Object,
    why: &'static str,
    pub(super) anew: Anew,
}

/// The old object would be deleted for nothing if the server then refuses the new one for the same reason; where nobody wanted force,
/// for whatever reason.
fn is_of_no_use(again: &CallError, refusal: &CallError, is_forced: bool) -> bool {
    let (CallError::Refused { message: new, causes: new_causes, .. }, CallError::Refused { message: old, causes, .. }) = (again, refusal)
    else {
        return !is_forced;
    };
    !is_forced || new == old || new_causes.iter().any(|field| causes.contains(field))
}

/// Returns whether an object binds a role that may become another one by way of a new binding, as `kubectl auth reconcile` does it, which
/// belongs to client-side apply (spec R709).
fn is_binding(spot: Spot<'_>, mode: Mode) -> bool {
    let gvk = &spot.resource.gvk;
    mode.verb == Verb::Apply
        && (&*gvk.group, &*gvk.version) == ("rbac.authorization.k8s.io", "v1")
        && matches!(&*gvk.kind, "RoleBinding" | "ClusterRoleBinding")
}

/// Returns whether the server refused a change of the role, and nothing else may be the reason to make a binding anew.
fn is_about_role(refusal: &CallError) -> bool {
    matches!(refusal, CallError::Refused { code: 422, message, .. } if message.contains("roleRef"))
}

/// Kind and name of the role that is bound; its group may be left out, and there is only one.
fn role(binding: &Object) -> [&str; 2] {
    ["kind", "name"].map(|field| binding.text(&["roleRef", field]))
}

/// Returns whether the server refused because the object is on its way out.
pub(super) fn is_leaving(refusal: &CallError) -> bool {
    matches!(refusal, CallError::Refused { code: 422, message, .. } if message.contains("no new finalizers can be added if the object is being deleted"))
}

/// Returns what keeps an object in deletion.
fn held(object: &Object) -> String {
    match &finalizers(object.wire())[..] {
        [] => String::new(),
        names => format!(" (finalizers: {})", names.join(", ")),
    }
}

/// Says beside an error that the old object is gone for it.
fn bereaved(error: CallError) -> CallError {
    let more = "; the object that was there has been deleted for it";
    match error {
        CallError::Refused { code, reason, message, causes, retry_after } => {
            CallError::Refused { code, reason, message: format!("{message}{more}"), causes, retry_after }
        }
        CallError::Unsure(text) => CallError::Unsure(format!("{text}{more}")),
        CallError::Lost(_)
        | CallError::Unreachable(_)
        | CallError::TimedOut
        | CallError::Credentials(_)
        | CallError::Unsent
        | CallError::Withheld(_)
        | CallError::Unreadable(_) => CallError::Withheld(format!("{error}{more}")),
    }
}

#[cfg(test)]
mod tests;
