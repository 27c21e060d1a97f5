//! An admission webhook: an HTTPS server in the test's own process, with a certificate made for it. The API server reaches it at
//! 127.0.0.1, because `tests/cluster/exec` runs the tests in the network of its cluster; elsewhere tests that need one are skipped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::eventually;
use super::space::{Space, skipped};

/// Set by `tests/cluster/exec` alone.
const OURS: &str = "SYNCWAVE_E2E_COMPONENT";

/// How long a webhook that never answers is waited for, in seconds.
const TIMEOUT: u64 = 1;

/// What a webhook says of a request.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Allowed,
    /// Allowed, with a JSON Patch.
    Patched(Value),
    Denied(&'static str),
    /// It never answers.
    Silent,
}

type Judge = dyn Fn(&Value) -> Verdict + Send + Sync;

/// A server that is asked until the test is over.
pub(crate) struct Webhook {
    port: u16,
    /// The PEM of the certificate that signed the server's, in base64.
    authority: String,
    /// The requests so far.
    asked: Arc<Mutex<Vec<Value>>>,
    is_over: Arc<AtomicBool>,
}

impl Webhook {
    /// Starts a server; says that the test is skipped where the cluster could not reach it.
    pub(crate) fn start(name: &str, judge: impl Fn(&Value) -> Verdict + Send + Sync + 'static) -> Option<Self> {
        if std::env::var_os(OURS).is_none_or(|value| value.is_empty()) {
            skipped(name, "the API server has to share the network of the tests, as inside tests/cluster/exec");
            return None;
        }
        let (config, authority) = identity();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let webhook = Self { port: listener.local_addr().unwrap().port(), authority, asked: Arc::default(), is_over: Arc::default() };
        let (asked, is_over, judge) = (Arc::clone(&webhook.asked), Arc::clone(&webhook.is_over), Arc::new(judge) as Arc<Judge>);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (config, asked, judge) = (Arc::clone(&config), Arc::clone(&asked), Arc::clone(&judge));
                // A client that goes away in the middle is what an impatient API server does.
                std::thread::spawn(move || drop(serve(stream, config, &asked, &*judge)));
            }
        });
        Some(webhook)
    }

    /// The requests so far, without those of the test's own probes.
    pub(crate) fn asked(&self) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|request| request["name"] != PROBE && request["name"] != "kube-root-ca.crt").cloned().collect()
    }

    /// Returns a configuration that has the server asked about ConfigMaps and these resources in the test's namespace. `settings` are
    /// fields of the webhook.
    pub(crate) fn configuration(&self, space: &Space, kind: &str, resources: &[&str], settings: &Value) -> Value {
        let resources: Vec<&str> = resources.iter().copied().chain(["configmaps"]).collect();
        let mut webhook = json!({
            "name": format!("{}.example.com", kind.to_lowercase()), "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "failurePolicy": "Fail", "matchPolicy": "Equivalent", "timeoutSeconds": TIMEOUT + 4,
            "clientConfig": {"url": format!("https://127.0.0.1:{}/review", self.port), "caBundle": self.authority},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": resources, "scope": "*"}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.namespace}},
        });
        for (key, value) in settings.as_object().unwrap() {
            webhook[key] = value.clone();
        }
        let name = format!("e2e-{}", space.suffix);
        let kind = format!("{kind}WebhookConfiguration");
        space.removes(&kind, &name);
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "webhooks": [webhook]})
    }

    /// Registers the server and waits until it counts.
    pub(crate) fn register(&self, space: &Space, kind: &str, resources: &[&str], settings: &Value) {
        space.create(&self.configuration(space, kind, resources, settings));
        self.counts(space);
    }

    /// Waits until the API server asks for it, or refuses to.
    pub(crate) fn counts(&self, space: &Space) {
        let probe = ["create", "configmap", PROBE, "--dry-run=server"];
        eventually("the webhook counts", Duration::from_secs(60), || {
            let is_refused = space.try_kubectl(&probe).is_err();
            (is_refused || !self.asked.lock().unwrap().is_empty()).then_some(())
        });
    }
}

/// The object that shows whether a webhook counts. It never exists.
const PROBE: &str = "probe";

impl Drop for Webhook {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

/// Makes a certificate for 127.0.0.1 that vouches for itself; returns what the server needs, and what its clients need. The openssl is the
/// one that `tests/cluster` makes the cluster's certificates with.
fn identity() -> (Arc<ServerConfig>, String) {
    let folder = tempfile::tempdir().unwrap();
    let [key, certificate] = ["key", "certificate"].map(|name| folder.path().join(name));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    command.args(["-subj", "/CN=syncwave-test-webhook", "-addext", "subjectAltName=IP:127.0.0.1"]);
    let output = command.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let chain = vec![CertificateDer::from_pem_file(&certificate).unwrap()];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, PrivateKeyDer::from_pem_file(&key).unwrap()).unwrap();
    (Arc::new(config), BASE64_STANDARD.encode(std::fs::read(&certificate).unwrap()))
}

/// Answers one request.
fn serve(stream: TcpStream, config: Arc<ServerConfig>, asked: &Mutex<Vec<Value>>, judge: &Judge) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().map_err(std::io::Error::other)?,
            Some(_) => {}
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let review: Value = serde_json::from_slice(&body)?;
    let request = &review["request"];
    asked.lock().unwrap().push(request.clone());
    let mut response = json!({"uid": request["uid"], "allowed": true});
    match judge(request) {
        Verdict::Allowed => {}
        Verdict::Patched(patch) => {
            response["patchType"] = "JSONPatch".into();
            response["patch"] = BASE64_STANDARD.encode(patch.to_string()).into();
        }
        Verdict::Denied(message) => {
            response["allowed"] = false.into();
            response["status"] = json!({"message": message});
        }
        // Until the other side gives up.
        Verdict::Silent => return reader.read_to_end(&mut Vec::new()).map(drop),
    }
    let answer = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}).to_string();
    let length = answer.len();
    let mut stream = reader.into_inner();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}")?;
    stream.conn.send_close_notify();
    stream.flush()
}
