//! What to do when nobody knows whether an object was created: it is looked for before anything is sent again (decision 23), and what could
//! run twice is not sent again at all. Owns the search and its sentence; the calls themselves are made elsewhere.

use std::time::Duration;

use jiff::SignedDuration;

use super::apply::{Before, Spot};
use super::wire::CallError;
use super::{Cluster, Reporter};
use crate::model::Object;
use crate::model::annotation::{OPERATION_LABEL, TRACKING_ID, is_hook_finalizer};

const OPERATION: [&str; 3] = ["metadata", "labels", OPERATION_LABEL];
const TRACKING: [&str; 3] = ["metadata", "annotations", TRACKING_ID];
/// A request that was cut off may still be on its way through the server.
const LOOKS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// Returns whether a target is a hook of an operation.
pub(super) fn is_hook(target: &Object) -> bool {
    !target.text(&OPERATION).is_empty()
}

/// Returns whether a live object is a hook that this very operation has created: it must not run again.
pub(super) fn is_of_this_operation(live: &Object, target: &Object) -> bool {
    bears_mark(live, target, OPERATION)
}

fn bears_mark(live: &Object, target: &Object, mark: [&str; 3]) -> bool {
    let wanted = target.text(&mark);
    !wanted.is_empty() && live.text(&mark) == wanted
}

/// Returns whether a target sent a second time could run a second time, because its absence does not prove that it has not run: nothing
/// holds its object until its end has been seen, and it is a hook (spec R214: those of a deletion carry no finalizer), or a Job that was
/// not there and that its time to live takes away.
pub(super) fn could_run_twice(target: &Object, before: &Before) -> bool {
    let finalizers = target.wire().pointer("/metadata/finalizers").and_then(serde_json::Value::as_array);
    let is_held = finalizers.into_iter().flatten().filter_map(serde_json::Value::as_str).any(is_hook_finalizer);
    (is_hook(target) || *before == Before::Absent && has_time_to_live(target)) && !is_held
}

fn has_time_to_live(target: &Object) -> bool {
    let gvk = target.gvk();
    (&*gvk.group, &*gvk.kind) == ("batch", "Job")
        && target.wire().pointer("/spec/ttlSecondsAfterFinished").is_some_and(|time| !time.is_null())
}

impl Cluster {
    /// Returns the object that was created although its answer was lost: a hook is told by this operation's label, anything else by this
    /// app's tracking id.
    pub(super) async fn created_by_us(&self, spot: Spot<'_>, target: &Object) -> Option<Object> {
        let mark = if is_hook(target) { OPERATION } else { TRACKING };
        let found = self.get(spot, &Reporter::default()).await.ok()??;
        bears_mark(&found, target, mark).then_some(found)
    }

    /// Looks for what could run twice, after `error` left open whether it was created.
    ///
    /// # Errors
    /// It was not found: a sentence that says what is not known.
    pub(super) async fn seek(&self, spot: Spot<'_>, target: &Object, error: &CallError, reporter: &Reporter) -> Result<Object, CallError> {
        let title = spot.title();
        reporter.warn(format!("creating {title}: {error}; looking whether it is there"));
        let clock = self.clock();
        let began = clock.now();
        for look in 0..LOOKS {
            let is_hurried = tokio::select! {
                biased;
                () = self.hurry.cancelled() => true,
                () = clock.sleep(FIRST_PAUSE * 2_u32.pow(look)) => false,
            };
            if let Some(object) = self.created_by_us(spot, target).await {
                return Ok(object);
            }
            // Each look may itself have taken long.
            if is_hurried || clock.now().duration_since(began) > WITHIN {
                break;
            }
        }
        Err(CallError::Unsure(format!(
            "it is not known whether {title} was created and has run: {error}; it is not sent again, because it could run twice: look for what it has done, then start the operation again"
        )))
    }
}

#[cfg(test)]
mod tests;
