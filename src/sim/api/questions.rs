//! Resources that only answer: who am I, may I. Everything is allowed unless a fault rule forbids it.

use serde_json::{Value, json};

use super::super::fault::Request;
use super::super::status::ApiError;
use super::answer::Answer;
use super::{Call, body};

/// The user of every request.
const USER: &str = "syncwave";

pub(super) fn answer(call: &Call) -> Result<Answer, ApiError> {
    let mut question = body::object(call)?;
    let warnings = body::check(call, &mut question)?;
    question["apiVersion"] = call.resource.api_version().into();
    question["kind"] = call.resource.kind.clone().into();
    question["status"] = match call.resource.kind.as_str() {
        "SelfSubjectRulesReview" => json!({
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": false,
        }),
        "SelfSubjectReview" => json!({"userInfo": {"username": USER, "groups": ["system:authenticated"]}}),
        "TokenReview" => json!({"authenticated": true, "user": {"username": USER}}),
        _ => json!({"allowed": is_allowed(call, &question["spec"]["resourceAttributes"])}),
    };
    Ok(Answer::value(201, &question, call.accept).with_warnings(&warnings))
}

fn is_allowed(call: &Call, asked: &Value) -> bool {
    let text = |key: &str| asked[key].as_str().unwrap_or_default();
    let request = Request {
        verb: text("verb"),
        group: text("group"),
        plural: text("resource"),
        subresource: text("subresource"),
        namespace: text("namespace"),
        name: text("name"),
    };
    !call.faults.forbids(&request, call.store.clock().now())
}
