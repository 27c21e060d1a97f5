//! What annotations make of an object: the tables of chapter 16.A.

use serde_json::{Map, Value, json};

use super::*;
use Phase::{PostDelete, PostSync, PreDelete, PreSync, Sync};

fn with(annotations: &[(&str, &str)]) -> Object {
    let annotations: Map<String, Value> = annotations.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    Object::new(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "annotations": annotations}}))
}
fn hook(phases: &[Phase], deletion: &[Phase]) -> Part {
    Part::Hook { phases: phases.to_vec(), deletion: deletion.to_vec() }
}
const ARGO: &str = annotation::HOOK;
const HELM: &str = annotation::HELM_HOOK;

/// Each row: annotations, and what the object is to a sync.
type Row<'a> = (&'a [(&'a str, &'a str)], Part);

fn check(table: &[Row<'_>]) {
    for (annotations, part) in table {
        assert_eq!(Traits::of(&with(annotations)).part, *part, "{annotations:?}");
    }
}

#[test]
fn r101_the_annotations_are_those_of_argo_cd_and_helm() {
    assert_eq!(
        [ARGO, annotation::HOOK_DELETE_POLICY, annotation::SYNC_WAVE, annotation::SYNC_OPTIONS],
        ["hook", "hook-delete-policy", "sync-wave", "sync-options"].map(|name| format!("argocd.argoproj.io/{name}"))
    );
    assert_eq!(
        [HELM, annotation::HELM_HOOK_DELETE_POLICY, annotation::HELM_HOOK_WEIGHT],
        ["hook", "hook-delete-policy", "hook-weight"].map(|name| format!("helm.sh/{name}"))
    );
}

/// R111: an ordinary object, one phase, no phase.
#[test]
fn t1_t2_t3_r102_r105_r109_nothing_one_type_and_skip() {
    check(&[
        (&[], Part::Resource),
        (&[(ARGO, "PreSync")], hook(&[PreSync], &[])),
        (&[(ARGO, "Sync")], hook(&[Sync], &[])),
        (&[(ARGO, "PostSync")], hook(&[PostSync], &[])),
        (&[(ARGO, "SyncFail")], hook(&[Phase::SyncFail], &[])),
        (&[(ARGO, "Skip")], Part::Skip),
        (&[(ARGO, "Skip"), (HELM, "pre-install")], Part::Skip),
        (&[(ARGO, "presync")], hook(&[], &[])),
    ]);
}

#[test]
fn t4_t5_t6_t7_r103_r107_r108_r112_unknown_types_repeats_and_skip_beside_others() {
    check(&[
        (&[(ARGO, "Garbage")], hook(&[], &[])),
        (&[(ARGO, "")], hook(&[], &[])),
        (&[(ARGO, "PreSync,PostSync")], hook(&[PreSync, PostSync], &[])),
        (&[(ARGO, "Sync,Sync")], hook(&[Sync], &[])),
        (&[(ARGO, " PreSync , ,PreSync,PostSync ")], hook(&[PreSync, PostSync], &[])),
        (&[(ARGO, "Skip,PreSync,PostSync")], hook(&[PreSync, PostSync], &[])),
        (&[(ARGO, "Skip,Skip")], Part::Skip),
        (&[(ARGO, "Skip,Garbage")], Part::Skip),
        (&[(ARGO, "Sync,Garbage")], hook(&[Sync], &[])),
    ]);
}

#[test]
fn t8_t9_t12_r113_r114_r115_helms_types() {
    for (value, phases) in [
        ("pre-install", &[PreSync][..]),
        ("pre-upgrade", &[PreSync]),
        ("post-install", &[PostSync]),
        ("post-upgrade", &[PostSync]),
        ("pre-install,pre-upgrade", &[PreSync]),
        ("crd-install,pre-install", &[PreSync]),
        ("pre-rollback", &[]),
        ("post-rollback", &[]),
        ("test", &[]),
        ("test-success", &[]),
        ("test-failure", &[]),
        ("anything", &[]),
    ] {
        check(&[(&[(HELM, value)], hook(phases, &[]))]);
    }
    check(&[(&[(HELM, "crd-install")], Part::Resource)]);
}

#[test]
fn t10_t11_r106_helms_type_counts_only_when_argo_cds_says_nothing() {
    check(&[
        (&[(ARGO, "Sync"), (HELM, "pre-install")], hook(&[Sync], &[])),
        (&[(ARGO, ""), (HELM, "post-install")], hook(&[PostSync], &[])),
        (&[(ARGO, "Garbage"), (HELM, "pre-install")], hook(&[PreSync], &[])),
    ]);
}

#[test]
fn t17_r126_deletion_hooks_stay_in_a_sync_only_with_a_phase_of_it() {
    check(&[
        (&[(ARGO, "PostSync,PreDelete,PostDelete")], hook(&[PostSync], &[PreDelete, PostDelete])),
        (&[(ARGO, "PreDelete")], hook(&[], &[PreDelete])),
        (&[(ARGO, "PostDelete")], hook(&[], &[PostDelete])),
        (&[(HELM, "pre-delete")], hook(&[], &[PreDelete])),
        (&[(HELM, "pre-install,pre-delete")], hook(&[PreSync], &[PreDelete])),
        (&[(ARGO, "Sync"), (HELM, "post-delete")], hook(&[Sync], &[PostDelete])),
    ]);
}

#[test]
fn t16_r103_r104_r703_options_of_an_object_are_a_list_and_the_first_value_counts() {
    let options = |value: &str| Traits::of(&with(&[(annotation::SYNC_OPTIONS, value)]));
    let both = options(" Prune=false , Validate=false ");
    assert!(both.has_option("Prune=false") && both.has_option("Validate=false"));
    assert_eq!(options("Prune=false,Prune=confirm").option("Prune"), Some("false"));
    assert_eq!(options("Prune=").option("Prune"), Some(""));
    assert_eq!(options("Prune").option("Prune"), None);
    assert_eq!(options("PruneLast=true").option("Prune"), None);
}

#[test]
fn t13_r117_r201_r203_r1532_policies_of_argo_and_helm_are_added_and_default_to_before_hook_creation() {
    use DeletePolicy::{BeforeHookCreation, HookFailed, HookSucceeded};
    let key = annotation::HOOK_DELETE_POLICY;
    let helm = annotation::HELM_HOOK_DELETE_POLICY;
    for (annotations, expected) in [
        (vec![], vec![BeforeHookCreation]),
        (vec![(key, "HookSucceeded")], vec![HookSucceeded]),
        (vec![(key, "HookSucceeded,HookFailed , BeforeHookCreation")], vec![BeforeHookCreation, HookSucceeded, HookFailed]),
        (vec![(key, "OnSuccess")], vec![BeforeHookCreation]),
        (vec![(key, "HookSucceeded,HookFailed")], vec![HookSucceeded, HookFailed]),
        (vec![(helm, "hook-failed")], vec![HookFailed]),
        (vec![(helm, "nonsense")], vec![BeforeHookCreation]),
        (vec![(key, "HookSucceeded"), (helm, "before-hook-creation")], vec![BeforeHookCreation, HookSucceeded]),
        (vec![(key, "HookFailed"), (helm, "before-hook-creation,hook-succeeded")], vec![BeforeHookCreation, HookSucceeded, HookFailed]),
    ] {
        assert_eq!(Traits::of(&with(&annotations)).policies, expected, "{annotations:?}");
    }
}

#[test]
fn t15_r116_r501_r1533_a_wave_is_a_decimal_integer_or_the_helm_weight_or_zero() {
    let wave = annotation::SYNC_WAVE;
    let weight = annotation::HELM_HOOK_WEIGHT;
    for (annotations, expected) in [
        (vec![], 0),
        (vec![(wave, "x")], 0),
        (vec![(wave, "1.5")], 0),
        (vec![(wave, " 2")], 0),
        (vec![(wave, "99999999999999999999")], 0),
        (vec![(wave, "+3")], 3),
        (vec![(wave, "-1")], -1),
        (vec![(weight, "5")], 5),
        (vec![(wave, "x"), (weight, "5")], 5),
        (vec![(wave, "2"), (weight, "5")], 2),
        (vec![(wave, "1")], 1),
        (vec![(weight, "-3")], -3),
        (vec![(weight, "heavy")], 0),
    ] {
        assert_eq!(Traits::of(&with(&annotations)).wave, Wave(expected), "{annotations:?}");
    }
}

/// R120 R1534 R1535: old and misspelt names, and Skip where it means nothing.
#[test]
fn names_without_effect_are_concerns_that_say_the_right_name() {
    let said = |annotations: &[(&str, &str)]| {
        concerns(&with(annotations)).into_iter().map(|concern| concern.message).collect::<Vec<_>>().join("; ")
    };
    assert!(said(&[(ARGO, "presync")]).contains("did you mean PreSync?"));
    assert!(said(&[(ARGO, "Skip,PreSync")]).contains("Skip has no effect"));
    assert!(said(&[(annotation::HOOK_DELETE_POLICY, "OnSuccess")]).contains("HookSucceeded"));
    assert!(said(&[(annotation::HOOK_DELETE_POLICY_MISSPELT, "HookSucceeded")]).contains(annotation::HOOK_DELETE_POLICY));
    assert!(said(&[(annotation::SYNC_WAVE, "1.5")]).contains("the wave is 0"));
    assert_eq!(said(&[(ARGO, "PreSync,PreDelete"), (annotation::SYNC_WAVE, "-2")]), "");
}
