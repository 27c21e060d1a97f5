//! Stories are read with the line of every mistake.

use super::*;

const HEAD: &str = "apiVersion: sim/v1\nkind: Scenario\n";

fn read(rest: &str) -> Story {
    Story::parse(&format!("{HEAD}{rest}"), "story.yaml").unwrap()
}

fn mistake(rest: &str) -> String {
    Story::parse(&format!("{HEAD}{rest}"), "story.yaml").unwrap_err().to_string()
}

#[test]
fn the_story_of_the_design_page_is_read_whole() {
    let story = read(
        r#"metadata: {name: checkout-demo}
about: A shop is released.
length: 1m30s
seed: 7
clock: {start: 2026-03-01T09:00:00Z, speed: 2}
cluster: {version: v1.36.0, nodes: 3, storageClasses: [standard], loadBalancer: {delay: 4s, pool: 203.0.113.0/28}}
sync: {app: shop, namespace: shop, prune: true, options: [CreateNamespace=true], resources: [":ConfigMap:b"], revision: abc}
input:
  - {at: 1s, action: sync}
  - {at: 30s, action: select Job/migrate}
objects: [./base/*.yaml, {apiVersion: v1, kind: Namespace, metadata: {name: shop}}]
pods:
  - match: {owner: Job/db-migrate, container: main}
    pull: {delay: 800ms}
    runs:
      - {after: 3s, exit: 1, logs: [{at: 200ms, line: "connecting to db"}, {at: 2.5s, line: "ERROR relation \"users\" is locked"}]}
      - {after: 2s, exit: 0, logs: [{at: 100ms, line: "migrating 0042"}, {every: 300ms, count: 5, line: "rows {{n}}000"}]}
  - match: {image: "ghcr.io/acme/web:broken"}
    pull: [{error: "manifest unknown", after: 1s}, {delay: 1s}]
  - match: {labels: {app: worker}, name: worker-*}
    crash: {after: 4s, exit: 137, reason: OOMKilled}
    ignoreTerm: true
  - match: {labels: {app: web}}
    ready: {after: 2s, jitter: 500ms}
    logs: {every: 1s, line: '{{ts}} GET /cart {{pick 200 200 200 503}} {{rand 3 90}}ms'}
  - match: {owner: Job/odd}
    hang: true
    logs: [{at: 1s, raw: "/w=="}, {at: 2s, line: "\e[2Jgone"}]
    configError: secret "x" not found
steps:
  - {at: 20s, patch: {apiVersion: apps/v1, kind: Deployment, name: web, json: {spec: {replicas: 5}}}}
  - {at: 21s, delete: {apiVersion: v1, kind: Pod, namespace: shop, name: web-0}}
  - {at: 22s, create: {apiVersion: v1, kind: Secret, metadata: {name: smtp-password, namespace: argocd}}}
  - {at: 30s, fault: slow-writes}
faults:
  slow-writes: {match: {verb: [patch], resource: deployments}, latency: {p50: 400ms, p99: 3s}, for: 10s}
  refused: {match: {verb: create}, status: {code: 403, message: no}}
"#,
    );
    assert_eq!(story.length, Some(Duration::from_secs(90)));
    assert_eq!(story.clock.start.to_string(), "2026-03-01T09:00:00Z");
    assert_eq!(story.object_files(), ["./base/*.yaml"]);
    assert_eq!(story.pods[0].run(5).unwrap().logs[1].first, Duration::from_millis(300));
    assert_eq!(story.pods[1].pull(0).unwrap().delay, Some(Duration::from_secs(1)));
    assert_eq!(story.pods[2].run(9).unwrap().exit, 137);
    assert_eq!(story.pods[4].logs[0].text, LogText::Bytes(vec![0xff]));
    let times: Vec<_> = story
        .fault_rules(story.clock.start)
        .into_iter()
        .map(|rule| (rule.when.verbs.join(","), rule.when.from.unwrap().to_string(), rule.when.nth, format!("{:?}", rule.then)))
        .collect();
    let at = |text: &str| format!("2026-03-01T09:{text}Z");
    assert_eq!(
        times,
        [
            ("create".into(), at("00:00"), None, "Status { code: 403, reason: \"Forbidden\", message: \"no\" }".into()),
            ("patch".into(), at("00:30"), None, "Latency(400ms)".into()),
            ("patch".into(), at("00:30"), Some(100..=100), "Latency(2.6s)".into()),
        ]
    );
}

#[test]
fn what_a_story_leaves_out_has_believable_defaults() {
    let story = read("");
    assert_eq!((story.cluster.nodes, story.cluster.storage_classes, story.clock.speed), (3, vec!["standard".to_owned()], 1.0));
    assert_eq!(story.clock.start.to_string(), "2026-03-01T09:00:00Z");
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let text = mistake("pods:\n  - match: {owner: Job/a}\n    run: []\n");
    assert!(text.starts_with("story story.yaml:5:5: pods[0]: unknown field `run`, expected one of"), "{text}");
    let text = mistake("pods:\n  - runs:\n      - {after: 1s}\n      - {aftr: 1s}\n");
    assert!(text.starts_with("story story.yaml:6:10: pods[0].runs[1]: unknown field `aftr`"), "{text}");
    let text = mistake("pods:\n  - pull:\n      retries: 3\n");
    assert!(text.starts_with("story story.yaml:5:7: pods[0].pull: unknown field `retries`"), "{text}");
    let text = mistake("colour: red\n");
    assert!(text.starts_with("story story.yaml:3:1: unknown field `colour`"), "{text}");
}

#[test]
fn a_wrong_value_is_named_with_its_line() {
    let text = mistake("length: 5\n");
    assert_eq!(text, "story story.yaml:3:9: length: `5` is not a duration such as `800ms`, `3s`, `2m` or `1h30m`");
    let text = mistake("length: soon\n");
    assert!(text.starts_with("story story.yaml:3:9: length: `soon` is not a duration such as"), "{text}");
    let text = mistake("pods:\n  - logs:\n      - {at: 1s}\n");
    assert!(text.starts_with("story story.yaml:5:7: pods[0].logs: a log line has either `line` or `raw`"), "{text}");
    let text = mistake("steps:\n  - {at: 1s}\n");
    assert!(text.starts_with("story story.yaml:4:3: steps: a step has exactly one of"), "{text}");
    let text = mistake("seed: [\n");
    assert!(text.contains("story.yaml:"), "{text}");
}

#[test]
fn what_contradicts_itself_is_refused() {
    assert_eq!(mistake("steps: [{at: 1s, fault: x}]\n"), "story story.yaml: steps[0]: there is no fault `x` under `faults`");
    assert_eq!(mistake("pods: [{hang: true, crash: {after: 1s}}]\n"), "story story.yaml: pods[0]: give one of `runs`, `crash` and `hang`");
    assert!(mistake("pods: [{runs: {steps: {at: 1s, fault: x}}}]\n").contains("pods[0]: a fault begins at a time of the story"));
    assert_eq!(mistake("pods: [{match: {owner: web}}]\n"), "story story.yaml: pods[0]: `owner` is `Kind/name`, not `web`");
    assert_eq!(
        Story::parse("kind: Scenario\n", "a.yaml").unwrap_err().to_string(),
        "story a.yaml: a story begins with `apiVersion: sim/v1` and `kind: Scenario`"
    );
}
