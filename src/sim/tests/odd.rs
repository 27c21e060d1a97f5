//! Whatever a body says: the server answers, keeps its store whole and goes on.

use proptest::prelude::*;

use super::*;

fn templates() -> Vec<(&'static str, Value)> {
    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u", "controller": true}]);
    let mut config =
        cm_with("x", json!({"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": ["e/f"], "ownerReferences": owner}));
    config["data"] = json!({"k": "v"});
    let full = json!([{
        "name": "c", "image": "i", "args": ["a"], "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [{"containerPort": 80}], "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}},
        "readinessProbe": {"httpGet": {"port": 80}}, "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }]);
    let mut web = deployment("x", full);
    web["spec"]["template"]["spec"]["volumes"] = json!([{"name": "v", "configMap": {"name": "x"}}]);
    web["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
    let mut set = web.clone();
    set["kind"] = "StatefulSet".into();
    set["spec"].as_object_mut().unwrap().retain(|key, _| !matches!(key.as_str(), "paused" | "strategy"));
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]);
    let mut cron = job("x");
    cron["kind"] = "CronJob".into();
    cron["spec"] = json!({"schedule": "* * * * *", "jobTemplate": {"spec": job("x")["spec"]}});
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "x"}, "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}}});
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "x"}, "spec": {"hard": {"count/secrets": "1"}}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"a": "b"}, "data": {"c": "ZA=="}});
    vec![
        (CM, config),
        (DEPLOYMENTS, web),
        ("/apis/apps/v1/namespaces/cf/statefulsets", set),
        (JOBS, job("x")),
        ("/apis/batch/v1/namespaces/cf/cronjobs", cron),
        (PODS, pod("x", json!({}))),
        (SERVICES, service("x", json!([{"port": 80, "protocol": "TCP"}]))),
        ("/apis/autoscaling/v2/namespaces/cf/horizontalpodautoscalers", scaler),
        ("/api/v1/namespaces/cf/resourcequotas", quota),
        ("/api/v1/namespaces/cf/secrets", secret),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", custom::definition("widgets")),
        ("/apis/ex.com/v1/namespaces/cf/widgets", custom::widget("x", json!({"size": 1, "parts": [{"id": "1"}], "any": {"a": [1]}}))),
    ]
}

fn odd() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("x"),
        json!([]),
        json!({}),
        json!([null]),
        json!([1, "a"]),
        json!({"a": 1}),
        json!([{}]),
        json!([[{"name": []}]]),
        json!({"": {"": null}}),
    ])
}

/// Replaces the value at the end of a random walk.
fn spoil(value: &mut Value, walk: &[prop::sample::Index], odd: &Value) {
    let Some((step, rest)) = walk.split_first() else {
        *value = odd.clone();
        return;
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let key = step.get(&fields.keys().cloned().collect::<Vec<_>>()).clone();
            spoil(&mut fields[&key], rest, odd);
        }
        Value::Array(items) if !items.is_empty() => {
            let at = step.index(items.len());
            spoil(&mut items[at], rest, odd);
        }
        _ => *value = odd.clone(),
    }
}

async fn play(path: &str, whole: &Value, bad: &Value) {
    let rig = Rig::new();
    rig.store.create("tests", custom::definition("widgets")).unwrap();
    let item = format!("{path}/x");
    let mut seen = Vec::new();
    for first in [None, Some(whole)] {
        if let Some(first) = first {
            rig.delete(&item).await;
            rig.post(path, first.clone()).await;
        }
        seen.push(rig.patch(&format!("{item}?fieldManager=m&force=true"), APPLY, bad.clone()).await);
        seen.push(rig.post(&format!("{path}?dryRun=All"), bad.clone()).await);
        seen.push(rig.post(path, bad.clone()).await);
        seen.push(rig.put(&item, bad).await);
        for media in [MERGE, STRATEGIC, JSON_PATCH] {
            seen.push(rig.patch(&item, media, bad.clone()).await);
        }
        seen.push(rig.patch(&format!("{item}/status"), MERGE, bad.clone()).await);
        drop(rig.store.create("tests", bad.clone()));
        let (group, plural) = if path == CM { ("", "configmaps") } else { ("batch", "jobs") };
        drop(rig.store.update("tests", group, plural, "cf", "x", |object| object.clone_from(bad)));
    }
    rig.get(path).await;
    rig.delete_with(&item, bad.clone()).await;
    assert!(seen.iter().all(|reply| (200..=500).contains(&reply.status)));
    rig.get("/api/v1/namespaces/cf").await.ok(200);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_body_stops_the_server(
        template in any::<prop::sample::Index>(),
        walk in prop::collection::vec(any::<prop::sample::Index>(), 0..7),
        odd in odd(),
    ) {
        let (path, whole) = template.get(&templates()).clone();
        let mut bad = whole.clone();
        spoil(&mut bad, &walk, &odd);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(path, &whole, &bad));
    }
}
