//! Options of an object for comparisons (spec R718, R1214): which have an effect here, and which are only understood. Pure.

use super::annotation::{self, list};
use super::object::Object;

/// An object that no manifest asks for is no difference of the app (spec R1214).
const EXTRANEOUS: &str = "IgnoreExtraneous";

/// What every comparison of ours does anyway: it is a dry run of the server, which runs webhooks too.
const GIVEN: [&str; 2] = ["ServerSideDiff=true", "IncludeMutationWebhook=true"];

/// Returns whether an object that no manifest asks for counts as no difference. A sync that prunes deletes it all the same.
pub(super) fn is_extraneous(object: &Object) -> bool {
    object.annotation(annotation::COMPARE_OPTIONS).is_some_and(|value| list(value).contains(&EXTRANEOUS))
}

/// Calls `add` with each annotation that has no effect, and why.
pub(super) fn concerns(object: &Object, add: &mut impl FnMut(&str, String)) {
    for item in list(object.annotation(annotation::COMPARE_OPTIONS).unwrap_or_default()) {
        if item == EXTRANEOUS || GIVEN.contains(&item) {
            continue;
        }
        let why = match (item, GIVEN.iter().chain([&EXTRANEOUS]).find(|known| known.eq_ignore_ascii_case(item))) {
            ("ServerSideDiff=false" | "IncludeMutationWebhook=false", _) => {
                "objects are always compared with the server's dry run, webhooks included".to_owned()
            }
            (_, Some(known)) => format!("did you mean {known}?"),
            (_, None) => format!("known options: {EXTRANEOUS}, {}", GIVEN.join(", ")),
        };
        add(annotation::COMPARE_OPTIONS, format!("`{item}` has no effect; {why}"));
    }
    if object.annotation(annotation::IGNORE_RESOURCE_UPDATES).is_some() {
        add(annotation::IGNORE_RESOURCE_UPDATES, "has no effect: nothing is compared anew because a status changes".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(name: &str, value: &str) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": {name: value}}}))
    }

    fn said(object: &Object) -> Vec<String> {
        let mut said = Vec::new();
        concerns(object, &mut |annotation, message| said.push(format!("{annotation}: {message}")));
        said
    }

    #[test]
    fn r718_r1214_what_has_an_effect_is_read_and_what_has_none_is_named() {
        let options = |value: &str| with("argocd.argoproj.io/compare-options", value);
        for (value, is_no_difference, words) in [
            ("IgnoreExtraneous", true, &[][..]),
            (" ServerSideDiff=true , IgnoreExtraneous,", true, &[]),
            ("ServerSideDiff=true,IncludeMutationWebhook=true", false, &[]),
            ("ServerSideDiff=false", false, &["`ServerSideDiff=false` has no effect; objects are always compared"]),
            ("ignoreExtraneous", false, &["did you mean IgnoreExtraneous?"]),
            ("IgnoreExtraneous=true", false, &["known options: IgnoreExtraneous, ServerSideDiff=true, IncludeMutationWebhook=true"]),
            ("IgnoreResourceUpdates,x", false, &["`IgnoreResourceUpdates` has no effect", "`x` has no effect"]),
            ("", false, &[]),
        ] {
            let object = options(value);
            let said = said(&object);
            assert_eq!((is_extraneous(&object), said.len()), (is_no_difference, words.len()), "{value}: {said:?}");
            assert!(said.iter().zip(words).all(|(said, word)| said.contains(word)), "{value}: {said:?}");
        }
        assert!(said(&with("argocd.argoproj.io/ignore-resource-updates", "true"))[0].contains("no effect"));
    }
}
