//! Chapters 16.C, 16.D and 16.K: the dry pass, the destination Namespace, what a request chooses.

use super::{ALL_RUN, Call, SUCCESS, Scenario, sync};
use crate::model::annotation;
use crate::operation::Request;
use crate::operation::tests::spec::{Fate, hook, resource, selecting};
use crate::plan::{Hooks, NewNamespace};

const DRY: &str = "one or more objects failed to apply (dry run)";

/// R219: it has touched nothing, not even a finalizer.
pub(crate) fn t42_t43_r219_r405_r612_a_dry_pass_that_fails_leaves_everything_alone() -> Scenario {
    sync([hook("h", "PreSync"), hook("alert", "SyncFail"), resource("ConfigMap", "x-").generated()])
        .leftovers([hook("h", "PreSync")])
        .held("Job/h", annotation::HOOK_FINALIZER)
        .fails(DRY)
        .results(["Sync ConfigMap/ SyncFailed Failed"])
        .said(["ConfigMap/: from x-: cannot use generate name with apply"])
        .calls([])
        .locked(["Job/h"])
        .left(["Job/h"])
}

/// What a manifest cannot be is refused before the operation (decision 19).
pub(crate) fn t44_r612_r707_what_only_the_server_can_refuse_passes_the_dry_pass_and_starts_syncfail() -> Scenario {
    sync([hook("pre", "PreSync"), resource("ConfigMap", "wrong").fate(Fate::Refused), hook("alert", "SyncFail")])
        .fails("one or more synchronization tasks completed unsuccessfully, reason: wrong refused")
        .calls(["apply Job/pre", "unlock Job/pre", "apply ConfigMap/wrong", "apply Job/alert", "unlock Job/alert"])
        .results(["PreSync Job/pre Synced Succeeded", "Sync ConfigMap/wrong SyncFailed Failed", "SyncFail Job/alert Synced Succeeded"])
        .left(["Job/alert", "Job/pre"])
}

pub(crate) fn t45_r612_a_dry_pass_that_succeeds_leaves_no_results() -> Scenario {
    sync([hook("h", "PreSync"), resource("ConfigMap", "c")])
        .when("waiting for completion of hook batch/Job/h")
        .results(["PreSync Job/h Synced Running"])
        .succeeds(ALL_RUN)
        .results(["PreSync Job/h Synced Succeeded", "Sync ConfigMap/c Synced Running"])
}

pub(crate) fn t47_t53_r515_r516_r517_a_missing_namespace_is_made_first_and_alone_and_its_result_stays() -> Scenario {
    sync([resource("Pod", "p")])
        .into_new_namespace()
        .when("waiting for healthy state of /Namespace/shop")
        .results(["PreSync Namespace/shop Synced Running"])
        .succeeds(ALL_RUN)
        .results(["PreSync Namespace/shop Synced Running", "Sync Pod/p Synced Running"])
        .calls(["apply Namespace/shop", "apply Pod/p"])
}

pub(crate) fn t48_r610_the_namespace_comes_before_the_dry_pass() -> Scenario {
    sync([resource("ConfigMap", "x-").generated()])
        .into_new_namespace()
        .fails(DRY)
        .results(["PreSync Namespace/shop Synced Running", "Sync ConfigMap/ SyncFailed Failed"])
        .left(["Namespace/shop"])
}

pub(crate) fn t49_t50_r515_a_namespace_is_made_only_if_it_is_wanted_and_by_nobody_else() -> Vec<Scenario> {
    vec![
        sync([resource("Namespace", "shop"), resource("ConfigMap", "a")])
            .into_new_namespace()
            .succeeds(ALL_RUN)
            .results(["Sync Namespace/shop Synced Running", "Sync ConfigMap/a Synced Running"])
            .calls(["apply Namespace/shop", "apply ConfigMap/a"]),
        sync([resource("ConfigMap", "a")]).succeeds(ALL_RUN).results(["Sync ConfigMap/a Synced Running"]),
    ]
}

/// Whether a manifest asks for it or the operation makes it.
pub(crate) fn t54_r405_r611_a_namespace_that_is_refused_ends_it_and_starts_no_syncfail() -> Vec<Scenario> {
    let refused = |row: Scenario| {
        row.refuses(Call::Apply, "Namespace/shop", "no")
            .fails("the namespace failed to apply, reason: no")
            .calls(["apply Namespace/shop"])
            .left([])
    };
    vec![
        refused(sync([resource("Namespace", "shop"), resource("ConfigMap", "c"), hook("alert", "SyncFail")]))
            .results(["Sync Namespace/shop SyncFailed Failed"]),
        refused(sync([resource("ConfigMap", "a"), hook("alert", "SyncFail")]).into_new_namespace())
            .results(["PreSync Namespace/shop SyncFailed Failed"]),
    ]
}

