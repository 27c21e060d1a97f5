//! The conformance checks of the API server, through `kube::Client` on paused time. Names begin with the check.

mod apply;
mod cluster;
mod create;
mod custom;
mod delete;
mod discovery;
mod kube_rs;
mod list;
mod logs;
mod odd;
mod patch;
mod property;
mod update;
mod watch;

use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;
use crate::clock::Clock;

pub(super) const CM: &str = "/api/v1/namespaces/cf/configmaps";
pub(super) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/cf/deployments";
pub(super) const JOBS: &str = "/apis/batch/v1/namespaces/cf/jobs";
pub(super) const PODS: &str = "/api/v1/namespaces/cf/pods";
pub(super) const SERVICES: &str = "/api/v1/namespaces/cf/services";
pub(super) const MERGE: &str = "application/merge-patch+json";
pub(super) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(super) const JSON_PATCH: &str = "application/json-patch+json";
pub(super) const APPLY: &str = "application/apply-patch+yaml";

/// A cluster without controllers, with the namespace `cf`.
pub(super) struct Rig {
    pub(super) client: kube::Client,
    pub(super) store: Store,
    pub(super) logs: Logbook,
    pub(super) faults: Faults,
    pub(super) clock: Clock,
}

/// An answer that is read to its end.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) raw: Bytes,
    pub(super) json: Value,
}

impl Reply {
    /// Expects a status; returns the reply for more.
    #[track_caller]
    pub(super) fn ok(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.raw));
        self
    }

    /// Expects a refusal with this code and reason whose message contains a text.
    #[track_caller]
    pub(super) fn refused(self, code: u16, reason: &str, text: &str) -> Self {
        let reply = self.ok(code);
        assert_eq!((&reply.json["kind"], &reply.json["status"], &reply.json["code"]), (&json!("Status"), &json!("Failure"), &json!(code)));
        assert_eq!(reply.json["reason"].as_str().unwrap_or_default(), reason, "{}", reply.json);
        let message = reply.json["message"].as_str().unwrap();
        assert!(message.contains(text), "{text:?} is not in {message:?}");
        reply
    }

    /// Expects a cause.
    #[track_caller]
    pub(super) fn cause(self, reason: &str, field: &str) -> Self {
        let causes = self.json["details"]["causes"].as_array().cloned().unwrap_or_default();
        assert!(causes.iter().any(|cause| cause["reason"] == reason && cause["field"].as_str().unwrap_or_default() == field), "{causes:?}");
        self
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn at(&self, pointer: &str) -> Value {
        self.json.pointer(pointer).cloned().unwrap_or(Value::Null)
    }
}

