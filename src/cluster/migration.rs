//! Fields that a client-side apply has left behind (spec R715, decision 6). They belong to a field manager that will never write again, so
//! a server-side apply that leaves one out would leave it in the object for ever. They become ours before the apply; then it takes out
//! what the target does not have.

use http::Method;
use serde_json::{Value, json};

use super::apply::{Before, Spot};
use super::live::{list, text};
use super::ownership::Snapshot;
use super::retry::{Backoff, is_transient};
use super::wire::{CallError, with_query};
use super::{Cluster, Reporter};
use crate::model::annotation::FIELD_MANAGER;
use crate::model::managed::{self, Entry};

impl Cluster {
    /// Makes the fields of client-side apply ours, if there are any. Returns the object as it is then.
    ///
    /// # Errors
    /// The text of the result (spec R715).
    pub(super) async fn migrate(&self, spot: Spot<'_>, reporter: &Reporter) -> Result<Before, CallError> {
        let failed = |error: &CallError| {
            let gvk = &spot.resource.gvk;
            let key = format!("{}/{}/{}/{}", gvk.group, gvk.kind, spot.namespace, spot.name);
            CallError::Withheld(format!("Failed to perform client-side apply migration for {key}: {error}"))
        };
        let doing = format!("taking over the fields of {}", spot.title());
        let mut backoff = Backoff::of_change(self, reporter, &doing);
        loop {
            let Some(object) = self.get(spot, reporter).await.map_err(|error| failed(&error))? else { return Ok(Before::Absent) };
            let Some(entries) = taken_over(&object.wire()["metadata"]["managedFields"]) else {
                return Ok(Before::Present(Snapshot::of(object.wire())));
            };
            let version = text(&object.wire()["metadata"]["resourceVersion"]);
            match self.write_owners(spot, &entries, version).await {
                Ok(written) => {
                    let names = managers(&object.wire()["metadata"]["managedFields"]).join("`, `");
                    reporter.warn(format!("the fields of the client-side field manager `{names}` are ours now"));
                    return Ok(Before::Present(Snapshot::of(&written)));
                }
                Err(error) => {
                    if !backoff.again_if(&error, is_transient(&error) || error.code() == Some(409)).await {
                        return Err(failed(&error));
                    }
                }
            }
        }
    }

    async fn write_owners(&self, spot: Spot<'_>, entries: &[Value], version: &str) -> Result<Value, CallError> {
        // The version in the patched object is a precondition: whoever wrote meanwhile has changed the owners, too.
        let patch = json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        ]);
        let path = with_query(&spot.path(), &[("fieldManager", FIELD_MANAGER)]);
        Ok(self.write(Method::PATCH, &path, "application/json-patch+json", &patch).await?.body)
    }
}

/// Returns whether an entry of `managedFields` was left behind by a client-side apply.
pub(super) fn is_left_behind(entry: &Value) -> bool {
    Entry::new(entry).is_client_side()
}

fn managers(entries: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = list(entries).filter(|entry| is_left_behind(entry)).map(|entry| text(&entry["manager"])).collect();
    names.dedup();
    names
}

