//! A look right after a sync finds nothing, whatever the kind, also when hooks of every policy have run. The stories ask the same of
//! themselves.

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt, SOON, Space, assert_same, changes, config_map, eventually, job, pod};

/// Kinds that the server fills in, written as sparsely as it lets one.
const SPARSE: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, creationTimestamp: null, annotations: null}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  strategy: {}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      containers:
        - name: main
          image: busybox
          ports: [{containerPort: 80}]
          resources: {limits: {cpu: 1000m, memory: 1024Mi}, requests: {cpu: 0.5}}
          livenessProbe: {tcpSocket: {port: 80}}
status: {}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: '0 0 * * *', suspend: true, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 0
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: busybox}]}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: r}
roleRef: {kind: Role, name: r, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: default}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: worker}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {k: v, legacy: null}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: hunter2}
"#;

/// Issue of every diff: fields that the server fills in, quantities in other words, nulls, `stringData`. A second look is empty, and no
/// look writes anything.
#[test]
fn a_diff_right_after_a_sync_is_empty_for_every_kind() {
    let Some(space) = Space::open("diff-same") else { return };
    let load = serde_json::to_string(&job("load", "true")).unwrap();
    let target = space.write_text("sparse", &format!("{SPARSE}---\n{load}\n"));
    let (code, first) = space.diff(&target, &[]);
    let created =
        first["objects"].as_array().unwrap().iter().filter(|object| object["change"] == "create" && object["approximate"].is_null());
    assert_eq!((code, created.count()), (Some(1), 15), "{first:#}");
    assert!(!first.to_string().contains("hunter2") && !first.to_string().contains("aHVudGVyMg"));
    assert!(space.names("configmaps").is_empty(), "nothing was created");
    // Neither the budget nor the claim gets healthy here, and nobody waits for it in a single wave.
    let outcome = space.sync(&target).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.errors);
    eventually("the Job is over", SOON, || space.get("job/load").filter(|job| job["status"]["succeeded"] == 1));
    let kinds = "services,deployments,cronjobs,statefulsets,pvc,ingresses,networkpolicies,pdb,roles,rolebindings,configmaps,secrets,jobs";
    let versions = || {
        let list: Value = serde_json::from_str(&space.kubectl(&["get", kinds, "-o", "json"])).unwrap();
        let version = |item: &Value| (item["metadata"]["uid"].to_string(), item["metadata"]["generation"].clone(), item["spec"].clone());
        list["items"].as_array().unwrap().iter().map(version).collect::<Vec<_>>()
    };
    let before = versions();
    assert_same(space.diff(&target, &[]));
    let (code, changed) =
        space.diff(&space.write_text("changed", &SPARSE.replace("k: v", "k: w").replace("replicas: 0", "replicas: 1")), &[]);
    let expected =
        ["ConfigMap/settings configure data.k", "Deployment/web configure spec.replicas", "StatefulSet/db configure spec.replicas"];
    let mut found = changes(&changed);
    found.retain(|line| !line.starts_with("Job/load prune"));
    found.sort();
    assert_eq!((code, &found[..]), (Some(1), &expected.map(str::to_owned)[..]), "{changed:#}");
    assert_eq!(versions(), before, "a look writes nothing");
}

/// What never gets healthy here is to hold nobody up: no storage, no metrics, no ingress controller.
const HEALTHY: &str = "[health.customizations]\n\
    \"*/Ingress\" = \"return { status = 'Healthy' }\"\n\
    \"*/HorizontalPodAutoscaler\" = \"return { status = 'Healthy' }\"\n\
    \"*/PodDisruptionBudget\" = \"return { status = 'Healthy' }\"\n\
    \"PersistentVolumeClaim\" = \"return { status = 'Healthy' }\"\n";

/// A hook of every phase with every policy, Jobs and a Pod among them, one without a name of its own.
fn hooks() -> Vec<Object> {
    let policies =
        ["", "BeforeHookCreation", "HookSucceeded", "HookFailed", "BeforeHookCreation,HookSucceeded", "HookSucceeded,HookFailed"];
    let mut hooks = Vec::new();
    for phase in ["PreSync", "Sync", "PostSync", "SyncFail"] {
        for (number, policy) in policies.into_iter().enumerate() {
            let name = format!("{}-{number}", phase.to_lowercase());
            let is_job = phase == "PostSync";
            let hook = if is_job { job(&name, "true") } else { config_map(&name, "1") }.hook(phase);
            hooks.push(if policy.is_empty() { hook } else { hook.policy(policy) });
        }
    }
    hooks.push(pod("presync-pod", "true").hook("PreSync"));
    hooks.push(job("named", "true").generated().hook("Sync"));
    hooks
}

/// R201 to R213: the hooks that stay after an operation are as their manifests want them, those that go are no difference, and neither are
/// the objects between them.
#[test]
fn a_diff_after_hooks_of_every_policy_is_empty_and_so_is_what_it_says_of_the_hooks() {
    let Some(space) = Space::open("same-hooks") else { return };
    let text: Vec<String> = hooks().iter().map(|hook| serde_json::to_string(hook).unwrap()).collect();
    let target = space.write_text("all", &format!("{SPARSE}---\n{}\n", text.join("\n---\n")));
    let config = space.write_text("config", HEALTHY);
    for round in 1..=2 {
        let outcome = space.sync(&target).arg("--config").arg(&config).run();
        outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
        space.assert_no_finalizer();
        assert_same(space.diff(&target, &[]));
        eventually("what goes has gone", SOON, || {
            let list: Value = serde_json::from_str(&space.kubectl(&["get", "jobs,configmaps,pods", "-o", "json"])).unwrap();
            list["items"].as_array().unwrap().iter().all(|item| item["metadata"]["deletionTimestamp"].is_null()).then_some(())
        });
        let (_, diff) = space.diff(&target, &[]);
        let compared: Vec<&Value> = diff["objects"].as_array().unwrap().iter().filter(|object| object["hook"] == true).collect();
        assert_eq!(compared.len(), hooks().len());
        for hook in compared {
            assert_eq!(hook["fields"], json!([]), "round {round}: {hook:#}");
        }
        let left = space.names("configmaps");
        for (name, stays) in
            [("presync-0", true), ("sync-1", true), ("sync-2", false), ("presync-3", true), ("sync-4", false), ("syncfail-0", false)]
        {
            assert_eq!(left.iter().any(|one| one == name), stays, "{name}: {left:?}");
        }
    }
}
