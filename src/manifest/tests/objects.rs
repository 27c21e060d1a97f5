use proptest::prelude::*;
use serde_json::json;

use super::*;

const ESCAPE: char = '\u{1b}';
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ";

fn places(text: &str) -> Vec<String> {
    loaded(text).manifests.iter().map(|manifest| format!("{} {}", manifest.object.name(), manifest.origin)).collect()
}

#[test]
fn every_document_is_an_object_with_the_line_of_its_first_key() {
    let text =
        format!("# head\n\n{CONFIG}a\n---\n# note\n{CONFIG}b\n---\n---\n{{apiVersion: v1, kind: Secret, metadata: {{name: c}}}}\n...\n");
    assert_eq!(places(&text), ["a app.yaml:3", "b app.yaml:9", "c app.yaml:15"]);
    assert_eq!(places(""), [""; 0]);
    assert_eq!(places("# only a comment\n---\n"), [""; 0]);
    assert_eq!(places(&format!("\u{feff}{CONFIG}a")), ["a app.yaml:1"]);
    assert_eq!(places(&format!("{CONFIG}a\n---\n{CONFIG}b").replace('\n', "\r\n")), ["a app.yaml:1", "b app.yaml:6"]);
}

#[test]
fn lists_are_expanded_and_their_items_keep_their_lines() {
    let item = "- apiVersion: v1\n  kind: Service\n  metadata: {name: ";
    let text = format!("apiVersion: v1\nkind: List\nitems:\n{item}a}}\n{item}b}}\n---\n{CONFIG}c\n");
    assert_eq!(places(&text), ["a app.yaml:4", "b app.yaml:7", "c app.yaml:11"]);
    let nested = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - metadata: {name: one}\n  - metadata: {name: two}\n";
    let found = loaded(nested);
    assert_eq!(found.manifests[1].object.wire(), &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}}));
    assert_eq!(found.manifests[1].origin.line, 8);
    assert_eq!(places("apiVersion: v1\nkind: List\nitems:\n"), [""; 0]);
    assert_eq!(places("apiVersion: v1\nkind: List\n"), [""; 0]);
}

#[test]
fn a_kind_that_only_ends_in_list_is_an_object() {
    assert_eq!(places("apiVersion: example.com/v1\nkind: AccessList\nmetadata: {name: a}\nspec: {}\n"), ["a app.yaml:1"]);
    assert_eq!(refused("apiVersion: v1\nkind: List\nitems: {a: 1}\n"), "app.yaml:3:8: items is a mapping, not a list");
    assert_eq!(refused("apiVersion: v1\nkind: List\nitems: [7]\n"), "app.yaml:3:9: the item is a number, not an object");
}

#[test]
fn json_is_read_with_its_lines_too() {
    let text = "{\n\t\"apiVersion\": \"v1\", \"kind\": \"List\",\n\t\"items\": [\n\t\t{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\\u0041\\ud83d\\ude00\"}},\n\t\t{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"b\"}, \"spec\": {\"x\": 1.0, \"y\": \"yes\", \"z\": [1, -2.5, null, true, \"]\\\"}\"]}}\n\t]\n}\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"c\"}}";
    let found = parse(text, "app.json").unwrap();
    let names: Vec<_> = found.manifests.iter().map(|manifest| (manifest.object.name(), manifest.origin.line)).collect();
    assert_eq!(names, [("aA😀", 4), ("b", 5), ("c", 8)]);
    assert_eq!(places("{apiVersion: v1, kind: Pod, metadata: {name: flow}}"), ["flow app.yaml:1"]);
    assert_eq!(found.manifests[1].object.wire()["spec"], json!({"x": 1, "y": "yes", "z": [1, -2.5, null, true, "]\"}"]}));
}

#[test]
fn decision_15_a_repeated_key_warns_and_the_last_one_wins() {
    let found = loaded(&format!("{CONFIG}a\ndata:\n  k: one\n  other: x\n  k: two\n"));
    assert_eq!(found.manifests[0].object.wire()["data"], json!({"k": "two", "other": "x"}));
    let warnings: Vec<_> =
        found.warnings.iter().map(|warning| (warning.message.as_str(), warning.origin.as_ref().map(|origin| origin.line))).collect();
    assert_eq!(warnings, [("the key `k` is repeated (first in line 6); the last one wins", Some(8))]);
    let json = parse("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\n\"kind\":\"Job\"}", "a.json").unwrap();
    assert_eq!((json.manifests[0].object.gvk().kind.as_ref(), json.warnings.len()), ("Job", 1));
}

