//! Chapters 16.I and 16.J: terminate, limits of time, attempts.

use std::time::Duration;

use super::policies::three;
use super::{ALL_RUN, Act, Call, Refusal, Scenario, sync};
use crate::model::{HealthStatus, OperationPhase};
use crate::operation::tests::spec::{Fate, Spec, hook, pod_hook, resource};
use crate::operation::{Limits, Request, Retry};

const TERMINATED: &str = "Operation terminated";

pub(crate) fn t129_r903_terminate_without_hooks() -> Scenario {
    sync([resource("Deployment", "d").fate(Fate::Never), resource("ConfigMap", "late").wave(1)])
        .when("waiting for healthy state of apps/Deployment/d")
        .act(Act::Terminate)
        .fails(TERMINATED)
        .results(["Sync Deployment/d Synced Running"])
        .left(["Deployment/d"])
}

pub(crate) fn t130_r603_r905_r906_r909_every_running_hook_is_ended_whatever_its_policy() -> Scenario {
    sync(three(&Fate::Never).into_iter().chain([resource("Pod", "my-pod")]))
        .after(5)
        .act(Act::Terminate)
        .fails(TERMINATED)
        .results([
            "Sync Pod/hook-1 Synced Failed",
            "Sync Pod/hook-2 Synced Failed",
            "Sync Pod/hook-3 Synced Failed",
            "Sync Pod/my-pod Synced Succeeded",
        ])
        .said(["Pod/hook-1: Terminated", "Pod/hook-2: Terminated", "Pod/hook-3: Terminated"])
}

pub(crate) fn t132_r904_hooks_that_are_over_only_lose_their_finalizers() -> Scenario {
    sync([
        pod_hook("a", "Sync").policy("HookFailed").fate(Fate::Is(HealthStatus::Healthy, "")),
        pod_hook("b", "Sync").policy("HookFailed").fate(Fate::Is(HealthStatus::Degraded, "no")),
        pod_hook("c", "Sync").policy("HookFailed").fate(Fate::Unclear("script")),
        pod_hook("endless", "Sync").fate(Fate::Never),
    ])
    .after(3)
    .results(["Sync Pod/a Synced Succeeded", "Sync Pod/b Synced Failed", "Sync Pod/c Synced Error", "Sync Pod/endless Synced Running"])
    .act(Act::Terminate)
    .fails(TERMINATED)
    .results(["Sync Pod/a Synced Succeeded", "Sync Pod/b Synced Failed", "Sync Pod/c Synced Error", "Sync Pod/endless Synced Failed"])
}

/// Ours tries once more before it gives up.
pub(crate) fn t133_r905_a_finalizer_that_cannot_be_removed_makes_the_end_an_error_and_the_hook_is_not_deleted() -> Scenario {
    let refusal = Refusal { call: Call::Unlock, short: "Job/h", error: Some("no") };
    sync([hook("h", "PreSync").fate(Fate::Never)])
        .when("waiting for completion of hook batch/Job/h")
        .act(Act::Refuse(refusal))
        .act(Act::Terminate)
        .ends(OperationPhase::Error, "Operation termination had errors")
        .results(["PreSync Job/h Synced Error"])
        .calls(["apply Job/h", "unlock running Job/h", "unlock Job/h"])
        .locked(["Job/h"])
        .left(["Job/h"])
}

fn retrying(limit: u32, specs: impl IntoIterator<Item = Spec>) -> Scenario {
    let retry = Retry { limit: Some(limit), duration: Duration::from_secs(1), ..Retry::default() };
    sync(specs).asked(Request { retry, ..Request::default() })
}

pub(crate) fn t136_r907_a_terminated_operation_is_never_retried() -> Scenario {
    retrying(10, [hook("migrate", "PreSync").fate(Fate::Never)])
        .when("waiting for completion of hook batch/Job/migrate")
        .act(Act::Terminate)
        .fails(TERMINATED)
        .told(["waiting for completion of hook batch/Job/migrate", TERMINATED])
}

pub(crate) fn t137_r911_an_operation_that_lasts_too_long_is_terminated_and_says_why() -> Vec<Scenario> {
    let limited = |seconds, fate, retry| {
        let limits = Limits { operation: Some(Duration::from_secs(seconds)), ..Limits::default() };
        let specs = [hook("migrate", "PreSync").fate(fate), resource("ConfigMap", "c"), hook("alert", "SyncFail")];
        sync(specs).asked(Request { limits, retry, ..Request::default() })
    };
    let retry = Retry { limit: None, duration: Duration::from_secs(10), factor: 1, ..Retry::default() };
    vec![
        limited(60, Fate::Healthy(30), Retry::default()).succeeds(ALL_RUN),
        limited(60, Fate::Never, Retry::default())
            .after(55)
            .saying("waiting for completion of hook batch/Job/migrate")
            .fails("Operation terminated, triggered by controller sync timeout")
            .results(["PreSync Job/migrate Synced Failed"]),
        // Counted from the first attempt.
        limited(16, Fate::Degraded(1), retry).fails("Operation terminated, triggered by controller sync timeout (retried 1 times)."),
    ]
}

pub(crate) fn t140_r1007_an_attempt_begins_without_the_results_of_the_last_one() -> Scenario {
    retrying(1, [resource("ConfigMap", "a")])
        .refuses(Call::Apply, "ConfigMap/a", "no")
        .when("one or more objects failed to apply, reason: no. Retrying attempt #1*")
        .results(["Sync ConfigMap/a SyncFailed Failed"])
        .act(Act::Relent)
        .when("Retrying operation. Attempt #1")
        .results([])
        .succeeds(ALL_RUN)
        .results(["Sync ConfigMap/a Synced Running"])
}

pub(crate) fn t139_t141_r1004_r1005_nothing_happens_before_the_pause_is_over() -> Scenario {
    let retry = Retry { limit: Some(1), duration: Duration::from_secs(3_000), max_duration: Duration::ZERO, ..Retry::default() };
    sync([resource("ConfigMap", "a").fate(Fate::Refused)])
        .asked(Request { retry, ..Request::default() })
        .when("one or more objects failed to apply, reason: a refused. Retrying attempt #1*")
        .after(2_990)
        .calls(["apply ConfigMap/a"])
        .fails("one or more objects failed to apply, reason: a refused (retried 1 times).")
        .calls(["apply ConfigMap/a", "apply ConfigMap/a"])
}

pub(crate) fn t143_r1010_a_hook_that_always_fails_is_tried_again_as_often_as_asked_for_and_then_it_is_said_how_often() -> Scenario {
    retrying(2, [hook("migrate", "PreSync").fate(Fate::Degraded(1)), resource("ConfigMap", "c")])
        .fails("one or more synchronization tasks completed unsuccessfully (retried 2 times).")
        .calls([
            "apply Job/migrate",
            "unlock Job/migrate",
            "delete old Job/migrate",
            "apply Job/migrate",
            "unlock Job/migrate",
            "delete old Job/migrate",
            "apply Job/migrate",
            "unlock Job/migrate",
        ])
        .left(["Job/migrate"])
}
