//! Chapter 16.G: hooks run and are waited for.

use super::{ALL_RUN, Act, Call, SUCCESS, Scenario, UNSUCCESSFUL, sync};
use crate::model::HealthStatus;
use crate::operation::tests::spec::{Fate, hook, pod_hook, resource, selecting};

const EXIT_1: Fate = Fate::Is(HealthStatus::Degraded, "container \"main\" failed with exit code 1");

pub(crate) fn t92_r803_r810_without_hooks_neither_new_nor_old_ones_are_touched() -> Vec<Scenario> {
    let row = |items: &[&str]| {
        sync([hook("h", "PreSync"), resource("ConfigMap", "c")])
            .leftovers([hook("h", "PreSync").policy("HookSucceeded"), hook("old", "PostSync").policy("HookSucceeded")])
            .asked(selecting(items))
    };
    vec![
        row(&["batch:Job:h"]).succeeds(SUCCESS).results([]).calls([]),
        row(&[":ConfigMap:c"]).succeeds(ALL_RUN).calls(["apply ConfigMap/c"]).left(["ConfigMap/c", "Job/h", "Job/old"]),
    ]
}

pub(crate) fn t93_r604_r616_r622_a_hook_an_object_and_a_syncfail_hook() -> Scenario {
    sync([pod_hook("hook-1", "Sync").fate(Fate::Healthy(4)), resource("Pod", "p"), pod_hook("alert", "SyncFail")])
        .when("waiting for completion of hook /Pod/hook-1 and 1 more resources")
        .results(["Sync Pod/hook-1 Synced Running", "Sync Pod/p Synced Running"])
        .succeeds(SUCCESS)
        .results(["Sync Pod/hook-1 Synced Succeeded", "Sync Pod/p Synced Succeeded"])
        .not_run(["SyncFail Pod/alert notNeeded"])
}

pub(crate) fn t96_r402_r410_a_presync_hook_that_fails_ends_it_before_anything_else() -> Scenario {
    sync([pod_hook("h", "PreSync").fate(EXIT_1), resource("Pod", "p")])
        .fails(UNSUCCESSFUL)
        .results(["PreSync Pod/h Synced Failed"])
        .said(["Pod/h: container \"main\" failed with exit code 1"])
        .calls(["apply Pod/h", "unlock Pod/h"])
        .left(["Pod/h"])
}

pub(crate) fn t97_a_sync_hook_that_fails_leaves_the_objects_of_its_group() -> Scenario {
    sync([pod_hook("h", "Sync").fate(EXIT_1), resource("Pod", "p").fate(Fate::Never)])
        .fails(UNSUCCESSFUL)
        .results(["Sync Pod/h Synced Failed", "Sync Pod/p Synced Running"])
        .said(["Pod/h: container \"main\" failed with exit code 1", "Pod/p: pod/p created"])
        .left(["Pod/h", "Pod/p"])
}

pub(crate) fn t98_a_postsync_hook_that_fails_ends_it_badly() -> Scenario {
    sync([pod_hook("h", "PostSync").fate(EXIT_1), resource("Pod", "p")])
        .fails(UNSUCCESSFUL)
        .results(["Sync Pod/p Synced Succeeded", "PostSync Pod/h Synced Failed"])
        .said(["Pod/h: container \"main\" failed with exit code 1"])
}

pub(crate) fn t99_r404_r636_after_an_object_that_fails_no_postsync_hook_runs() -> Scenario {
    sync([pod_hook("h", "PostSync"), resource("Pod", "p").fate(EXIT_1)])
        .fails(UNSUCCESSFUL)
        .results(["Sync Pod/p Synced Failed"])
        .calls(["apply Pod/p"])
        .left(["Pod/p"])
}

/// R606: an empty message leaves the one before.
pub(crate) fn t100_r216_r403_r605_a_hook_that_succeeds_without_a_message_keeps_the_servers() -> Vec<Scenario> {
    let row = |phase: &str| sync([pod_hook("hook", phase), resource("Pod", "p")]);
    let said = "Pod/hook: pod/hook created";
    vec![
        row("PreSync").succeeds(ALL_RUN).results(["PreSync Pod/hook Synced Succeeded", "Sync Pod/p Synced Running"]).said([said]),
        sync([pod_hook("hook", "Sync"), resource("Pod", "p").fate(Fate::Never)])
            .succeeds(SUCCESS)
            .results(["Sync Pod/hook Synced Succeeded", "Sync Pod/p Synced Running"])
            .said([said]),
        row("PostSync").succeeds(SUCCESS).results(["Sync Pod/p Synced Succeeded", "PostSync Pod/hook Synced Succeeded"]).said([said]),
    ]
}

