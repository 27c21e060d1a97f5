//! A proxy that counts: the binary talks plain HTTP/1.1 to it, and it passes everything on to the API server as it is. So what is counted
//! is what a client sends: discovery, lists, watches, writes. It knows just as much of HTTP as our client uses.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
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
            // Small pieces must not wait for each other.
            drop(socket.set_nodelay(true));
            let mut connection = Connection { socket, read: Vec::new() };
            // A client that goes away ends its connection; that is its own business.
            while let Ok(Some(request)) = connection.request().await {
                *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(asked(&request)).or_default() += 1;
                if connection.pass_on(&client, request).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// One connection of the binary.
struct Connection {
    socket: TcpStream,
    /// What has been read and not used yet.
    read: Vec<u8>,
}

impl Connection {
    /// Reads the next request; `None` when there are no more.
    async fn request(&mut self) -> Outcome<Option<Request<Body>>> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if self.socket.read_buf(&mut self.read).await? == 0 {
                return Ok(None);
            }
        };
        let head = String::from_utf8(self.read.drain(..end).collect())?;
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, uri) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes())?).uri(uri);
        let mut length = 0;
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            let name = HeaderName::from_bytes(name.as_bytes())?;
            if name == http::header::CONTENT_LENGTH {
                length = value.parse()?;
            } else if name != http::header::HOST {
                request = request.header(name, HeaderValue::from_str(value)?);
            }
        }
        while self.read.len() < length {
            if self.socket.read_buf(&mut self.read).await? == 0 {
                return Err("the client went away in the middle of a request".into());
            }
        }
        Ok(Some(request.body(Body::from(self.read.drain(..length).collect::<Vec<u8>>()))?))
    }

    /// Asks the API server, and answers in chunks, as they come.
    async fn pass_on(&mut self, client: &kube::Client, request: Request<Body>) -> Outcome<()> {
        let (head, mut body) = client.send(request).await?.into_parts();
        let mut text = format!("HTTP/1.1 {}\r\ntransfer-encoding: chunked\r\n", head.status.as_u16());
        for (name, value) in &head.headers {
            if ![http::header::CONTENT_LENGTH, http::header::TRANSFER_ENCODING].contains(name) {
                text = format!("{text}{name}: {}\r\n", value.to_str()?);
            }
        }
        self.socket.write_all(format!("{text}\r\n").as_bytes()).await?;
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data()
                && !data.is_empty()
            {
                self.socket.write_all(format!("{:x}\r\n", data.len()).as_bytes()).await?;
                self.socket.write_all(&data).await?;
                self.socket.write_all(b"\r\n").await?;
            }
        }
        Ok(self.socket.write_all(b"0\r\n\r\n").await?)
    }
}

fn asked(request: &Request<Body>) -> String {
    let path = request.uri().path().trim_matches('/');
    let method = request.method().as_str().to_lowercase();
    let is_watch = request.uri().query().unwrap_or_default().contains("watch=true");
    match path.split_once("namespaces/").map(|(_, rest)| rest.split('/').collect::<Vec<&str>>()) {
        Some(rest) if rest.len() == 2 && is_watch => format!("watch {}", rest[1]),
        Some(rest) if rest.len() == 2 => format!("list {}", rest[1]),
        Some(rest) if rest.len() > 2 => format!("{method} one of {}", rest[1]),
        Some(_) | None => format!("{method} /{path}"),
    }
}
