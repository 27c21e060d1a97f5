//! Keys and uids: an object is named the same way before and after its definition has arrived, and what the plan applies is never deleted
//! under another name of it (spec R1209, R1210).

use super::stage::Stage;
use crate::model::{OperationPhase, ResourceKey, ResultCode};
use crate::operation::Request;

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
";

fn widget(name: &str, wave: i32) -> String {
    let annotations = format!("argocd.argoproj.io/sync-wave: '{wave}'");
    format!(
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\nspec: {{size: 1}}\n---\n"
    )
}

fn prune() -> Request {
    Request { prune: true, ..Request::default() }
}

impl Stage {
    fn widget_uid(&self, name: &str) -> Option<String> {
        let widget = self.sim.store().get("example.com", "widgets", "", name)?;
        widget["metadata"]["uid"].as_str().map(str::to_owned)
    }

    fn kept_inventory(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("state/inventory/embedded/shop/web.json")).unwrap()
    }

    /// What an earlier version wrote: the namespace of the destination at an object that has none.
    fn misname_widgets(&self) {
        let mut document: serde_json::Value = serde_json::from_str(&self.kept_inventory()).unwrap();
        for object in document["objects"].as_array_mut().unwrap().iter_mut().filter(|object| object["kind"] == "Widget") {
            object["namespace"] = "shop".into();
        }
        let file = self.folder.path().join("state/inventory/embedded/shop/web.json");
        std::fs::write(file, document.to_string()).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn r1209_r1210_a_resource_without_namespaces_that_arrives_with_its_definition_is_never_pruned_while_it_is_wanted() {
    let mut stage = Stage::new("", &format!("{DEFINITION}{}", widget("w", 0)));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert!(operation.live(&ResourceKey::new("example.com", "Widget", "", "w")).is_some(), "its key has no namespace from the beginning");
    let uid = stage.widget_uid("w").unwrap();
    stage.write(&format!("{DEFINITION}{}", widget("w", 1)));
    let operation = stage.sync(prune()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert_eq!(stage.widget_uid("w"), Some(uid));
    assert!(!operation.plan().tasks.iter().any(crate::model::Task::is_prune));
    stage.write(DEFINITION);
    stage.sync(prune()).await;
    let last = stage.results().pop().unwrap();
    assert_eq!((last.0.as_str(), last.1), ("Widget/w", ResultCode::Pruned), "what nobody wants any more still goes");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1209_an_inventory_that_gave_an_object_a_namespace_it_does_not_have_deletes_nothing_that_is_wanted() {
    let mut stage = Stage::new("", &format!("{DEFINITION}{}{}", widget("old", 0), widget("w", 0)));
    stage.sync(Request::default()).await;
    let uid = stage.widget_uid("w").unwrap();
    stage.misname_widgets();
    stage.write(&format!("{DEFINITION}{}", widget("w", 1)));
    let operation = stage.sync(prune()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert_eq!((stage.widget_uid("w"), stage.widget_uid("old")), (Some(uid), None));
    let inventory = stage.kept_inventory();
    assert_eq!(inventory.matches("\"Widget\"").count(), 1, "{inventory}");
    stage.misname_widgets();
    let operation = stage.delete().await;
    assert_eq!((operation.phase(), stage.widget_uid("w")), (OperationPhase::Succeeded, None), "{:#?}", stage.tail());
    let deleted = operation.plan().tasks.iter().filter(|task| *task.id.key.kind == *"Widget").count();
    assert_eq!(deleted, 1, "one object has one task");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1208_what_a_controller_has_adopted_is_not_pruned() {
    let config = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n---\n");
    let mut stage = Stage::new("", &format!("{}{}", config("a"), config("b")));
    stage.sync(Request::default()).await;
    let owner = serde_json::json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u"}]);
    let adopt = move |object: &mut serde_json::Value| object["metadata"]["ownerReferences"] = owner;
    stage.sim.store().update("ann", "", "configmaps", "shop", "b", adopt).unwrap();
    stage.write(&config("a"));
    let operation = stage.sync(prune()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert!(!operation.plan().tasks.iter().any(crate::model::Task::is_prune));
    assert!(stage.sim.store().get("", "configmaps", "shop", "b").is_some());
    assert_eq!(stage.told(), ["not pruned, because another object owns them: ConfigMap shop/b"]);
    stage.close().await;
}
