//! Garbage, namespaces, addresses, autoscalers, the timeline, and determinism (trace T08 and more).

use super::*;
use crate::sim::{DeleteOptions, Propagation};

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: \"web:1\"}]}
";

fn delete(lab: &Lab, group: &str, plural: &str, name: &str, propagation: Propagation) {
    let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
    lab.store.delete(group, plural, "default", name, &options).unwrap();
}

fn left(lab: &Lab) -> (usize, usize, usize) {
    let count = |group: &str, plural: &str| lab.store.list(group, plural, Some("default")).len();
    (count("apps", "deployments"), count("apps", "replicasets"), count("", "pods"))
}

#[tokio::test(start_paused = true)]
async fn trace_8_dependents_follow_their_owner_in_the_background() {
    let lab = Lab::new("");
    lab.apply(WEB);
    lab.wait(5.0).await;
    assert_eq!(left(&lab), (1, 1, 1));
    delete(&lab, "apps", "deployments", "web", Propagation::Background);
    assert_eq!(left(&lab), (0, 1, 1));
    lab.wait(0.1).await;
    assert_eq!(left(&lab), (0, 0, 1));
    lab.wait(1.0).await;
    assert_eq!(left(&lab), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn trace_8_an_owner_deleted_in_the_foreground_goes_last() {
    let lab = Lab::new("");
    lab.apply(WEB);
    lab.wait(5.0).await;
    delete(&lab, "apps", "deployments", "web", Propagation::Foreground);
    let owner = lab.get("apps", "deployments", "web");
    assert!(fields::has_finalizer(&owner, "foregroundDeletion"));
    lab.wait(2.0).await;
    assert_eq!(left(&lab), (0, 0, 0));
    let gone = lab.store.changes_since(0).unwrap_or_else(|_| lab.store.changes_since(lab.first).unwrap());
    let order: Vec<&str> = gone.iter().filter(|change| change.after.is_none()).map(|change| &*change.gr.plural).collect();
    assert_eq!(order, ["pods", "replicasets", "deployments"]);
}

#[tokio::test(start_paused = true)]
async fn trace_8_orphans_stay_without_their_owner_reference() {
    let lab = Lab::new("");
    lab.apply(WEB);
    lab.wait(5.0).await;
    delete(&lab, "apps", "deployments", "web", Propagation::Orphan);
    lab.wait(2.0).await;
    assert_eq!(left(&lab), (0, 1, 1));
    assert!(fields::owners(&lab.store.list("apps", "replicasets", Some("default"))[0]).is_empty());
}

#[tokio::test(start_paused = true)]
async fn trace_8_an_object_whose_owner_does_not_exist_is_collected() {
    let lab = Lab::new("");
    lab.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lost, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: gone, uid: 11111111-1111-4111-8111-111111111111}]}\n");
    lab.wait(0.2).await;
    assert!(lab.store.get("", "configmaps", "default", "lost").is_none());
}

