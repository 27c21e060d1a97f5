//! Kinds without a rule: what is evidence, what is none, and where none is looked for.

use super::*;
use crate::model::UnknownKinds;

fn custom(status: Value) -> Value {
    object("example.com/v1", "Widget", json!({}), status)
}

fn judged(object: &Value) -> Option<(HealthStatus, String, String)> {
    match Rules::default().assess(&Object::new(object.clone())) {
        Assessment::Known(health) => Some((health.status, health.message, health.rule)),
        Assessment::NoRule => None,
        Assessment::Error(error) => panic!("{object}: {error}"),
    }
}

/// What it is about, the status of a Widget of generation 2, and status, message and the evidence behind `heuristic: `.
type Row<'a> = (&'a str, Value, Option<(HealthStatus, &'a str, &'a str)>);

fn check_evidence(rows: &[Row<'_>]) {
    for (about, status, expected) in rows {
        let expected = expected.map(|(status, message, rule)| (status, message.to_owned(), format!("heuristic: {rule}")));
        assert_eq!(judged(&custom(status.clone())), expected, "{about}");
    }
}

fn one(kind: &str, status: Value) -> Value {
    json!({"conditions": [{"type": kind, "status": status, "reason": "Because", "message": "so it is"}]})
}

#[test]
fn a_generation_that_was_not_observed_is_progressing_and_says_nothing_otherwise() {
    let lag = Some((Progressing, "Waiting for the controller to observe generation 2, it has observed 1", "observedGeneration"));
    let ready = |observed: Value| json!({"observedGeneration": observed, "conditions": [{"type": "Ready", "status": "True"}]});
    let healthy = Some((Healthy, "", "condition Ready"));
    check_evidence(&[
        ("lags", json!({"observedGeneration": 1}), lag),
        ("lags, whatever the conditions say", ready(json!(1)), lag),
        ("lags behind by a float", ready(json!(1.0)), lag),
        ("stalled long ago", json!({"observedGeneration": 1, "conditions": [{"type": "Stalled", "status": "True"}]}), lag),
        ("equal", json!({"observedGeneration": 2}), None),
        ("equal, and Ready", ready(json!(2)), healthy),
        ("ahead", ready(json!(3)), healthy),
        ("absent", json!({}), None),
        ("null", ready(json!(null)), healthy),
        ("text", ready(json!("1")), healthy),
        ("garbage", ready(json!({"a": [1]})), healthy),
        ("half a number", ready(json!(1.5)), healthy),
        ("enormous", ready(json!(1e300)), healthy),
    ]);
    let mut old = custom(json!({"observedGeneration": 1}));
    for generation in [json!(null), json!("2"), json!(1)] {
        old["metadata"]["generation"] = generation;
        assert_eq!(judged(&old), None, "{old}");
    }
}

#[test]
fn known_conditions_decide_and_only_stalled_is_degraded() {
    let two = |first: (&str, &str), second: (&str, &str)| {
        let condition = |(kind, status): (&str, &str)| json!({"type": kind, "status": status, "message": kind});
        json!({"conditions": [condition(first), condition(second)]})
    };
    check_evidence(&[
        ("Ready True", one("Ready", json!("True")), Some((Healthy, "so it is", "condition Ready"))),
        ("Ready False", one("Ready", json!("False")), Some((Progressing, "so it is", "condition Ready"))),
        ("Ready Unknown", one("Ready", json!("Unknown")), Some((Progressing, "so it is", "condition Ready"))),
        ("Available True", one("Available", json!("True")), Some((Healthy, "so it is", "condition Available"))),
        ("Available False", one("Available", json!("False")), Some((Progressing, "so it is", "condition Available"))),
        ("Established True", one("Established", json!("True")), Some((Healthy, "so it is", "condition Established"))),
        ("Established False", one("Established", json!("False")), Some((Progressing, "so it is", "condition Established"))),
        ("Reconciling True", one("Reconciling", json!("True")), Some((Progressing, "so it is", "condition Reconciling"))),
        ("Reconciling False", one("Reconciling", json!("False")), None),
        ("Stalled True", one("Stalled", json!("True")), Some((Degraded, "so it is", "condition Stalled"))),
        ("Stalled False", one("Stalled", json!("False")), None),
        ("Stalled Unknown", one("Stalled", json!("Unknown")), None),
        ("Progressing True", one("Progressing", json!("True")), Some((Progressing, "so it is", "condition Progressing"))),
        ("Progressing False may be an end or a failure", one("Progressing", json!("False")), None),
        ("Stalled beats Ready", two(("Ready", "True"), ("Stalled", "True")), Some((Degraded, "Stalled", "condition Stalled"))),
        (
            "Reconciling beats Ready",
            two(("Ready", "True"), ("Reconciling", "True")),
            Some((Progressing, "Reconciling", "condition Reconciling")),
        ),
        ("Stalled beats Reconciling", two(("Reconciling", "True"), ("Stalled", "True")), Some((Degraded, "Stalled", "condition Stalled"))),
        ("Ready beats Available", two(("Available", "True"), ("Ready", "False")), Some((Progressing, "Ready", "condition Ready"))),
        (
            "Available beats Progressing",
            two(("Progressing", "True"), ("Available", "True")),
            Some((Healthy, "Available", "condition Available")),
        ),
        ("twice, in doubt the worse", two(("Ready", "True"), ("Ready", "False")), Some((Progressing, "Ready", "condition Ready"))),
        ("a failure in words of its own is no evidence", one("Failed", json!("True")), None),
        ("nor is a success", one("Succeeded", json!("True")), None),
        ("nor is another case", one("ready", json!("True")), None),
        ("nor is a phase", json!({"phase": "Ready"}), None),
        (
            "a message is the reason if there is none",
            json!({"conditions": [{"type": "Ready", "status": "False", "reason": "Slow", "message": ""}]}),
            Some((Progressing, "Slow", "condition Ready")),
        ),
        (
            "or says what is known",
            json!({"conditions": [{"type": "Ready", "status": "False"}]}),
            Some((Progressing, "The condition Ready is False", "condition Ready")),
        ),
    ]);
}

#[test]
fn a_condition_that_speaks_of_an_older_generation_proves_nothing_good() {
    let of = |kind: &str, status: &str, observed: Value| json!({"conditions": [{"type": kind, "status": status, "observedGeneration": observed}]});
    let stale = Some((Progressing, "Waiting for the condition Ready to be renewed for the last change", "condition Ready"));
    check_evidence(&[
        ("Ready for the last generation but one", of("Ready", "True", json!(1)), stale),
        ("not Ready for the last generation but one", of("Ready", "False", json!(1)), stale),
        ("Ready for this one", of("Ready", "True", json!(2)), Some((Healthy, "", "condition Ready"))),
        ("Ready for no number", of("Ready", "True", json!("1")), Some((Healthy, "", "condition Ready"))),
        ("was stalled", of("Stalled", "True", json!(1)), None),
        ("was reconciling", of("Reconciling", "True", json!(1)), None),
        ("was progressing", of("Progressing", "True", json!(1)), None),
    ]);
}

#[test]
fn a_malformed_status_is_no_evidence_and_no_error() {
    for status in [
        json!(null),
        json!("Ready"),
        json!(3),
        json!([{"type": "Ready", "status": "True"}]),
        json!({"conditions": null}),
        json!({"conditions": {}}),
        json!({"conditions": {"type": "Ready", "status": "True"}}),
        json!({"conditions": "Ready"}),
        json!({"conditions": []}),
        json!({"conditions": [null, 3, "Ready", [], {}]}),
        json!({"conditions": [{"type": "Ready"}]}),
        json!({"conditions": [{"status": "True"}]}),
        json!({"conditions": [{"type": "Ready", "status": null}]}),
        json!({"conditions": [{"type": "Ready", "status": true}]}),
        json!({"conditions": [{"type": "Ready", "status": "true"}]}),
        json!({"conditions": [{"type": "Ready", "status": "TRUE"}]}),
        json!({"conditions": [{"type": "Ready", "status": ""}]}),
        json!({"conditions": [{"type": ["Ready"], "status": "True"}]}),
        json!({"conditions": [{"type": "Stalled", "status": "true"}]}),
    ] {
        assert_eq!(judged(&custom(status.clone())), None, "{status}");
    }
    assert_eq!(judged(&fresh("example.com/v1", "Widget", json!({}))), None);
    assert_eq!(judged(&json!({"apiVersion": "example.com/v1", "kind": "Widget"})), None);
    let strange = json!({"conditions": [{"type": "Ready", "status": "True", "message": {"a": 1}, "reason": 3}]});
    check_evidence(&[("strange texts", strange, Some((Healthy, "", "condition Ready")))]);
}

#[test]
fn kinds_of_kubernetes_itself_have_the_rules_of_argo_cd_or_none() {
    let status =
        json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "False"}, {"type": "Stalled", "status": "True"}]});
    for (version, kind) in [
        ("v1", "Namespace"),
        ("v1", "Node"),
        ("v1", "ConfigMap"),
        ("v1", "ReplicationController"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("certificates.k8s.io/v1", "CertificateSigningRequest"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
        ("storage.k8s.io/v1", "VolumeAttachment"),
        ("extensions/v1beta1", "Deployment"),
    ] {
        assert_eq!(judged(&object(version, kind, json!({}), status.clone())), None, "{kind}");
    }
    for version in ["gateway.networking.k8s.io/v1", "cluster.x-k8s.io/v1beta1", "serving.knative.dev/v1"] {
        assert!(judged(&object(version, "Widget", json!({}), status.clone())).is_some(), "{version}");
    }
}

#[test]
fn strict_compatibility_has_no_opinion_on_kinds_without_a_rule() {
    let rules = Rules::default().of_unknown_kinds(UnknownKinds::None);
    let stalled = Object::new(custom(one("Stalled", json!("True"))));
    assert_eq!(rules.assess(&stalled), Assessment::NoRule);
    let deployment = Object::new(fresh("apps/v1", "Deployment", json!({})));
    assert_eq!(rules.assess(&deployment), Rules::default().assess(&deployment), "rules are rules");
}

#[test]
fn deletion_comes_before_every_evidence() {
    let deleted = deleted(custom(one("Ready", json!("True"))), json!([]));
    assert_eq!(judged(&deleted), Some((Progressing, "Pending deletion".to_owned(), "deletion".to_owned())));
}

#[test]
fn what_its_manifest_wants_to_be_off_gives_no_verdict() {
    let not_ready = json!({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "False"}]});
    for spec in [
        json!({"suspend": true}),
        json!({"suspended": true}),
        json!({"paused": true}),
        json!({"running": false}),
        json!({"runStrategy": "Halted"}),
    ] {
        assert_eq!(judged(&object("example.com/v1", "Widget", spec.clone(), not_ready.clone())), None, "{spec}");
    }
    for spec in
        [json!({"suspend": false}), json!({"running": true}), json!({"paused": "true"}), json!({"runStrategy": "Always"}), json!([])]
    {
        let status = judged(&object("example.com/v1", "Widget", spec.clone(), not_ready.clone())).map(|(status, _, _)| status);
        assert_eq!(status, Some(Progressing), "{spec}");
    }
}