impl Rig {
    /// Must be called inside a runtime.
    pub(super) fn new() -> Self {
        let clock = Clock::starting_at("2026-03-01T09:00:00Z".parse().unwrap(), 1.0);
        let (store, logs, faults) = (Store::new(clock, 7), Logbook::default(), Faults::default());
        let client = kube::Client::new(Api::new(store.clone(), logs.clone(), faults.clone()), "cf");
        store.create("tests", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "cf"}})).unwrap();
        Self { client, store, logs, faults, clock }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> http::Response<Body> {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.client.send(request.body(Body::from(body.into())).unwrap()).await.unwrap()
    }

    async fn read(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Reply {
        let response = self.send(method, path, headers, body).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let raw = response.into_body().collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&raw).unwrap_or(Value::Null);
        Reply { status, headers, raw, json }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.read(Method::GET, path, &[], "").await
    }

    pub(super) async fn get_as(&self, path: &str, accept: &str) -> Reply {
        self.read(Method::GET, path, &[("accept", accept)], "").await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.read(Method::GET, path, headers, "").await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_as(path, "application/json", body.to_string()).await
    }

    pub(super) async fn post_as(&self, path: &str, media: &str, body: impl Into<Vec<u8>>) -> Reply {
        self.read(Method::POST, path, &[("content-type", media), ("user-agent", "conformance/1.0")], body).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.read(Method::PUT, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub(super) async fn patch(&self, path: &str, media: &str, body: Value) -> Reply {
        self.patch_raw(path, media, body.to_string()).await
    }

    pub(super) async fn patch_raw(&self, path: &str, media: &str, body: impl Into<Vec<u8>>) -> Reply {
        self.read(Method::PATCH, path, &[("content-type", media)], body).await
    }

    /// Server-side apply by a manager; `path` is the collection.
    pub(super) async fn apply(&self, path: &str, manager: &str, body: Value) -> Reply {
        self.apply_with(path, manager, "", body).await
    }

    pub(super) async fn apply_with(&self, path: &str, manager: &str, more: &str, body: Value) -> Reply {
        let name = body["metadata"]["name"].as_str().unwrap().to_owned();
        self.patch(&format!("{path}/{name}?fieldManager={manager}{more}"), APPLY, body).await
    }

    pub(super) async fn delete(&self, path: &str) -> Reply {
        self.read(Method::DELETE, path, &[], "").await
    }

    pub(super) async fn delete_with(&self, path: &str, body: Value) -> Reply {
        self.read(Method::DELETE, path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Opens a stream of lines (a watch or a log).
    pub(super) async fn open(&self, path: &str) -> Lines {
        let response = self.send(Method::GET, path, &[], "").await;
        let status = response.status().as_u16();
        Lines { status, body: response.into_body(), rest: Vec::new() }
    }

    pub(super) async fn revision(&self) -> String {
        self.get(CM).await.json["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
    }
}

/// A stream that is read as time goes by.
pub(super) struct Lines {
    pub(super) status: u16,
    body: Body,
    rest: Vec<u8>,
}

impl Lines {
    /// Returns the next line; none at the end of the stream.
    pub(super) async fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.drain(..=end).collect::<Vec<u8>>();
                return Some(line[..end].to_vec());
            }
            let frame = self.body.frame().await?.unwrap();
            self.rest.extend_from_slice(&frame.into_data().unwrap());
        }
    }

    pub(super) async fn event(&mut self) -> Option<Value> {
        self.line().await.map(|line| serde_json::from_slice(&line).unwrap())
    }

    /// Collects the events that come within a second of virtual time.
    pub(super) async fn events(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Ok(Some(event)) = tokio::time::timeout(std::time::Duration::from_secs(1), self.event()).await {
            events.push(event);
        }
        events
    }

    /// What is left of the stream, without waiting for a newline.
    pub(super) async fn rest(mut self) -> Vec<u8> {
        let mut stream = std::pin::pin!(http_body_util::BodyStream::new(&mut self.body));
        while let Some(frame) = stream.next().await {
            self.rest.extend_from_slice(&frame.unwrap().into_data().unwrap());
        }
        self.rest
    }
}

pub(super) fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

pub(super) fn cm(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// A ConfigMap with more metadata.
pub(super) fn cm_with(name: &str, meta: Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    json_patch::merge(&mut object["metadata"], &meta);
    object
}

pub(super) fn containers(list: Value) -> Value {
    if list.is_null() { json!([{"name": "c", "image": "i"}]) } else { list }
}

/// A paused Deployment.
pub(super) fn deployment(name: &str, list: Value) -> Value {
    let template = json!({"metadata": {"labels": {"a": name}}, "spec": {"containers": containers(list)}});
    let spec = json!({"replicas": 0, "paused": true, "selector": {"matchLabels": {"a": name}}, "template": template});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
}

/// A suspended Job.
pub(super) fn job(name: &str) -> Value {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}});
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"suspend": true, "template": template}})
}

pub(super) fn pod(name: &str, spec: Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"p": name}}, "spec": {"containers": [{"name": "c", "image": "x:1"}]}});
    json_patch::merge(&mut object["spec"], &spec);
    object
}

pub(super) fn service(name: &str, ports: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": ports}})
}

pub(super) fn names(reply: &Reply) -> Vec<String> {
    reply.json["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}