#[tokio::test(start_paused = true)]
async fn trace_8_a_namespace_goes_with_its_contents_when_the_last_finalizer_is_gone() {
    let lab = Lab::new("");
    lab.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    lab.wait(0.1).await;
    assert!(lab.store.get("", "serviceaccounts", "shop", "default").is_some());
    lab.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, namespace: shop, finalizers: [example.com/backup]}\n");
    lab.apply(&WEB.replace("name: web}\nspec:\n  sel", "name: web, namespace: shop}\nspec:\n  sel"));
    lab.wait(5.0).await;
    lab.store.delete("", "namespaces", "", "shop", &DeleteOptions::default()).unwrap();
    lab.wait(20.0).await;
    let shop = lab.store.get("", "namespaces", "", "shop").unwrap();
    assert_eq!(text(&shop, "/status/phase"), "Terminating");
    assert!(conditions(&shop).contains("NamespaceFinalizersRemaining/SomeFinalizersRemain"), "{}", conditions(&shop));
    assert_eq!(lab.store.list("", "pods", Some("shop")).len(), 0);
    lab.store.update("test", "", "configmaps", "shop", "held", |object| fields::remove_finalizer(object, "example.com/backup")).unwrap();
    lab.wait(6.0).await;
    assert!(lab.store.get("", "namespaces", "", "shop").is_none());
    assert_eq!(lab.store.list("", "events", Some("shop")).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_gets_an_address_after_its_delay_unless_there_never_is_one() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n";
    let lab = Lab::new("cluster: {loadBalancer: {delay: 4s, pool: 203.0.113.0/28}}\n");
    lab.apply(service);
    lab.wait(3.9).await;
    assert_eq!(text(&lab.get("", "services", "web"), "/status/loadBalancer/ingress/0/ip"), "");
    lab.wait(0.2).await;
    assert_eq!(text(&lab.get("", "services", "web"), "/status/loadBalancer/ingress/0/ip"), "203.0.113.1");
    let lab = Lab::new("cluster: {loadBalancer: {never: true}}\n");
    lab.apply(service);
    lab.wait(600.0).await;
    assert_eq!(text(&lab.get("", "services", "web"), "/status/loadBalancer/ingress/0/ip"), "");
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_is_able_to_scale_first_and_active_later() {
    let lab = Lab::new("");
    let scaler = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n";
    lab.apply(scaler);
    lab.wait(1.0).await;
    assert_eq!(conditions(&lab.get("autoscaling", "horizontalpodautoscalers", "web")), "AbleToScale=False/FailedGetScale");
    lab.apply(WEB);
    lab.wait(15.0).await;
    assert_eq!(conditions(&lab.get("autoscaling", "horizontalpodautoscalers", "web")), "AbleToScale/SucceededGetScale");
    lab.wait(15.0).await;
    assert_eq!(
        conditions(&lab.get("autoscaling", "horizontalpodautoscalers", "web")),
        "AbleToScale/ReadyForNewScale ScalingActive/ValidMetricFound ScalingLimited=False/DesiredWithinRange"
    );
}

#[tokio::test(start_paused = true)]
async fn a_disruption_budget_counts_the_pods_that_it_selects() {
    let lab = Lab::new("");
    lab.apply(WEB);
    lab.apply("apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {minAvailable: 0, selector: {matchLabels: {app: web}}}\n");
    lab.wait(5.0).await;
    assert_eq!(conditions(&lab.get("policy", "poddisruptionbudgets", "web")), "DisruptionAllowed/SufficientPods");
}

#[tokio::test(start_paused = true)]
async fn an_api_service_is_available_when_its_service_exists() {
    let lab = Lab::new("");
    lab.apply("apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.metrics.example.com}\nspec: {group: metrics.example.com, version: v1, groupPriorityMinimum: 1, versionPriority: 1, service: {name: metrics, namespace: default}}\n");
    let get = || conditions(&lab.store.get("apiregistration.k8s.io", "apiservices", "", "v1.metrics.example.com").unwrap());
    lab.wait(1.0).await;
    assert_eq!(get(), "Available=False/ServiceNotFound");
    lab.apply("apiVersion: v1\nkind: Service\nmetadata: {name: metrics}\nspec: {ports: [{port: 443}]}\n");
    lab.wait(1.0).await;
    assert_eq!(get(), "Available/Passed");
}

#[tokio::test(start_paused = true)]
async fn a_workflow_runs_and_ends_as_the_story_says() {
    let lab = Lab::new("pods:\n  - {match: {owner: Workflow/bad}, crash: {after: 4s, exit: 1, message: step two failed}}\n");
    lab.apply("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: workflows.argoproj.io}\nspec: {group: argoproj.io, scope: Namespaced, names: {plural: workflows, kind: Workflow}, versions: [{name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}\n");
    for name in ["good", "bad"] {
        lab.apply(&format!("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: {name}}}\nspec: {{}}\n"));
    }
    let phase = |name: &str| text(&lab.get("argoproj.io", "workflows", name), "/status/phase").to_owned();
    lab.wait(1.0).await;
    assert_eq!([phase("good"), phase("bad")], ["Running", "Running"]);
    lab.wait(5.0).await;
    assert_eq!([phase("good"), phase("bad")], ["Succeeded", "Failed"]);
}

#[tokio::test(start_paused = true)]
async fn others_change_the_cluster_at_the_times_of_the_story() {
    let lab = Lab::new(
        "objects:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: old, namespace: default}, data: {a: b}}
steps:
  - {at: 2s, patch: {apiVersion: apps/v1, kind: Deployment, name: web, json: {spec: {replicas: 3}}}}
  - {at: 3s, create: {apiVersion: v1, kind: Secret, metadata: {name: late, namespace: default}}}
  - {at: 4s, delete: {apiVersion: v1, kind: ConfigMap, name: old}}
  - {at: 5s, delete: {apiVersion: v1, kind: Nonsense, name: old}}
",
    );
    lab.apply(WEB);
    lab.wait(1.9).await;
    assert_eq!(lab.pods().len(), 1);
    lab.wait(0.5).await;
    assert_eq!(lab.pods().len(), 3);
    lab.wait(3.0).await;
    assert!(lab.store.get("", "secrets", "default", "late").is_some());
    assert!(lab.store.get("", "configmaps", "default", "old").is_none());
}

#[tokio::test(start_paused = true)]
async fn a2_a_job_changes_the_cluster_while_it_runs() {
    let lab = Lab::new(
        "pods:
  - match: {owner: Job/switch}
    runs:
      after: 3s
      steps:
        - {at: 1s, create: {apiVersion: v1, kind: ConfigMap, metadata: {name: green}}}
        - {at: 3s, patch: {apiVersion: v1, kind: Service, name: web, json: {spec: {selector: {colour: green}}}}}
        - {at: 4s, delete: {apiVersion: v1, kind: Service, name: web}}
",
    );
    lab.apply("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}], selector: {colour: blue}}\n");
    lab.apply("apiVersion: batch/v1\nkind: Job\nmetadata: {name: switch}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: kubectl}]}}}\n");
    lab.wait(2.0).await;
    assert!(lab.store.get("", "configmaps", "default", "green").is_some());
    assert_eq!(text(&lab.get("", "services", "web"), "/spec/selector/colour"), "blue");
    lab.wait(10.0).await;
    assert_eq!(text(&lab.get("", "services", "web"), "/spec/selector/colour"), "green");
}

#[tokio::test(start_paused = true)]
async fn what_the_story_begins_with_has_settled() {
    let lab = Lab::new(
        "objects:
  - {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      replicas: 2
      selector: {matchLabels: {app: web}}
      template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: \"web:1\"}]}}
  - {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
",
    );
    let web = lab.store.get("apps", "deployments", "shop", "web").unwrap();
    assert_eq!(conditions(&web), "Available/MinimumReplicasAvailable Progressing/NewReplicaSetAvailable");
    assert_eq!(lab.store.list("", "pods", Some("shop")).iter().filter(|pod| fields::holds(pod, "Ready")).count(), 2);
    assert_eq!(text(&web, "/metadata/creationTimestamp"), "2026-03-01T08:55:00Z", "it was there before the story began");
    assert!(!text(&lab.store.get("", "services", "shop", "web").unwrap(), "/status/loadBalancer/ingress/0/ip").is_empty());
}

#[tokio::test(start_paused = true)]
async fn compacted_changes_do_not_stop_the_controllers() {
    let lab = Lab::new("");
    lab.apply(WEB);
    lab.store.compact();
    lab.wait(5.0).await;
    assert_eq!(left(&lab), (1, 1, 1));
    assert_eq!(number(&lab.get("apps", "deployments", "web"), "availableReplicas"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_changes() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let lab = Lab::new(
            "pods:\n  - match: {labels: {app: web}}\n    ready: {after: 2s, jitter: 900ms}\n    logs: {every: 1s, line: '{{ts}} {{pick a b c}} {{rand 1 100}}'}\n",
        );
        lab.apply(WEB);
        lab.apply("apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: j-}\nspec: {backoffLimit: 1, template: {spec: {restartPolicy: Never, containers: [{name: main, image: a, command: [\"false\"]}]}}}\n");
        lab.wait(40.0).await;
        let changes: Vec<String> = lab
            .store
            .changes_since(lab.first)
            .unwrap()
            .iter()
            .map(|change| format!("{} {}/{} {:?}", change.rev, change.gr.plural, change.name, change.after))
            .collect();
        let logs: Vec<Vec<String>> = lab.pods().iter().map(|pod| lab.log(pod, text(pod, "/spec/containers/0/name"))).collect();
        assert!(changes.len() > 50 && logs.iter().any(|log| log.len() > 20));
        runs.push((changes, logs));
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_story_begins_with_its_step_and_ends_in_time() {
    let text = "apiVersion: sim/v1
kind: Scenario
steps: [{at: 2s, fault: refused}]
faults: {refused: {match: {verb: list, resource: pods}, status: {code: 503, message: not now}, for: 3s}}
";
    let story = Story::parse(text, "test").unwrap();
    let clock = Clock::starting_at(story.clock.start, 1.0);
    let cluster = crate::sim::SimCluster::start(&story, clock, 7);
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::default_namespaced(cluster.client());
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(pods.list(&kube::api::ListParams::default()).await.is_ok());
        clock.sleep(Duration::from_millis(2500)).await;
    }
    assert_eq!(answers, [true, false, true]);
}
