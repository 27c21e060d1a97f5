use serde_json::json;

use super::*;

#[test]
fn an_image_is_one_change_named_by_its_container() {
    let deployment = |image: &str| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}});
    let (live, after) = (deployment("v1"), deployment("v2"));
    let difference = compare(&Sides { live: Some(&live), after: Some(&after) }, &NoRules);
    let told: Vec<_> =
        difference.fields.iter().map(|change| (change.path.to_string(), change.before.clone(), change.after.clone())).collect();
    assert_eq!(told, [("spec.template.spec.containers[name=app].image".to_owned(), Some(json!("v1")), Some(json!("v2")))]);
}
