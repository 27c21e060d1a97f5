//! Questions to what `diff -o json` printed.

use serde_json::Value;

/// Returns the changes of a diff, `ConfigMap/a configure data.value`, without what is as the manifests say or ignored, and without hooks.
pub(crate) fn changes(diff: &Value) -> Vec<String> {
    let is_empty = |list: &Value| list.as_array().unwrap().is_empty();
    let is_ignored = |object: &Value| is_empty(&object["fields"]) && !is_empty(&object["ignored"]);
    let objects = diff["objects"].as_array().unwrap().iter();
    let objects = objects.filter(|object| object["hook"] == false && object["change"] != "unchanged" && !is_ignored(object));
    let line = |object: &Value| {
        let paths: Vec<&str> = object["fields"].as_array().unwrap().iter().map(|field| field["path"].as_str().unwrap()).collect();
        let reason = if paths.is_empty() { object["reason"].as_str().unwrap_or_default().to_owned() } else { paths.join(", ") };
        format!("{}/{} {} {reason}", object["kind"].as_str().unwrap(), object["name"].as_str().unwrap(), object["change"].as_str().unwrap())
    };
    objects.map(line).collect()
}

pub(crate) fn object<'a>(diff: &'a Value, name: &str) -> &'a Value {
    diff["objects"].as_array().unwrap().iter().find(|object| object["name"] == name).unwrap_or_else(|| panic!("no {name} in {diff}"))
}

/// Returns one of the fields of an object that differ.
#[track_caller]
pub(crate) fn field<'a>(diff: &'a Value, name: &str, path: &str) -> &'a Value {
    let fields = object(diff, name)["fields"].as_array().unwrap();
    fields.iter().find(|field| field["path"] == path).unwrap_or_else(|| panic!("no {path} of {name} in {diff:#}"))
}

/// Checks that nothing differs.
#[track_caller]
pub(crate) fn assert_same((code, diff): (Option<i32>, Value)) {
    assert_eq!((changes(&diff), code), (vec![], Some(0)), "{diff:#}");
}
