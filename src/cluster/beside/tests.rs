//! Which refusals of a trial are about the target, and that the name of the trial is not heard of.

use serde_json::json;

use super::*;

fn refusal(code: u16, message: &str, causes: &[&str]) -> CallError {
    let causes = causes.iter().map(|field| (*field).to_owned()).collect();
    CallError::Refused { code, reason: "Invalid".into(), message: message.into(), causes, retry_after: None }
}

#[test]
fn r713_a_refusal_of_the_target_itself_is_final_and_one_of_a_second_object_is_not() {
    for (error, expected) in [
        (refusal(422, "ConfigMap \"a\" is invalid: data[a b]: Invalid value", &["data[a b]"]), true),
        (refusal(422, "Pod \"a\" is invalid: [metadata.name: too long, spec: Required]", &["metadata.name", "spec"]), true),
        (refusal(400, "strict decoding error: unknown field \"dataz\"", &[]), true),
        (refusal(500, "failed to create typed patch object (s/a; v1, Kind=ConfigMap): .z: field not declared in schema", &[]), true),
        (refusal(500, "etcdserver: no leader", &[]), false),
        (refusal(403, "exceeded quota: pods", &[]), false),
        (refusal(409, "configmaps \"a\" already exists", &[]), false),
        (
            refusal(
                422,
                "Service \"a\" is invalid: spec.ports[0].nodePort: provided port is already allocated",
                &["spec.ports[0].nodePort"],
            ),
            false,
        ),
        (refusal(422, "APIService \"a\" is invalid: metadata.name: Invalid value", &["metadata.name"]), false),
        (refusal(422, "Widget \"a\" is invalid: <nil>: Invalid value: it is called otherwise", &["<nil>"]), false),
        (refusal(400, "admission webhook \"ingress\" denied the request: host is already defined", &[]), false),
        (refusal(422, "ValidatingAdmissionPolicy 'names' with binding 'b' denied request: no", &[]), false),
        (CallError::TimedOut, false),
    ] {
        assert_eq!(is_final(&error), expected, "{error}");
    }
}

#[test]
fn the_name_of_a_trial_fits_and_is_put_back_only_where_it_stands_alone() {
    assert_eq!(trial_name("web"), "web-again");
    let long = format!("{}.{}", "x".repeat(56), "y".repeat(50));
    assert_eq!(trial_name(&long), format!("{}-again", "x".repeat(56)));
    let said = "ConfigMap \"a-again\" (shop/a-again; v1): data-again, a-again-b, a-again";
    assert_eq!(reworded(said, "a-again", "a"), "ConfigMap \"a\" (shop/a; v1): data-again, a-again-b, a");
    let mut value = json!({"metadata": {"name": "a-again"}, "labels": ["a-again", "data-again"]});
    rename(&mut value, "a-again", "a");
    assert_eq!(value, json!({"metadata": {"name": "a"}, "labels": ["a", "data-again"]}));
}
