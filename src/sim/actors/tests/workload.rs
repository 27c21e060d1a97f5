//! Deployments, StatefulSets, DaemonSets: traces T04 to T07.

use super::*;

fn deployment(replicas: i64, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec: {{containers: [{{name: web, image: \"{image}\"}}]}}\n"
    )
}

fn set_image(lab: &Lab, plural: &str, name: &str, image: &str) {
    let change = |object: &mut Value| object["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
    lab.store.update("test", "apps", plural, "default", name, change).unwrap();
}

fn counts(object: &Value, fields: &[&str]) -> String {
    let all: Vec<String> = fields.iter().map(|field| number(object, field).to_string()).collect();
    all.join("/")
}

#[tokio::test(start_paused = true)]
async fn trace_4_a_deployment_is_observed_before_it_progresses_and_ends_available() {
    let lab = Lab::new("");
    lab.apply(&deployment(2, "web:1"));
    lab.wait(10.0).await;
    let project = |web: &Value| {
        format!(
            "observed {} {} [{}]",
            number(web, "observedGeneration"),
            counts(web, &["replicas", "updatedReplicas", "availableReplicas", "unavailableReplicas"]),
            conditions(web)
        )
    };
    let trace = lab.trace("deployments", project);
    assert_eq!(
        trace,
        [
            "observed 0 0/0/0/0 []",
            "observed 0 0/0/0/0 [Progressing/NewReplicaSetCreated]",
            "observed 1 0/0/0/2 [Progressing/NewReplicaSetCreated Available=False/MinimumReplicasUnavailable]",
            "observed 1 2/2/0/2 [Available=False/MinimumReplicasUnavailable Progressing/ReplicaSetUpdated]",
            "observed 1 2/2/2/0 [Available/MinimumReplicasAvailable Progressing/NewReplicaSetAvailable]",
        ]
    );
    let set = &lab.store.list("apps", "replicasets", Some("default"))[0];
    let events = lab.events();
    assert_eq!(events[0], format!("ScalingReplicaSet: Scaled up replica set {} from 0 to 2", fields::name(set)));
    assert_eq!(lab.log(&lab.pods()[0], "web"), ["web started"]);
}

#[tokio::test(start_paused = true)]
async fn trace_5_a_rollout_goes_up_one_and_down_one() {
    let lab = Lab::new("");
    lab.apply(&deployment(2, "web:1"));
    lab.wait(10.0).await;
    set_image(&lab, "deployments", "web", "web:2");
    let before = lab.events().len();
    lab.wait(20.0).await;
    let scaled: Vec<String> = lab.events()[before..]
        .iter()
        .filter(|event| event.starts_with("ScalingReplicaSet"))
        .map(|event| {
            let words: Vec<&str> = event.split(' ').collect();
            format!("{} {} {}", words[2], words[words.len() - 3], words[words.len() - 1])
        })
        .collect();
    assert_eq!(scaled, ["up 0 1", "down 2 1", "up 1 2", "down 1 0"]);
    let web = lab.get("apps", "deployments", "web");
    assert_eq!(number(&web, "observedGeneration"), 2);
    assert_eq!(conditions(&web), "Available/MinimumReplicasAvailable Progressing/NewReplicaSetAvailable");
    assert_eq!(lab.pods().len(), 2);
    let replicas: Vec<i64> =
        lab.trace("deployments", |web| number(web, "replicas").to_string()).iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(replicas, [0, 2, 3, 2, 3, 2]);
    assert!(lab.trace("deployments", |web| number(web, "terminatingReplicas").to_string()).contains(&"1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_rollout_whose_image_cannot_be_pulled_keeps_the_old_pods_and_runs_into_its_deadline() {
    let lab = Lab::new("pods:\n  - match: {image: \"*:broken\"}\n    pull: {error: manifest unknown, after: 1s}\n");
    lab.apply(&deployment(2, "web:1").replace("  replicas", "  progressDeadlineSeconds: 30\n  replicas"));
    lab.wait(10.0).await;
    set_image(&lab, "deployments", "web", "web:broken");
    lab.wait(60.0).await;
    let web = lab.get("apps", "deployments", "web");
    assert_eq!(conditions(&web), "Available/MinimumReplicasAvailable Progressing=False/ProgressDeadlineExceeded");
    assert_eq!(number(&web, "availableReplicas"), 2);
    let waiting: Vec<String> =
        lab.pods().iter().map(|pod| text(pod, "/status/containerStatuses/0/state/waiting/reason").to_owned()).collect();
    assert_eq!(waiting.iter().filter(|reason| *reason == "ImagePullBackOff").count(), 1, "{waiting:?}");
}

#[tokio::test(start_paused = true)]
async fn a_recreated_deployment_has_no_new_pod_before_the_last_old_one_is_gone() {
    let lab = Lab::new("");
    lab.apply(&deployment(2, "web:1").replace("  replicas", "  strategy: {type: Recreate}\n  replicas"));
    lab.wait(10.0).await;
    set_image(&lab, "deployments", "web", "web:2");
    lab.wait(20.0).await;
    let replicas = lab.trace("deployments", |web| number(web, "replicas").to_string());
    assert_eq!(replicas, ["0", "2", "0", "2"]);
    assert_eq!(lab.pods().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_paused_deployment_starts_nothing() {
    let lab = Lab::new("");
    lab.apply(&deployment(2, "web:1").replace("  replicas", "  paused: true\n  replicas"));
    lab.wait(5.0).await;
    assert_eq!(lab.pods().len(), 0);
    assert_eq!(
        conditions(&lab.get("apps", "deployments", "web")),
        "Available=False/MinimumReplicasUnavailable Progressing=Unknown/DeploymentPaused"
    );
}

const STATEFUL: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: s}
spec:
  replicas: 2
  serviceName: s
  selector: {matchLabels: {app: s}}
  template:
    metadata: {labels: {app: s}}
    spec: {containers: [{name: s, image: \"s:1\"}]}
  volumeClaimTemplates:
  - metadata: {name: d}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";

#[tokio::test(start_paused = true)]
async fn trace_6_a_stateful_set_starts_the_next_pod_when_the_one_before_is_ready() {
    let lab = Lab::new("");
    lab.apply(STATEFUL);
    lab.wait(20.0).await;
    let created: Vec<String> = lab.events().into_iter().filter(|event| event.starts_with("SuccessfulCreate")).collect();
    assert_eq!(
        created,
        [
            "SuccessfulCreate: Create Claim d-s-0 Pod s-0 in StatefulSet s success",
            "SuccessfulCreate: Create Pod s-0 in StatefulSet s successful",
            "SuccessfulCreate: Create Claim d-s-1 Pod s-1 in StatefulSet s success",
            "SuccessfulCreate: Create Pod s-1 in StatefulSet s successful",
        ]
    );
    let ready = lab.trace("pods", |pod| format!("{} {}", fields::name(pod), fields::holds(pod, "Ready")));
    let place = |line: &str| ready.iter().position(|one| one == line).unwrap();
    assert!(place("s-0 true") < place("s-1 false"), "{ready:?}");
    let set = lab.get("apps", "statefulsets", "s");
    assert_eq!(counts(&set, &["replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"]), "2/2/2/2/2");
    assert_eq!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
    assert_eq!(set["status"]["collisionCount"], 0);
    assert_eq!(text(&lab.get("", "persistentvolumeclaims", "d-s-0"), "/status/phase"), "Bound");
}

#[tokio::test(start_paused = true)]
async fn trace_6_a_claim_without_any_class_waits_and_says_so() {
    let lab = Lab::new("cluster: {storageClasses: []}\n");
    lab.apply(STATEFUL);
    lab.wait(40.0).await;
    assert_eq!(text(&lab.get("", "persistentvolumeclaims", "d-s-0"), "/status/phase"), "Pending");
    let events = lab.events();
    assert!(
        events.contains(&"FailedBinding: no persistent volumes available for this claim and no storage class is set".to_owned()),
        "{events:?}"
    );
    assert_eq!(conditions(&lab.get("", "pods", "s-0")), "PodScheduled=False/Unschedulable");
}

#[tokio::test(start_paused = true)]
async fn a_stateful_set_is_updated_from_its_highest_pod_down() {
    let lab = Lab::new("");
    lab.apply(STATEFUL);
    lab.wait(20.0).await;
    let before = lab.events().len();
    set_image(&lab, "statefulsets", "s", "s:2");
    lab.wait(1.0).await;
    let set = lab.get("apps", "statefulsets", "s");
    assert_ne!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
    lab.wait(20.0).await;
    let moves: Vec<String> = lab.events()[before..].iter().filter(|event| event.starts_with("Successful")).cloned().collect();
    assert_eq!(
        moves,
        ["SuccessfulDelete: Delete Pod s-1 in StatefulSet s successful", "SuccessfulDelete: Delete Pod s-0 in StatefulSet s successful",],
        "creations are counted on the first event"
    );
    let set = lab.get("apps", "statefulsets", "s");
    assert_eq!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
    assert!(lab.pods().iter().all(|pod| pod["spec"]["containers"][0]["image"] == "s:2"));
}

#[tokio::test(start_paused = true)]
async fn trace_7_a_daemon_set_has_a_pod_on_every_node() {
    let lab = Lab::new("cluster: {nodes: 2}\n");
    lab.apply("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {app: d}}\n  template:\n    metadata: {labels: {app: d}}\n    spec: {containers: [{name: d, image: \"d:1\"}]}\n");
    lab.wait(5.0).await;
    let set = lab.get("apps", "daemonsets", "d");
    assert_eq!(
        counts(&set, &["desiredNumberScheduled", "currentNumberScheduled", "numberReady", "numberAvailable", "updatedNumberScheduled"]),
        "2/2/2/2/2"
    );
    let mut nodes: Vec<String> = lab.pods().iter().map(|pod| text(pod, "/spec/nodeName").to_owned()).collect();
    nodes.sort();
    assert_eq!(nodes, ["node-1", "node-2"]);
    assert!(lab.events().iter().any(|event| event.starts_with("Scheduled: Successfully assigned default/d-")));
}
