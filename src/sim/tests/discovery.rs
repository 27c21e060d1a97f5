//! What the API says about itself, and who may use it: checks D and U.

use super::*;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

#[tokio::test(start_paused = true)]
async fn d01_d02_api_and_apis_list_versions_and_groups() {
    let rig = Rig::new();
    let core = rig.get("/api").await.ok(200);
    assert_eq!((core.at("/kind"), core.at("/versions")), (json!("APIVersions"), json!(["v1"])));
    let groups = rig.get("/apis").await.ok(200);
    let apps = groups.json["groups"].as_array().unwrap().iter().find(|group| group["name"] == "apps").unwrap();
    assert_eq!(apps["preferredVersion"]["groupVersion"], "apps/v1");
}

#[tokio::test(start_paused = true)]
async fn d03_d04_d05_the_aggregated_form_carries_everything_and_an_etag() {
    let rig = Rig::new();
    let all = rig.get_as("/apis", AGGREGATED).await.ok(200);
    assert!(all.header("content-type").contains("as=APIGroupDiscoveryList"));
    let apps = all.json["items"].as_array().unwrap().iter().find(|group| group["metadata"]["name"] == "apps").unwrap();
    let version = &apps["versions"][0];
    assert_eq!(version["freshness"], "Current");
    let deployments = version["resources"].as_array().unwrap().iter().find(|row| row["resource"] == "deployments").unwrap();
    assert_eq!((&deployments["scope"], &deployments["responseKind"]["kind"]), (&json!("Namespaced"), &json!("Deployment")));
    assert_eq!(deployments["shortNames"], json!(["deploy"]));
    let subresources: Vec<_> = deployments["subresources"].as_array().unwrap().iter().map(|row| row["subresource"].clone()).collect();
    assert_eq!(subresources, [json!("scale"), json!("status")]);
    let core = rig.get_as("/api", AGGREGATED).await.ok(200);
    assert_eq!((core.at("/items/0/metadata"), core.at("/items/0/versions/0/version")), (json!({}), json!("v1")));
    let again = rig.get_with("/apis", &[("accept", AGGREGATED), ("if-none-match", all.header("etag"))]).await.ok(304);
    assert!(again.raw.is_empty());
}

#[tokio::test(start_paused = true)]
async fn d06_resources_of_a_version_with_verbs_and_subresources() {
    let rig = Rig::new();
    let list = rig.get("/apis/apps/v1").await.ok(200);
    let find = |name: &str| list.json["resources"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    let verbs = json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
    assert_eq!((&find("deployments")["verbs"], &find("deployments")["categories"]), (&verbs, &json!(["all"])));
    let scale = find("deployments/scale");
    assert_eq!((&scale["group"], &scale["version"], &scale["kind"]), (&json!("autoscaling"), &json!("v1"), &json!("Scale")));
}

#[tokio::test(start_paused = true)]
async fn d07_d08_version_and_health() {
    let rig = Rig::new();
    let version = rig.get("/version").await.ok(200);
    assert!(version.json["gitVersion"].as_str().unwrap().starts_with('v') && version.json["minor"].is_string());
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(rig.get(path).await.ok(200).raw, "ok");
    }
}

#[tokio::test(start_paused = true)]
async fn d09_openapi_has_what_kubectl_apply_needs() {
    let rig = Rig::new();
    let index = rig.get("/openapi/v3").await.ok(200);
    let url = index.json["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().unwrap().to_owned();
    assert!(url.contains("hash="));
    let document = rig.get(&url).await.ok(200);
    let patch = &document.json["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Deployment");
    assert!(patch["parameters"].as_array().unwrap().iter().any(|parameter| parameter["name"] == "fieldValidation"));
}

#[tokio::test(start_paused = true)]
async fn d10_d11_unknown_paths_are_plain_text_and_unknown_resources_a_status() {
    let rig = Rig::new();
    for path in ["/nope", "/apis/nope/v1", "/apis/nope/v1/namespaces/cf/gadgets"] {
        let reply = rig.get(path).await.ok(404);
        assert!(reply.header("content-type").starts_with("text/plain"));
        assert_eq!(reply.raw, "404 page not found\n");
    }
    for path in ["/apis/apps/v9", "/api/v1/nope"] {
        let reply = rig.get(path).await.refused(404, "NotFound", "the server could not find the requested resource");
        assert_eq!(reply.at("/details"), json!({}));
    }
}

#[tokio::test(start_paused = true)]
async fn u02_u03_u04_a_rule_forbids_in_the_words_of_the_authorizer() {
    let rig = Rig::new();
    let rule = |verb: &str, resource: &str| Rule {
        when: Match { verbs: vec![verb.into()], resource: Some(resource.into()), ..Match::default() },
        then: Outcome::Forbidden,
    };
    rig.faults.add(rule("list", "pods"));
    rig.faults.add(rule("get", "secrets"));
    let pods = rig.get("/api/v1/pods").await;
    let pods = pods.refused(403, "Forbidden", "cannot list resource \"pods\" in API group \"\" at the cluster scope");
    assert_eq!(pods.at("/details/kind"), json!("pods"));
    let secret = rig.get("/api/v1/namespaces/cf/secrets/x").await.refused(403, "Forbidden", "in the namespace \"cf\"");
    assert_eq!(secret.at("/details/name"), json!("x"));
    let ask = |verb: &str, resource: &str| json!({"spec": {"resourceAttributes": {"verb": verb, "resource": resource, "namespace": "cf"}}});
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert_eq!(rig.post(path, ask("get", "secrets")).await.ok(201).at("/status/allowed"), json!(false));
    assert_eq!(rig.post(path, ask("delete", "pods")).await.ok(201).at("/status/allowed"), json!(true));
}
