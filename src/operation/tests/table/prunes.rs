//! Chapters 16.B and 16.E: what no manifest asks for any more.

use super::{ALL_RUN, Act, Call, Scenario, sync};
use crate::operation::Request;
use crate::operation::tests::spec::{Fate, hook, resource};

pub(crate) fn t28_r505_waves_of_prunes_go_backwards_and_each_is_gone_before_the_next() -> Scenario {
    let named = |wave: i64| resource("ConfigMap", &format!("p{wave}")).wave(wave);
    sync([]).orphans((0..5).map(named)).pruned().succeeds(ALL_RUN).left([]).calls([
        "prune ConfigMap/p4",
        "prune ConfigMap/p3",
        "prune ConfigMap/p2",
        "prune ConfigMap/p1",
        "prune ConfigMap/p0",
    ])
}

pub(crate) fn t30_r506_prune_last_of_the_operation_puts_every_prune_behind_the_last_wave() -> Scenario {
    let request = Request { prune: true, options: super::options(&["PruneLast=true"]), ..Request::default() };
    sync([resource("ConfigMap", "keep")])
        .orphans((1..=4).map(|wave| resource("ConfigMap", &format!("p{wave}")).wave(wave)))
        .asked(request)
        .succeeds(ALL_RUN)
        .calls(["apply ConfigMap/keep", "prune ConfigMap/p1", "prune ConfigMap/p2", "prune ConfigMap/p3", "prune ConfigMap/p4"])
        .left(["ConfigMap/keep"])
}

pub(crate) fn t31_r506_prune_last_of_one_object_leaves_the_others_in_their_order() -> Scenario {
    let named = |wave: i64| resource("ConfigMap", &format!("p{wave}")).wave(wave).option(if wave == 2 { "PruneLast=true" } else { "" });
    sync([]).orphans((1..=4).map(named)).pruned().succeeds(ALL_RUN).calls([
        "prune ConfigMap/p4",
        "prune ConfigMap/p3",
        "prune ConfigMap/p1",
        "prune ConfigMap/p2",
    ])
}

pub(crate) fn t57_r504_r602_only_prunes_go_in_the_order_of_kinds_and_are_done_at_once() -> Scenario {
    sync([])
        .orphans([resource("Pod", "p"), resource("Service", "s")])
        .pruned()
        .succeeds(ALL_RUN)
        .results(["Sync Service/s Pruned Succeeded", "Sync Pod/p Pruned Succeeded"])
        .said(["Service/s: pruned", "Pod/p: pruned"])
}

pub(crate) fn t58_r631_without_prune_nothing_is_deleted() -> Scenario {
    sync([])
        .orphans([resource("Service", "old")])
        .succeeds(ALL_RUN)
        .results(["Sync Service/old PruneSkipped Succeeded"])
        .said(["Service/old: ignored (requires pruning)"])
        .calls([])
        .left(["Service/old"])
}

pub(crate) fn t67_r633_r635_a_prune_that_is_refused_fails_its_group_before_anything_is_applied() -> Scenario {
    sync([resource("ConfigMap", "keep")])
        .orphans([resource("Service", "old")])
        .pruned()
        .refuses(Call::Delete, "Service/old", "foo")
        .fails("one or more objects failed to apply, reason: foo")
        .results(["Sync Service/old SyncFailed Failed"])
        .said(["Service/old: foo"])
        .calls(["prune Service/old"])
        .left(["Service/old"])
}

/// Ours counts it as pruned (R1517).
pub(crate) fn t68_r1517_what_is_gone_before_its_prune_counts_as_pruned() -> Scenario {
    sync([])
        .orphans([resource("Service", "old")])
        .pruned()
        .knows_not(Call::Delete, "Service/old")
        .succeeds(ALL_RUN)
        .results(["Sync Service/old Pruned Succeeded"])
}

pub(crate) fn t77_r508_r619_what_is_already_going_is_not_deleted_again_and_the_next_group_waits_for_it() -> Scenario {
    sync([resource("ConfigMap", "keep").wave(1)])
        .orphans([resource("ConfigMap", "old")])
        .held("ConfigMap/old", "example.com/backup")
        .leaving("ConfigMap/old")
        .pruned()
        .when("waiting for deletion of /ConfigMap/old")
        .results(["Sync ConfigMap/old Pruned Succeeded"])
        .calls([])
        .act(Act::Free("ConfigMap/old"))
        .succeeds(ALL_RUN)
        .calls(["apply ConfigMap/keep"])
        .left(["ConfigMap/keep"])
}

/// R507 R520 R522: a prune and an apply of one wave are one group, the prune first, whatever the kinds are.
pub(crate) fn t191_r418_r507_a_group_is_waited_for_with_its_prunes() -> Vec<Scenario> {
    let late = || resource("ConfigMap", "late").wave(1);
    vec![
        sync([resource("Deployment", "d").fate(Fate::Never), late()])
            .orphans([resource("ConfigMap", "x"), resource("Pod", "y")])
            .pruned()
            .when("waiting for healthy state of /ConfigMap/x and 2 more resources")
            .calls(["prune ConfigMap/x", "prune Pod/y", "apply Deployment/d"]),
        sync([late()])
            .orphans([resource("ConfigMap", "x"), resource("ConfigMap", "y")])
            .pruned()
            .when("waiting for healthy state of /ConfigMap/x and 1 more resources")
            .calls(["prune ConfigMap/x", "prune ConfigMap/y"])
            .succeeds(ALL_RUN),
    ]
}

