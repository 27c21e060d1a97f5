//! A server for unit tests: a closure behind `kube::Client`.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};

use super::judge::Rules;
use super::wire::Wire;
use super::{Cluster, Judge, locked};
use crate::clock::Clock;
use crate::model::{Assessment, Gvk, Object};

pub(crate) type FakeBody = UnsyncBoxBody<Bytes, std::io::Error>;
pub(crate) type FakeResponse = Response<FakeBody>;

pub(crate) fn epoch() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

pub(crate) fn full(text: impl Into<Bytes>) -> FakeBody {
    Full::new(text.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// A body of chunks with pauses; `Err` cuts the connection.
pub(crate) fn chunks(chunks: Vec<(u64, Result<Bytes, &'static str>)>) -> FakeBody {
    let stream = futures::stream::unfold(chunks.into_iter(), |mut chunks| async move {
        let (pause, chunk) = chunks.next()?;
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        Some((chunk.map(http_body::Frame::data).map_err(std::io::Error::other), chunks))
    });
    StreamBody::new(stream).boxed_unsync()
}

pub(crate) fn json_answer(code: u16, value: &Value) -> FakeResponse {
    Response::builder().status(code).body(full(value.to_string())).unwrap()
}

pub(crate) fn status(code: u16, reason: &str, message: &str) -> FakeResponse {
    json_answer(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message}),
    )
}

/// Answers a question about rights; `None` for any other request.
pub(crate) fn review(asked: &Asked, allowed: bool) -> Option<FakeResponse> {
    let is_review = asked.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    is_review.then(|| json_answer(201, &json!({"status": {"allowed": allowed}})))
}

/// What a test needs to know of a request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
}

async fn asked(request: Request<Body>) -> Asked {
    let (parts, body) = request.into_parts();
    let bytes = body.collect_bytes().await.unwrap();
    Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

pub(crate) fn client_async<F, Fut>(serve: F) -> kube::Client
where
    F: Fn(Asked) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = FakeResponse> + Send + 'static,
{
    let serve = Arc::new(serve);
    let service = tower::service_fn(move |request: Request<Body>| {
        let serve = serve.clone();
        async move {
            let asked = asked(request).await;
            Ok::<_, std::io::Error>(serve(asked).await)
        }
    });
    kube::Client::new(service, "default")
}

pub(crate) fn client(serve: impl Fn(Asked) -> FakeResponse + Send + Sync + 'static) -> kube::Client {
    client_async(move |asked| std::future::ready(serve(asked)))
}

pub(crate) fn wire(serve: impl Fn(Asked) -> FakeResponse + Send + Sync + 'static) -> Wire {
    Wire::new(client(serve), Clock::starting_at(epoch(), 1.0))
}

pub(crate) fn wire_async<F, Fut>(serve: F) -> Wire
where
    F: Fn(Asked) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = FakeResponse> + Send + 'static,
{
    Wire::new(client_async(serve), Clock::starting_at(epoch(), 1.0))
}

pub(crate) fn cluster(serve: impl Fn(Asked) -> FakeResponse + Send + Sync + 'static) -> Cluster {
    Cluster::new(client(serve), Clock::starting_at(epoch(), 1.0), judge())
}

/// Has no rules.
#[derive(Debug)]
struct NoRules;

impl Rules for NoRules {
    fn assess(&self, _object: &Object) -> Assessment {
        Assessment::NoRule
    }

    fn observed(&self, _object: &Object) -> (Option<i64>, Option<i64>) {
        (None, None)
    }

    fn may_take_long(&self, _gvk: &Gvk) -> bool {
        false
    }
}

/// One slow rule for everything, whose answers the test gives one after the other.
#[derive(Debug)]
pub(crate) struct Scripted {
    answers: Mutex<Receiver<Assessment>>,
    runs: AtomicUsize,
}

impl Scripted {
    /// Makes the rule, and the way to give its answers.
    pub(crate) fn new() -> (Arc<Self>, Sender<Assessment>) {
        let (answers, wait) = channel();
        (Arc::new(Self { answers: Mutex::new(wait), runs: AtomicUsize::new(0) }), answers)
    }

    /// Returns how many runs have begun.
    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Relaxed)
    }
}

impl Rules for Scripted {
    fn assess(&self, _object: &Object) -> Assessment {
        self.runs.fetch_add(1, Relaxed);
        locked(&self.answers).recv().unwrap()
    }

    fn observed(&self, _object: &Object) -> (Option<i64>, Option<i64>) {
        (None, None)
    }

    fn may_take_long(&self, _gvk: &Gvk) -> bool {
        true
    }
}

pub(crate) fn judge() -> Judge {
    Judge::new(Arc::new(NoRules))
}
