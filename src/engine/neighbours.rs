//! Live workloads beside a plan, for what its changed ConfigMaps and Secrets mean to them. Lists the usual kinds in the namespaces of such
//! changes alone, a page or two of each, and not for long: a plan must not wait for an advice. What may not be listed is not missed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;

use super::answers::{self, Heard};
use crate::cluster::{CallError, Cluster, Listed, Resource};
use crate::model::{Gvk, ResourceKey};
use crate::plan::Plan;
use crate::plan::impact::Outside;
use crate::plan::kin::READERS;

/// How long the answers may take, all together.
const PATIENCE: Duration = Duration::from_secs(3);
/// From so many objects on a list is not read to its end.
const MOST: u64 = 1_000;
const AT_ONCE: usize = 8;

/// Looks for workloads in these namespaces that are no objects of the plan.
pub(super) async fn look(cluster: &Cluster, plan: &Plan, namespaces: BTreeSet<Arc<str>>) -> Outside {
    let mut outside = Outside::default();
    if namespaces.is_empty() {
        return outside;
    }
    // What a selection leaves out is the app's all the same.
    let left_out = plan.not_run.iter().map(|other| &other.task.id.key);
    let own: BTreeSet<&ResourceKey> = plan.tasks.iter().map(|task| &task.id.key).chain(left_out).collect();
    let lists = namespaces.iter().flat_map(|namespace| kinds().into_iter().map(move |resource| (resource, namespace)));
    let lists = lists.map(|(resource, namespace)| async move { (namespace, cluster.list_whole(&resource, namespace, MOST).await) });
    let lists = futures::stream::iter(lists.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
    let take = |(namespace, listed): (&Arc<str>, Result<Listed, CallError>)| {
        let Ok(listed) = listed else { return };
        outside.workloads.extend(listed.objects.into_iter().filter(|object| !own.contains(&object.key())));
        if !listed.is_whole {
            outside.cut.insert(namespace.clone());
        }
    };
    if answers::until(cluster.clock().sleep(PATIENCE), lists, take).await == Heard::Some {
        outside.cut.extend(namespaces.iter().cloned());
    }
    outside
}

fn kinds() -> Vec<Resource> {
    READERS.iter().map(|(version, kind, plural)| Resource { gvk: Gvk::new(version, kind), ..Resource::core(kind, plural) }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::fake::{self, Asked};
    use crate::model::Kinds;
    use crate::plan::{PlanInput, Selector, Shape};

    fn plan() -> Plan {
        plan_of(None)
    }

    fn plan_of(selection: Option<&[Selector]>) -> Plan {
        let origin = crate::model::Origin { file: "app.yaml".into(), line: 1 };
        let metadata = json!({"name": "own", "namespace": "shop"});
        let object = crate::model::Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}));
        Plan::build(&PlanInput {
            app: "web",
            namespace: "shop",
            revision: "r",
            operation: "op",
            started_at: fake::epoch(),
            manifests: &[crate::plan::Manifest { object, origin }],
            kinds: &Kinds::default(),
            candidates: &[],
            selection,
            shape: &Shape::default(),
        })
    }

    fn items(names: &[&str], from: &str) -> Value {
        let items: Vec<Value> = names.iter().map(|name| json!({"metadata": {"name": name, "namespace": "shop"}})).collect();
        json!({"metadata": {"continue": from, "remainingItemCount": if from.is_empty() { 0 } else { 5_000 }}, "items": items})
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_object_of_the_plan_is_found_and_long_lists_are_cut() {
        let cluster = fake::cluster(|asked: Asked| match asked.path.as_str() {
            "/apis/apps/v1/namespaces/shop/deployments" => fake::json_answer(200, &items(&["own", "other"], "")),
            "/apis/apps/v1/namespaces/shop/statefulsets" => {
                assert_eq!(asked.query, "limit=500", "one page of many");
                fake::json_answer(200, &items(&["db"], "more"))
            }
            _ => fake::status(403, "Forbidden", "no"),
        });
        let outside = look(&cluster, &plan(), BTreeSet::from(["shop".into()])).await;
        let mut names: Vec<String> = outside.workloads.iter().map(|object| object.key().short()).collect();
        names.sort();
        assert_eq!(
            (names, outside.cut),
            (vec!["Deployment/other".to_owned(), "StatefulSet/db".to_owned()], BTreeSet::from(["shop".into()]))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_selection_leaves_out_is_no_stranger() {
        let cluster = fake::cluster(|_| fake::json_answer(200, &items(&["own"], "")));
        let selection = [Selector::parse(":ConfigMap:settings").unwrap()];
        let outside = look(&cluster, &plan_of(Some(&selection)), BTreeSet::from(["shop".into()])).await;
        assert!(!outside.workloads.iter().any(|object| object.key().short() == "Deployment/own"), "{:?}", outside.workloads);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_asked_without_a_reason_and_nobody_is_waited_for_long() {
        let silent = fake::cluster(|asked: Asked| panic!("{asked:?}"));
        assert!(look(&silent, &plan(), BTreeSet::new()).await.workloads.is_empty());
        let busy = fake::cluster(|_| fake::status(429, "TooManyRequests", "busy"));
        let began = busy.clock().now();
        assert!(look(&busy, &plan(), BTreeSet::from(["shop".into()])).await.workloads.is_empty());
        assert!(busy.clock().now().duration_since(began).as_secs() <= 3);
    }
}