/// Returns the entries with those of client-side apply joined to ours; `None` if there are none of it.
fn taken_over(entries: &Value) -> Option<Vec<Value>> {
    let is_ours = |entry: &Entry<'_>| entry.is_ours() && entry.subresource.is_empty();
    let (left, mut rest): (Vec<&Value>, Vec<&Value>) = list(entries).partition(|entry| is_left_behind(entry));
    let newest = left.last()?;
    let own = rest.iter().position(|entry| is_ours(&Entry::new(entry))).map(|at| rest.remove(at));
    let mut joined = own.unwrap_or(newest).clone();
    joined["manager"] = FIELD_MANAGER.into();
    joined["operation"] = "Apply".into();
    for entry in left {
        if let (Some(fields), Some(more)) = (joined["fieldsV1"].as_object_mut(), entry["fieldsV1"].as_object()) {
            managed::join(fields, more);
        }
    }
    Some(rest.into_iter().cloned().chain([joined]).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::cluster::apply::Writing;
    use crate::cluster::{Resource, fake, locked};
    use crate::model::{Mode, Object, Options};

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn live(entries: &Value) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "b": "2"},
            "metadata": {"name": "a", "uid": "u", "resourceVersion": "7", "managedFields": entries}})
    }

    #[test]
    fn t88_r715_only_updates_of_a_client_side_manager_are_migrated() {
        let fields = json!({"f:data": {"f:a": {}}});
        for (entries, expected) in [
            (json!(null), false),
            (json!([]), false),
            (json!([entry("kubectl-client-side-apply", "Update", &fields)]), true),
            (json!([entry("syncwave", "Apply", &fields)]), false),
            (json!([entry("argocd-controller", "Apply", &fields)]), false),
            (json!([entry("kubectl-client-side-apply", "Update", &fields), entry("syncwave", "Apply", &fields)]), true),
            (json!([entry("kubectl-client-side-apply", "Apply", &fields)]), false),
            (json!([entry("argocd-controller", "Update", &fields)]), true),
            (json!([entry("syncwave", "Update", &fields)]), true),
            (json!([entry("kubectl-edit", "Update", &fields)]), false),
        ] {
            assert_eq!(taken_over(&entries).is_some(), expected, "{entries}");
            assert_eq!(Snapshot::of(&live(&entries)).has_left_behind(), expected, "{entries}");
        }
        let mut status = entry("kubectl-client-side-apply", "Update", &fields);
        status["subresource"] = json!("status");
        assert_eq!(taken_over(&json!([status])), None);
    }

    #[test]
    fn r715_fields_are_joined_with_ours_and_others_stay_as_they_are() {
        let theirs = entry("hpa", "Update", &json!({"f:data": {"f:c": {}}}));
        let left = entry("kubectl-client-side-apply", "Update", &json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}}));
        let ours = entry("syncwave", "Apply", &json!({"f:data": {"f:a": {}}, "f:metadata": {"f:labels": {"f:x": {}}}}));
        let joined =
            entry("syncwave", "Apply", &json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:metadata": {"f:labels": {"f:x": {}}}}));
        assert_eq!(taken_over(&json!([left, theirs, ours])), Some(vec![theirs.clone(), joined]));
        let alone = entry("syncwave", "Apply", &json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}}));
        assert_eq!(taken_over(&json!([left])), Some(vec![alone]));
    }

    fn left_behind() -> Value {
        live(&json!([entry("kubectl-client-side-apply", "Update", &json!({"f:data": {"f:a": {}, "f:b": {}}}))]))
    }

    async fn apply(serve: impl Fn(fake::Asked) -> fake::FakeResponse + Send + Sync + 'static, options: &[&str]) -> Result<(), String> {
        let resource = Resource::core("ConfigMap", "configmaps");
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let target = Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}}));
        let options = Options::new(options.iter().map(|option| (*option).to_owned()));
        let mode = Mode::of(&options, false, &[], &[]);
        let before = Before::Present(Snapshot::of(&left_behind()));
        let applied = fake::cluster(serve).apply(Writing { spot, target: &target, mode, reporter: &Reporter::default() }, &before).await;
        applied.map(|_| ()).map_err(|error| error.to_string())
    }

    fn is_migration(asked: &fake::Asked) -> bool {
        asked.method == "PATCH" && asked.body.is_array()
    }

    #[tokio::test(start_paused = true)]
    async fn t89_r715_a_conflict_reads_again_and_tries_again_and_then_comes_the_apply() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (seen, migrations) = (log.clone(), AtomicUsize::new(0));
        let serve = move |asked: fake::Asked| {
            let what = if is_migration(&asked) { "MIGRATE" } else { asked.method.as_str() };
            locked(&seen).push(what.to_owned());
            if is_migration(&asked) {
                assert_eq!(asked.body[1], json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}));
                if migrations.fetch_add(1, Ordering::SeqCst) == 0 {
                    return fake::status(409, "Conflict", "the object has been modified");
                }
            }
            fake::json_answer(200, &left_behind())
        };
        apply(serve, &[]).await.unwrap();
        assert_eq!(*locked(&log), ["GET", "MIGRATE", "GET", "MIGRATE", "PATCH"]);
    }

    #[tokio::test(start_paused = true)]
    async fn t89_r715_a_migration_that_fails_is_the_result_and_the_apply_is_not_tried() {
        let serve = |asked: fake::Asked| match asked.method.as_str() {
            "GET" => fake::json_answer(200, &left_behind()),
            _ if is_migration(&asked) => fake::status(403, "Forbidden", "no patching here"),
            _ => panic!("{asked:?}"),
        };
        let error = apply(serve, &[]).await.unwrap_err();
        assert_eq!(error, "Failed to perform client-side apply migration for /ConfigMap/shop/a: no patching here");
    }

    #[tokio::test(start_paused = true)]
    async fn r715_an_option_of_the_operation_switches_it_off() {
        let serve = |asked: fake::Asked| {
            assert!(asked.method == "PATCH" && !is_migration(&asked), "{asked:?}");
            fake::json_answer(200, &left_behind())
        };
        apply(serve, &["ClientSideApplyMigration=false"]).await.unwrap();
    }
}
