//! Chapters 16.E and 16.P: what a sync does from its beginning to its end.

use std::time::Duration;

use super::{ALL_RUN, Call, SUCCESS, Scenario, UNSUCCESSFUL, sync};
use crate::model::annotation;
use crate::operation::Request;
use crate::operation::tests::spec::{Fate, hook, resource};

pub(crate) fn t55_r626_two_new_objects_in_one_step() -> Scenario {
    sync([resource("Pod", "p"), resource("Service", "s")])
        .succeeds(ALL_RUN)
        .results(["Sync Service/s Synced Running", "Sync Pod/p Synced Running"])
        .said(["Service/s: service/s created", "Pod/p: pod/p created"])
        .left(["Pod/p", "Service/s"])
}

pub(crate) fn t60_r622_nothing_to_sync_has_no_results() -> Scenario {
    sync([]).succeeds(SUCCESS).results([]).calls([])
}

pub(crate) fn t61_r601_r616_r618_the_second_wave_comes_when_the_first_is_healthy() -> Scenario {
    sync([resource("Service", "my-service"), resource("Service", "other").wave(5)])
        .when("waiting for healthy state of /Service/my-service")
        .results(["Sync Service/my-service Synced Running"])
        .succeeds(ALL_RUN)
        .results(["Sync Service/my-service Synced Succeeded", "Sync Service/other Synced Running"])
}

pub(crate) fn t59_r626_r628_a_refused_object_is_the_only_result_and_the_reason() -> Scenario {
    sync([resource("Service", "s")])
        .refuses(Call::Apply, "Service/s", "foo")
        .fails("one or more objects failed to apply, reason: foo")
        .results(["Sync Service/s SyncFailed Failed"])
        .said(["Service/s: foo"])
        .left([])
}

pub(crate) fn t105_r518_r519_the_pause_follows_groups_that_are_not_the_last_and_never_a_wait() -> Scenario {
    let specs = [resource("Deployment", "a").wave(-1).fate(Fate::Healthy(4)), resource("ConfigMap", "b"), hook("post", "PostSync")];
    sync(specs)
        .asked(Request { wave_delay: Duration::from_secs(10), ..Request::default() })
        .after(8)
        .calls(["apply Deployment/a"])
        .after(4)
        .calls(["apply Deployment/a", "apply ConfigMap/b"])
        .after(6)
        .calls(["apply Deployment/a", "apply ConfigMap/b"])
        .succeeds(SUCCESS)
        .calls(["apply Deployment/a", "apply ConfigMap/b", "apply Job/post", "unlock Job/post"])
}

/// An old migration that is over and still has its finalizer, two waves, an object to prune, a smoke test at the end.
fn full_life(deployment: Fate) -> Scenario {
    let migrate = hook("m", "PreSync").fate(Fate::Healthy(2));
    let smoke = hook("s", "PostSync").policy("HookSucceeded");
    sync([migrate.clone(), resource("ConfigMap", "c"), resource("Deployment", "d").wave(1).fate(deployment), smoke])
        .leftovers([migrate])
        .held("Job/m", annotation::HOOK_FINALIZER)
        .orphans([resource("ConfigMap", "x")])
        .pruned()
}

/// R1516: what was told to go is known to be going from the answer, whatever the view says.
pub(crate) fn t188_r122_r204_r508_r520_r619_a_full_life() -> Scenario {
    full_life(Fate::Healthy(2))
        .when("waiting for deletion of hook batch/Job/m")
        .results([])
        .succeeds(SUCCESS)
        .calls([
            "unlock old Job/m",
            "delete old Job/m",
            "apply Job/m",
            "unlock Job/m",
            "prune ConfigMap/x",
            "apply ConfigMap/c",
            "apply Deployment/d",
            "apply Job/s",
            "unlock Job/s",
            "delete Job/s",
        ])
        .told([
            "waiting for deletion of hook batch/Job/m",
            "waiting for completion of hook batch/Job/m",
            "waiting for healthy state of /ConfigMap/c and 1 more resources",
            "waiting for deletion of /ConfigMap/x",
            "waiting for healthy state of apps/Deployment/d",
            "waiting for completion of hook batch/Job/s",
            SUCCESS,
        ])
        .results([
            "PreSync Job/m Synced Succeeded",
            "Sync ConfigMap/x Pruned Succeeded",
            "Sync ConfigMap/c Synced Succeeded",
            "Sync Deployment/d Synced Succeeded",
            "PostSync Job/s Synced Succeeded",
        ])
        .left(["ConfigMap/c", "Deployment/d", "Job/m"])
}

pub(crate) fn t189_r625_r628_a_full_life_that_ends_badly() -> Scenario {
    full_life(Fate::Degraded(2))
        .fails(UNSUCCESSFUL)
        .calls([
            "unlock old Job/m",
            "delete old Job/m",
            "apply Job/m",
            "unlock Job/m",
            "prune ConfigMap/x",
            "apply ConfigMap/c",
            "apply Deployment/d",
        ])
        .left(["ConfigMap/c", "Deployment/d", "Job/m"])
}

pub(crate) fn t26_t62_r604_r1511_one_group_is_one_step_whatever_its_health_and_its_wave() -> Vec<Scenario> {
    let row = |fate| {
        sync([resource("Deployment", "web").wave(-1).fate(fate), resource("ConfigMap", "c").wave(-1)])
            .succeeds(ALL_RUN)
            .results(["Sync ConfigMap/c Synced Running", "Sync Deployment/web Synced Running"])
    };
    vec![
        row(Fate::Never),
        row(Fate::Degraded(1)),
        sync([hook("pre", "PreSync").wave(-1), hook("post", "PostSync").wave(1)])
            .when("waiting for completion of hook batch/Job/pre")
            .calls(["apply Job/pre"])
            .succeeds(SUCCESS),
    ]
}

pub(crate) fn t63_r630_r636_a_degraded_first_wave_ends_it_and_nothing_is_undone() -> Vec<Scenario> {
    let specs = |fate| [resource("Deployment", "one").fate(fate), resource("ConfigMap", "two").wave(1)];
    vec![
        sync(specs(Fate::Degraded(1))).fails(UNSUCCESSFUL).results(["Sync Deployment/one Synced Failed"]).left(["Deployment/one"]),
        sync(specs(Fate::Healthy(1)))
            .succeeds(ALL_RUN)
            .results(["Sync Deployment/one Synced Succeeded", "Sync ConfigMap/two Synced Running"]),
    ]
}

pub(crate) fn t193_r513_r610_the_destination_namespace_of_a_late_wave_is_made_before_everything() -> Vec<Scenario> {
    let namespace = || resource("Namespace", "shop").wave(3);
    vec![
        sync([namespace(), resource("ConfigMap", "c"), resource("Deployment", "d")]).succeeds(ALL_RUN).calls([
            "apply Namespace/shop",
            "apply ConfigMap/c",
            "apply Deployment/d",
        ]),
        sync([namespace(), resource("ConfigMap", "x-").generated()])
            .fails("one or more objects failed to apply (dry run)")
            .calls(["apply Namespace/shop"]),
    ]
}
