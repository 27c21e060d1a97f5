//! What fits a definition, and what is left to the server.

use serde_json::json;

use super::*;

fn told(schema: &Value, spec: &Value) -> Vec<String> {
    let schema = json!({"type": "object", "properties": {"spec": schema}});
    let object = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec});
    misfits(Schema { tree: &schema, drops_status: false }, &object).iter().map(ToString::to_string).collect()
}

#[test]
fn a_status_that_has_a_path_of_its_own_is_dropped_before_anything_is_checked() {
    let of = |subresources: Value| {
        Object::new(
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"}, "spec": {
            "group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}, "versions": [{"name": "v1", "subresources": subresources, "schema": {"openAPIV3Schema": {
                "type": "object", "required": ["status"], "properties": {"spec": {"type": "object"}, "status": {"type": "object", "required": ["phase"], "properties": {"phase": {}}}}}}}]}}),
        )
    };
    let told = |subresources: Value, status: Value| {
        let definition = of(subresources);
        let object = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "status": status});
        let schema = of_definition(&definition, &Gvk::new("example.com/v1", "Widget")).unwrap();
        misfits(schema, &object).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for status in [json!({}), json!("nonsense"), json!({"unknown": 1}), Value::Null] {
        assert_eq!(told(json!({"status": {}}), status.clone()), [""; 0], "{status}");
    }
    assert_eq!(told(Value::Null, json!({})), ["status.phase is missing"]);
}

#[test]
fn what_the_server_would_refuse_for_certain_is_told_with_its_path() {
    let size = json!({"type": "object", "required": ["size"], "properties": {"size": {"type": "integer"}, "mode": {"enum": ["a", "b"]}}});
    let list = json!({"type": "object", "properties": {"parts": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "string"}}}}}});
    for (schema, spec, expected) in [
        (&size, json!({"size": 1, "mode": "a"}), vec![]),
        (&size, json!({"size": 1.0}), vec![]),
        (&size, json!({"size": "1"}), vec!["spec.size is a string and has to be an integer"]),
        (&size, json!({"size": 1.5}), vec!["spec.size is a number and has to be an integer"]),
        (&size, json!({}), vec!["spec.size is missing"]),
        (&size, json!({"size": null}), vec!["spec.size is missing"]),
        (&size, json!({"size": 1, "sizes": 2}), vec!["spec.sizes does not exist"]),
        (&size, json!({"size": 1, "mode": "c"}), vec!["spec.mode has to be one of a, b"]),
        (&size, json!([]), vec!["spec is an array and has to be an object"]),
        (&list, json!({"parts": [{"n": "x"}, {"m": 1}]}), vec!["spec.parts[1].m does not exist"]),
        (&list, json!({"parts": {}}), vec!["spec.parts is an object and has to be an array"]),
    ] {
        assert_eq!(told(schema, &spec), expected, "{spec}");
    }
}

#[test]
fn what_a_schema_leaves_open_is_left_to_the_server() {
    for schema in [
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        json!({"type": "object", "additionalProperties": true}),
        json!({"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": true}}),
        json!({"type": "object"}),
        json!({"type": "object", "properties": {"a": {"type": "string", "default": "x"}, "any": {}, "port": {}}, "required": ["a"]}),
        json!({}),
        json!("x"),
        json!({"type": 5, "properties": [], "required": "a", "enum": {}}),
    ] {
        assert_eq!(told(&schema, &json!({"any": {"deep": 1}, "port": 80})), [""; 0], "{schema}");
    }
    let inside = json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}});
    assert_eq!(told(&inside, &json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {}})), [""; 0]);
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    assert_eq!(told(&texts, &json!({"a": 1})), ["spec.a is an integer and has to be a string"]);
}

#[test]
fn enormous_and_deep_objects_end() {
    let mut deep = json!({"a": 1});
    let mut schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    for _ in 0..100 {
        deep = json!({"a": deep});
        schema = json!({"type": "object", "properties": {"a": schema}});
    }
    assert_eq!(told(&schema, &deep), [""; 0]);
    let many: Map<String, Value> = (0..1_000).map(|at| (format!("f{at}"), json!(1))).collect();
    assert_eq!(told(&json!({"type": "object", "properties": {}}), &Value::Object(many)).len(), MOST);
}