pub(crate) fn t69_t70_r632_r704_what_the_live_object_says_of_its_pruning_beats_the_operation() -> Vec<Scenario> {
    let row = |on_live, given: &[&str]| {
        let request = Request { prune: true, options: super::options(given), ..Request::default() };
        sync([resource("ConfigMap", "keep")]).orphans([resource("ConfigMap", "old").option(on_live)]).asked(request).succeeds(ALL_RUN)
    };
    let kept = |on_live, given: &[&str]| {
        row(on_live, given)
            .results(["Sync ConfigMap/old PruneSkipped Succeeded", "Sync ConfigMap/keep Synced Running"])
            .said(["ConfigMap/old: ignored (no prune)"])
            .left(["ConfigMap/keep", "ConfigMap/old"])
    };
    let gone = |on_live, given: &[&str]| {
        row(on_live, given).results(["Sync ConfigMap/old Pruned Succeeded", "Sync ConfigMap/keep Synced Running"]).left(["ConfigMap/keep"])
    };
    vec![
        kept("Prune=false", &[]),
        kept("Prune=false", &["Prune=true"]),
        kept("Prune=false", &["Prune=false"]),
        kept("", &["Prune=false"]),
        gone("Prune=true", &["Prune=false"]),
        gone("Prune=foo", &["Prune=confirm"]),
    ]
}

pub(crate) fn t71_t72_r634_a_prune_that_wants_to_be_confirmed_waits_wherever_that_is_said() -> Vec<Scenario> {
    let row = |on_live, given: &[&str]| {
        let request = Request { prune: true, options: super::options(given), ..Request::default() };
        sync([resource("ConfigMap", "keep")])
            .orphans([resource("ConfigMap", "old").option(on_live)])
            .asked(request)
            .when("waiting for pruning confirmation of /ConfigMap/old")
            .results([])
            .calls([])
            .act(Act::Approve)
            .succeeds(ALL_RUN)
            .results(["Sync ConfigMap/old Pruned Succeeded", "Sync ConfigMap/keep Synced Running"])
            .left(["ConfigMap/keep"])
    };
    vec![
        row("Prune=confirm", &[]),
        row("Prune=confirm", &["Prune=true"]),
        row("Prune=confirm", &["Prune=false"]),
        row("Prune=confirm", &["Prune=confirm"]),
        row("", &["Prune=confirm"]),
    ]
}

/// Ours does not ask (R1518).
pub(crate) fn t73_r1518_nobody_is_asked_to_confirm_what_is_not_pruned() -> Scenario {
    sync([resource("ConfigMap", "keep")])
        .orphans([resource("ConfigMap", "old").option("Prune=confirm")])
        .succeeds(ALL_RUN)
        .results(["Sync ConfigMap/old PruneSkipped Succeeded", "Sync ConfigMap/keep Synced Running"])
}

/// Ours checks first (R1518).
pub(crate) fn t74_r1518_an_unconfirmed_prune_does_not_keep_the_rest_from_being_validated() -> Scenario {
    sync([resource("ConfigMap", "x-").generated()])
        .orphans([resource("ConfigMap", "old").option("Prune=confirm").wave(5)])
        .pruned()
        .fails("one or more objects failed to apply (dry run)")
        .left(["ConfigMap/old"])
}

pub(crate) fn t83_r730_without_a_comparison_everything_is_applied() -> Scenario {
    sync([resource("ConfigMap", "new"), resource("ConfigMap", "same")])
        .leftovers([resource("ConfigMap", "same")])
        .orphans([resource("ConfigMap", "old")])
        .pruned()
        .succeeds(ALL_RUN)
        .results(["Sync ConfigMap/old Pruned Succeeded", "Sync ConfigMap/new Synced Running", "Sync ConfigMap/same Synced Running"])
}

pub(crate) fn t84_t85_t87_r730_only_what_is_out_of_sync_is_applied_and_the_rest_is_named() -> Scenario {
    let same = [resource("ConfigMap", "same"), resource("Namespace", "ns-3")];
    sync([resource("ConfigMap", "new"), hook("pre", "PreSync")].into_iter().chain(same.clone()))
        .orphans([resource("ConfigMap", "extra")])
        .unmodified(same)
        .succeeds(ALL_RUN)
        .results(["PreSync Job/pre Synced Succeeded", "Sync ConfigMap/extra PruneSkipped Succeeded", "Sync ConfigMap/new Synced Running"])
        .not_run(["Sync Namespace/ns-3 notNeeded", "Sync ConfigMap/same notNeeded"])
}