#[test]
fn decision_19_what_cannot_be_an_object_is_refused_with_field_and_value() {
    let with = |metadata: &str| refused(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  {metadata}\n"));
    let rows = [
        (refused("apiVersion: v1\nmetadata: {name: a}"), "app.yaml:1:1: the object has no kind"),
        (refused("# x\nkind: Job\nmetadata: {name: a}"), "app.yaml:2:1: the object has no apiVersion"),
        (refused("apiVersion: v1\nkind:\n"), "app.yaml:1:1: the object has no kind"),
        (refused("apiVersion: v1\nkind: 7\n"), "app.yaml:2:7: kind is `7`, which is read as a number; it has to be text"),
        (refused("apiVersion: 1.5\nkind: Job\n"), "app.yaml:1:13: apiVersion is `1.5`, which is read as a number; it has to be text"),
        (refused("just words\n"), "app.yaml:1:1: the document is text, not an object"),
        (refused("- a\n- b\n"), "app.yaml:1:1: the document is a list, not an object"),
        (with("name: true"), "app.yaml:4:9: metadata.name is `true`, which is read as a boolean; it has to be text"),
        (with("name: yes"), "app.yaml:4:9: metadata.name is `yes`, which is read as a boolean; it has to be text"),
        (with("name: 0123"), "app.yaml:4:9: metadata.name is `0123`, which is read as a number; it has to be text"),
        (with("name:"), "app.yaml:4:7: metadata.name is empty; it has to be text"),
        (with("name: [a]"), "app.yaml:4:9: metadata.name is a list; it has to be text"),
        (with("namespace: 5"), "app.yaml:4:14: metadata.namespace is `5`, which is read as a number; it has to be text"),
        (with("labels: {app: 8080}"), "app.yaml:4:17: metadata.labels[app] is `8080`, which is read as a number; it has to be text"),
        (
            with("annotations:\n    argocd.argoproj.io/sync-wave: -1"),
            "app.yaml:5:35: metadata.annotations[argocd.argoproj.io/sync-wave] is `-1`, which is read as a number; it has to be text",
        ),
        (with("annotations: {a: on}"), "app.yaml:4:20: metadata.annotations[a] is `on`, which is read as a boolean; it has to be text"),
        (with("labels: {a: }"), "app.yaml:4:13: metadata.labels[a] is empty; it has to be text"),
        (with("labels: [a]"), "app.yaml:4:11: metadata.labels is a list, not a mapping"),
        (refused("apiVersion: v1\nkind: Job\nmetadata: web\n"), "app.yaml:3:11: metadata is text, not a mapping"),
    ];
    for (found, expected) in rows {
        assert_eq!(found, expected);
    }
}

#[test]
fn what_templates_leave_empty_is_accepted() {
    let found =
        loaded("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace:\n  labels:\n  annotations: {}\n  creationTimestamp: null\n");
    assert_eq!(found.manifests[0].object.namespace(), "");
    // A hook may have no name at all; it gets one from its phase (spec R302).
    assert_eq!(loaded("apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: }\n").manifests.len(), 1);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z0-9 \\n\\t:{}\\[\\]\\-#&*!|>'\",<%@`?\\\\\\u{0}\\u{1b}é😀]{0,200}") {
        for file in ["a.yaml", "a.json"] {
            if let Err(error) = parse(&text, file) {
                let is_harmless = !rendered(&error).contains(ESCAPE);
                prop_assert!(is_harmless);
            }
        }
    }

    #[test]
    fn any_words_are_written_and_read_back(words in proptest::collection::vec("\\PC{0,12}|[ \\n:#'\"0-9a-f_.+-]{0,8}", 0..6)) {
        let value = json!({"words": words});
        let read = super::super::yaml::read(&super::super::to_yaml(&value)).map_err(|fault| fault.problem);
        prop_assert_eq!(read.map(|read| read.documents.into_iter().next().map(super::super::node::Node::into_value)), Ok(Some(value)));
    }
}