pub(crate) fn t146_t147_r801_r803_one_chosen_object_is_applied_and_no_hook_runs() -> Vec<Scenario> {
    vec![
        sync([resource("Deployment", "guestbook"), resource("Service", "guestbook")])
            .asked(selecting(&[":Service:guestbook"]))
            .succeeds(ALL_RUN)
            .results(["Sync Service/guestbook Synced Running"])
            .left(["Service/guestbook"]),
        sync([hook("migrate", "PreSync"), resource("Pod", "p")])
            .asked(selecting(&[":Pod:p"]))
            .succeeds(ALL_RUN)
            .results(["Sync Pod/p Synced Running"])
            .calls(["apply Pod/p"]),
    ]
}

pub(crate) fn t150_r804_what_is_chosen_and_does_not_exist_fails_nothing() -> Scenario {
    sync([resource("ConfigMap", "a")]).asked(selecting(&[":ConfigMap:nothing"])).succeeds(SUCCESS).results([]).calls([])
}

pub(crate) fn t152_r813_the_strategy_apply_runs_everything_but_hooks() -> Scenario {
    sync([hook("pre", "PreSync"), resource("ConfigMap", "a")])
        .asked(Request { hooks: Hooks::Never, ..Request::default() })
        .succeeds(ALL_RUN)
        .calls(["apply ConfigMap/a"])
        .left(["ConfigMap/a"])
}

pub(crate) fn t197_r112_a_charts_test_is_never_created() -> Scenario {
    sync([resource("Pod", "test").annotated("helm.sh/hook", "test"), resource("ConfigMap", "c")])
        .succeeds(ALL_RUN)
        .calls(["apply ConfigMap/c"])
        .not_run(["Sync Pod/test unknownHook"])
        .left(["ConfigMap/c"])
}

pub(crate) fn t199_r702_an_option_that_nobody_knows_has_no_effect() -> Scenario {
    sync([resource("ConfigMap", "c").option("Foo=true,Bar")])
        .succeeds(ALL_RUN)
        .results(["Sync ConfigMap/c Synced Running"])
        .said(["ConfigMap/c: configmap/c created"])
}

pub(crate) fn t25_r509_r512_a_definition_comes_before_a_hook_of_its_kind() -> Scenario {
    let mut definition = resource("CustomResourceDefinition", "networkpolicies.example.com").defines("example.com", "NetworkPolicy");
    definition.fate = Fate::NoRule;
    sync([definition, resource("NetworkPolicy", "deny").hooked("PreSync").fate(Fate::NoRule), resource("ConfigMap", "c")])
        .succeeds(ALL_RUN)
        .calls([
            "apply CustomResourceDefinition/networkpolicies.example.com",
            "apply NetworkPolicy/deny",
            "unlock NetworkPolicy/deny",
            "apply ConfigMap/c",
        ])
}

pub(crate) fn t18_t19_r302_a_hook_without_a_name_is_named_by_revision_phase_and_start() -> Scenario {
    sync([hook("mig-", "PreSync,PostSync").generated(), resource("ConfigMap", "c")]).succeeds(SUCCESS).left([
        "ConfigMap/c",
        "Job/mig-0123456-postsync-T",
        "Job/mig-0123456-presync-T",
    ])
}

pub(crate) fn t52_r515_a_namespace_that_cannot_be_looked_for_fails_its_task_with_the_servers_sentence() -> Scenario {
    let mut row = sync([resource("ConfigMap", "a")]);
    row.setup.new_namespace = NewNamespace::Unclear("boom".to_owned());
    row.fails("one or more synchronization tasks completed unsuccessfully, reason: namespace auto creation failed: boom")
        .results(["PreSync Namespace/shop SyncFailed Error"])
        .said(["Namespace/shop: namespace auto creation failed: boom"])
        .calls([])
}

pub(crate) fn t185_r1210_of_one_identity_the_last_manifest_counts_and_generated_names_are_no_repeats() -> Vec<Scenario> {
    let load = |wave| hook("load-", "PreSync").generated().wave(wave);
    let names = ["Job/load-0123456-presync-T", "Job/load-0123456-presync-T-2"];
    vec![
        sync([resource("ConfigMap", "a").wave(5), resource("ConfigMap", "b"), resource("ConfigMap", "a")])
            .succeeds(ALL_RUN)
            .results(["Sync ConfigMap/a Synced Running", "Sync ConfigMap/b Synced Running"]),
        sync([load(0), load(0)]).succeeds(SUCCESS).left(names),
        sync([load(0), load(1)]).succeeds(SUCCESS).left(names),
    ]
}
