//! A proxy that counts: the binary talks plain HTTP to it, and it passes everything on to the API server as it is. So what is counted is
//! what a client sends: discovery, lists, watches, writes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Outcome;

/// Counts by what was asked: `list configmaps`, `watch pods`.
type Counts = Arc<Mutex<BTreeMap<String, usize>>>;

/// A proxy at work; it ends when it is dropped.
pub(crate) struct Proxy {
    counts: Counts,
    kubeconfig: PathBuf,
    _work: JoinSet<()>,
}

impl Proxy {
    /// Listens on loopback, and writes a kubeconfig for it.
    pub(crate) async fn start(client: kube::Client, file: PathBuf) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        std::fs::write(&file, kubeconfig(&format!("http://{}", listener.local_addr()?)))?;
        let counts = Counts::default();
        let mut work = JoinSet::new();
        work.spawn(serve(listener, client, counts.clone()));
        Ok(Self { counts, kubeconfig: file, _work: work })
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Returns what was asked since the last call.
    pub(crate) fn take(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: default\nclusters: [{{name: default, cluster: {{server: '{server}'}}}}]\n\
         contexts: [{{name: default, context: {{cluster: default, user: default}}}}]\nusers: [{{name: default, user: {{}}}}]\n"
    )
}

async fn serve(listener: TcpListener, client: kube::Client, counts: Counts) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let (client, counts) = (client.clone(), counts.clone());
        connections.spawn(async move {
            let pass = service_fn(|request| pass_on(client.clone(), counts.clone(), request));
            // A client that goes away ends its connection; that is its own business.
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), pass).await);
        });
    }
}

async fn pass_on(client: kube::Client, counts: Counts, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (mut head, body) = request.into_parts();
    *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(asked(&head)).or_default() += 1;
    head.headers.remove(http::header::HOST);
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let answer = client.send(Request::from_parts(head, Body::from(body.to_vec()))).await;
    Ok(answer.unwrap_or_else(|error| {
        let mut response = Response::new(Body::from(error.to_string().into_bytes()));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }))
}

fn asked(head: &http::request::Parts) -> String {
    let path = head.uri.path().trim_matches('/');
    let is_watch = head.uri.query().unwrap_or_default().contains("watch=true");
    match path.split_once("namespaces/").map(|(_, rest)| rest.split('/').collect::<Vec<&str>>()) {
        Some(rest) if rest.len() == 2 && is_watch => format!("watch {}", rest[1]),
        Some(rest) if rest.len() == 2 => format!("list {}", rest[1]),
        Some(rest) if rest.len() > 2 => format!("{} one of {}", head.method.as_str().to_lowercase(), rest[1]),
        Some(_) | None => format!("{} /{path}", head.method.as_str().to_lowercase()),
    }
}