pub(crate) fn t101_r637_a_sync_hook_does_not_wait_for_a_deployment_of_its_group() -> Scenario {
    sync([hook("h", "Sync"), resource("Deployment", "web").fate(Fate::Never)])
        .succeeds(SUCCESS)
        .results(["Sync Deployment/web Synced Running", "Sync Job/h Synced Succeeded"])
}

pub(crate) fn t103_r628_r1520_reasons_are_distinct_and_sorted_and_only_those_of_refused_objects() -> Vec<Scenario> {
    let refused = |error| {
        sync([resource("ConfigMap", "a"), resource("ConfigMap", "b")]).refuses(Call::Apply, "ConfigMap/a", error).refuses(
            Call::Apply,
            "ConfigMap/b",
            "namespace not found",
        )
    };
    vec![
        refused("namespace not found").fails("one or more objects failed to apply, reason: namespace not found"),
        refused("so not").fails("one or more objects failed to apply, reason: namespace not found,so not"),
        sync([pod_hook("h", "PreSync").fate(EXIT_1)]).fails(UNSUCCESSFUL),
    ]
}

pub(crate) fn t104_r407_r621_r627_r629_running_until_every_syncfail_hook_is_over() -> Scenario {
    sync([pod_hook("pre", "PreSync"), pod_hook("alert", "SyncFail").fate(Fate::Healthy(3)), pod_hook("broken", "SyncFail")])
        .refuses(Call::Apply, "Pod/pre", "task in error")
        .refuses(Call::Apply, "Pod/broken", "failed to apply")
        .when("waiting for completion of hook /Pod/alert")
        .results(["PreSync Pod/pre SyncFailed Failed", "SyncFail Pod/alert Synced Running", "SyncFail Pod/broken SyncFailed Failed"])
        .fails("one or more synchronization tasks completed unsuccessfully, reason: task in error\none or more SyncFail hooks failed, reason: failed to apply")
        .results(["PreSync Pod/pre SyncFailed Failed", "SyncFail Pod/alert Synced Succeeded", "SyncFail Pod/broken SyncFailed Failed"])
}

/// Its own finalizer holds it until its end has been read.
pub(crate) fn t107_r215_a_hook_that_is_deleted_after_its_end_is_read_first() -> Scenario {
    sync([hook("h", "PreSync").fate(Fate::Is(HealthStatus::Progressing, "")), resource("ConfigMap", "c")])
        .when("waiting for completion of hook batch/Job/h")
        .act(Act::Delete("Job/h"))
        .after(2)
        .results(["PreSync Job/h Synced Running"])
        .act(Act::Becomes("Job/h", Fate::Is(HealthStatus::Healthy, "all migrated")))
        .succeeds(ALL_RUN)
        .said(["Job/h: all migrated"])
        .left(["ConfigMap/c"])
}

pub(crate) fn t108_r410_r414_a_hook_without_health_is_over_at_once_and_one_of_any_kind_when_it_is_healthy() -> Scenario {
    sync([
        resource("ConfigMap", "x").hooked("PreSync"),
        resource("Deployment", "d").hooked("PreSync").wave(1).fate(Fate::Healthy(2)),
        resource("Secret", "s"),
    ])
    .succeeds(ALL_RUN)
    .results(["PreSync ConfigMap/x Synced Succeeded", "PreSync Deployment/d Synced Succeeded", "Sync Secret/s Synced Running"])
    .said(["ConfigMap/x: x created"])
}

pub(crate) fn t109_r410_r415_suspended_is_waited_for_unknown_fails_and_so_does_an_error() -> Vec<Scenario> {
    let row = |fate| sync([hook("h", "PreSync").fate(fate), resource("ConfigMap", "c")]);
    vec![
        row(Fate::Is(HealthStatus::Suspended, "Job suspended"))
            .after(100)
            .saying("waiting for completion of hook batch/Job/h")
            .results(["PreSync Job/h Synced Running"])
            .said(["Job/h: Job suspended"]),
        row(Fate::Is(HealthStatus::Unknown, "who knows"))
            .fails(UNSUCCESSFUL)
            .results(["PreSync Job/h Synced Failed"])
            .said(["Job/h: who knows"]),
        row(Fate::Is(HealthStatus::Missing, "")).succeeds(ALL_RUN).said(["Job/h: h created"]),
        row(Fate::Unclear("script broke")).fails(UNSUCCESSFUL).results(["PreSync Job/h Synced Error"]),
    ]
}

pub(crate) fn t111_r408_a_refused_syncfail_hook_does_not_stop_the_other_one() -> Scenario {
    sync([resource("ConfigMap", "c").fate(Fate::Refused), hook("good", "SyncFail"), hook("bad", "SyncFail").fate(Fate::Refused)])
        .fails("one or more synchronization tasks completed unsuccessfully, reason: c refused\none or more SyncFail hooks failed, reason: bad refused")
        .results(["Sync ConfigMap/c SyncFailed Failed", "SyncFail Job/bad SyncFailed Failed", "SyncFail Job/good Synced Succeeded"])
}

