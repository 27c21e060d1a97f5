//! Health of Job and CronJob (spec R413, R415).

use serde_json::Value;

use super::read::{conditions, field, flag, list, text};
use super::{Verdict, degraded, healthy, progressing, suspended};

/// Looks at condition types only; a status counts for `Suspended` alone. So a Job that was resumed (`Suspended` with
/// status False) is Healthy before it has finished, as in Argo CD (spec R413).
pub(super) fn job(object: &Value) -> Verdict {
    let (mut failure, mut end, mut is_suspended) = (None, None, false);
    for condition in conditions(object)? {
        match condition.kind {
            "Failed" => failure = Some(condition.message),
            "Complete" => end = Some(condition.message),
            "Suspended" => {
                end = Some(condition.message);
                is_suspended |= condition.status == "True";
            }
            _ => {}
        }
    }
    match (failure, end) {
        (Some(message), _) => degraded(message),
        (None, Some(message)) if is_suspended => suspended(message),
        (None, Some(message)) => healthy(message),
        (None, None) => progressing(""),
    }
}

pub(super) fn cron_job(object: &Value) -> Verdict {
    if flag(object, &["spec", "suspend"])? {
        return healthy("CronJob is Suspended");
    }
    if field(object, &["status"])?.is_none() {
        return progressing("Waiting for CronJob");
    }
    let scheduled = text(object, &["status", "lastScheduleTime"])?;
    let succeeded = text(object, &["status", "lastSuccessfulTime"])?;
    if scheduled.is_empty() {
        healthy("CronJob has not been scheduled yet")
    } else if succeeded.is_empty() {
        healthy("The CronJob never completed successfully. It may not be healthy")
    } else if !list(object, &["status", "active"])?.is_empty() {
        healthy("The job is running. Its last execution may not have been successful")
    } else if succeeded < scheduled {
        // Both are written in UTC with whole seconds, so text order is the order in time.
        degraded("CronJob has not completed its last execution successfully")
    } else {
        healthy("CronJob has completed its last execution successfully")
    }
}
