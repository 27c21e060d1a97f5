//! What to do about a refusal whose own sentence does not say it (spec R1312). The sentence stays as it is; the hint follows it.

use super::wire::CallError;

/// Returns the text of a failed or foreseen write, as a result needs it.
pub(crate) fn explained(error: &CallError) -> String {
    let text = error.to_string();
    let text = text.trim();
    if text.contains("metadata.annotations: Too long") {
        return format!(
            "{text}; all annotations of an object together may have 256 KiB, and kubectl's last-applied-configuration is one of them: \
             Replace=true writes the object without it"
        );
    }
    // Of the live object it says the same, and there no option helps.
    if text.contains("typed patch object") && text.contains(": field not declared in schema") {
        return format!("{text}; correct the field, or let Validate=false leave it out");
    }
    text.to_owned()
}

/// Returns whether the server does not know the kind any more: it answers with a text instead of a `Status`.
pub(crate) fn is_unknown_kind(error: &CallError) -> bool {
    matches!(error, CallError::Refused { code: 404, reason, message, .. }
        if reason == "NotAStatus" || message == "the server could not find the requested resource")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, reason: &str, message: &str) -> CallError {
        CallError::Refused { code, reason: reason.into(), message: message.into(), causes: Vec::new(), retry_after: None }
    }

    #[test]
    fn r710_r1312_a_refusal_is_the_servers_sentence_and_a_hint_where_that_does_not_say_what_to_do() {
        let plain = "admission webhook \"guard.example.com\" denied the request: no Jobs on Fridays";
        assert_eq!(explained(&refused(403, "Forbidden", &format!(" {plain}\n"))), plain);
        let long = "ConfigMap \"a\" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes";
        let text = explained(&refused(422, "Invalid", long));
        assert!(text.starts_with(long) && text.ends_with(": Replace=true writes the object without it"), "{text}");
    }

    #[test]
    fn decision_6_an_unknown_field_comes_with_the_option_that_leaves_it_out() {
        let text = |what: &str| {
            explained(&refused(
                500,
                "",
                &format!("failed to create typed {what} object (shop/a; /v1, Kind=ConfigMap): .x: field not declared in schema"),
            ))
        };
        assert!(text("patch").ends_with(".x: field not declared in schema; correct the field, or let Validate=false leave it out"));
        assert!(text("live").ends_with("schema"), "the option is about the manifest");
    }

    #[test]
    fn r1312_a_kind_that_has_gone_is_not_an_object_that_is_missing() {
        assert!(is_unknown_kind(&refused(404, "NotAStatus", "404 page not found")));
        assert!(is_unknown_kind(&refused(404, "NotFound", "the server could not find the requested resource")));
        assert!(!is_unknown_kind(&refused(404, "NotFound", "namespaces \"x\" not found")));
    }
}