pub(crate) fn t113_r307_an_ordinary_object_without_a_name_fails_it() -> Scenario {
    sync([resource("Pod", "x-").generated()]).fails("one or more objects failed to apply (dry run)").calls([])
}

pub(crate) fn t114_r109_r728_a_skipped_object_has_no_result_whatever_its_options() -> Scenario {
    sync([resource("Pod", "p").hooked("Skip").option("Replace=true"), hook("h", "Sync")])
        .succeeds(SUCCESS)
        .results(["Sync Job/h Synced Succeeded"])
        .left(["Job/h"])
}

pub(crate) fn t115_r406_syncfail_hooks_of_all_waves_start_together() -> Scenario {
    sync([hook("pre", "PreSync").fate(Fate::Refused), hook("now", "SyncFail"), hook("later", "SyncFail").wave(5)])
        .when("waiting for completion of hook batch/Job/now and 1 more hooks")
        .calls(["apply Job/pre", "apply Job/now", "apply Job/later"])
        .fails("one or more synchronization tasks completed unsuccessfully, reason: pre refused")
        .results(["PreSync Job/pre SyncFailed Failed", "SyncFail Job/now Synced Succeeded", "SyncFail Job/later Synced Succeeded"])
}

pub(crate) fn t116_r520_a_refusal_of_one_kind_stops_none_of_the_next() -> Scenario {
    sync([resource("Job", "a"), resource("Job", "b"), resource("ConfigMap", "c").fate(Fate::Refused)])
        .fails("one or more synchronization tasks completed unsuccessfully, reason: c refused")
        .calls(["apply ConfigMap/c", "apply Job/a", "apply Job/b"])
        .results(["Sync ConfigMap/c SyncFailed Failed", "Sync Job/a Synced Running", "Sync Job/b Synced Running"])
}

pub(crate) fn r401_r402_presync_then_sync_then_postsync_and_syncfail_is_not_needed() -> Scenario {
    sync([hook("alert", "SyncFail"), hook("smoke", "PostSync"), resource("ConfigMap", "c"), hook("migrate", "PreSync")])
        .succeeds(SUCCESS)
        .calls(["apply Job/migrate", "unlock Job/migrate", "apply ConfigMap/c", "apply Job/smoke", "unlock Job/smoke"])
        .not_run(["SyncFail Job/alert notNeeded"])
}

pub(crate) fn r405_r625_r627_a_failed_presync_hook_starts_syncfail_and_nothing_else() -> Scenario {
    sync([
        hook("migrate", "PreSync").fate(Fate::Degraded(1)),
        resource("ConfigMap", "c"),
        hook("smoke", "PostSync"),
        hook("alert", "SyncFail"),
    ])
    .fails(UNSUCCESSFUL)
    .calls(["apply Job/migrate", "unlock Job/migrate", "apply Job/alert", "unlock Job/alert"])
    .results(["PreSync Job/migrate Synced Failed", "SyncFail Job/alert Synced Succeeded"])
    .not_run(["Sync ConfigMap/c blocked", "PostSync Job/smoke blocked"])
}

pub(crate) fn r311_one_named_hook_in_two_phases_is_created_twice_and_has_two_results() -> Scenario {
    sync([hook("both", "PreSync,PostSync"), resource("ConfigMap", "c")])
        .succeeds(SUCCESS)
        .calls(["apply Job/both", "unlock Job/both", "apply ConfigMap/c", "delete old Job/both", "apply Job/both", "unlock Job/both"])
        .results(["PreSync Job/both Synced Succeeded", "Sync ConfigMap/c Synced Succeeded", "PostSync Job/both Synced Succeeded"])
}

pub(crate) fn r617_a_running_hook_that_is_gone_is_never_a_silent_success() -> Scenario {
    sync([hook("migrate", "PreSync").fate(Fate::Vanishes(2)), resource("ConfigMap", "c")])
        .fails("one or more synchronization tasks completed unsuccessfully, reason: Resource batch/Job/migrate is missing, it might have been deleted")
        .results(["PreSync Job/migrate SyncFailed Error"])
        .said(["Job/migrate: Resource batch/Job/migrate is missing, it might have been deleted"])
        .calls(["apply Job/migrate"])
}

pub(crate) fn r1504_a_running_hook_that_somebody_deletes_is_waited_for_and_fails_and_its_finalizer_goes() -> Scenario {
    sync([hook("migrate", "PreSync").fate(Fate::Never), resource("ConfigMap", "c")])
        .when("waiting for completion of hook batch/Job/migrate")
        .act(Act::Delete("Job/migrate"))
        .after(15)
        .results(["PreSync Job/migrate Synced Running"])
        .fails(UNSUCCESSFUL)
        .results(["PreSync Job/migrate Synced Failed"])
        .left([])
}
