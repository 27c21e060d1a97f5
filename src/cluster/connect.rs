//! Finds and opens the cluster that kubectl would choose: `--kubeconfig`, `KUBECONFIG`, `~/.kube/config`, or the service account of the pod
//! we run in. Every failure is one sentence that names the file, the context or the server, and the way out. What is asked of the cluster
//! afterwards is not its business.

mod proxy;
mod target;
#[cfg(test)]
mod tests;
mod token;

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::config::{ExecInteractiveMode, Kubeconfig, KubeconfigError};
use thiserror::Error;
use tower::util::MapRequestLayer;
use tower::{BoxError, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

use super::retry;
use super::wire::{self, CallError, Wire};
use crate::clock::Clock;
use proxy::Proxy;
use target::Target;
use token::TokenFile;

/// How long the server may take to answer the first question.
const REACH: Duration = Duration::from_secs(10);
/// How long a server is left alone that cannot answer for the moment; then twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How rustls begins what it has against a server's certificate.
const BAD_CERTIFICATE: &str = "invalid peer certificate";
/// What is read where there is no kubeconfig.
const POD: &str = "the pod's service account";

/// Who has the terminal while a credential plugin runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terminal {
    /// The plugin may have it, as with kubectl.
    Free,
    /// Screens have it: what a plugin wrote there would stand across them, and it would take the keys.
    Screens,
}

/// A cluster that is chosen and has not been asked for anything.
pub(crate) struct Found {
    config: kube::Config,
    proxy: Option<Proxy>,
    token: Option<TokenFile>,
    files: String,
    context: String,
}

/// A cluster whose credentials are there.
pub(crate) struct Entered {
    client: kube::Client,
    context: String,
    server: String,
    proxy: Option<Proxy>,
    namespace: String,
    /// Whether there are no credentials that a server of today takes.
    is_nobody: bool,
}

/// An open connection and what the kubeconfig says of it.
pub(crate) struct Connection {
    pub(crate) client: kube::Client,
    pub(crate) context: String,
    pub(crate) server: String,
    /// Default namespace of the context.
    pub(crate) namespace: String,
}

/// Why there is no connection.
#[derive(Debug, Error)]
pub(crate) enum ConnectError {
    #[error("cannot read the kubeconfig {}: {reason}; check --kubeconfig and KUBECONFIG", file.display())]
    Read { file: PathBuf, reason: String },
    #[error("there is no kubeconfig: looked for {looked}; name one with --kubeconfig, or try `syncwave demo`, which needs no cluster")]
    None { looked: String },
    #[error("the kubeconfig {files} has no context `{context}`; {known}")]
    UnknownContext { files: String, context: String, known: String },
    #[error("the kubeconfig {files} chooses no context; {known}")]
    NoContext { files: String, known: String },
    #[error("the context `{context}` of {files} cannot be used: {reason}")]
    Unusable { files: String, context: String, reason: String },
    #[error(
        "the credential plugin `{plugin}` of context `{context}` asks its questions in the terminal (interactiveMode: Always), which the screens have; use --headless, or credentials that ask nothing"
    )]
    Interactive { context: String, plugin: String },
    #[error(
        "cannot reach the API server {server} of context `{context}`: {reason}; check that the cluster runs and that this machine may reach it, or choose another one with --context"
    )]
    Unreachable { server: String, context: String, reason: String },
    #[error(
        "the certificate of the API server {server} cannot be trusted in context `{context}`: {reason}; get the kubeconfig anew, or correct certificate-authority, tls-server-name, or this machine's clock"
    )]
    Untrusted { server: String, context: String, reason: String },
    #[error(
        "the API server {server} does not accept the credentials of context `{context}`: {reason}; log in again, or choose another context with --context"
    )]
    Unauthorized { server: String, context: String, reason: String },
    #[error(
        "the API server {server} lets the user of context `{context}` see nothing: {reason}; ask for access, or choose another context with --context"
    )]
    Forbidden { server: String, context: String, reason: String },
}

/// Finds the cluster, opens the connection and asks the server whether it is there.
///
/// # Errors
/// A sentence; see [`ConnectError`].
pub(crate) async fn connect(file: Option<&Path>, context: Option<&str>, clock: Clock) -> Result<Connection, ConnectError> {
    find(file, context, Terminal::Free)?.enter().await?.reach(clock).await
}

/// Finds the cluster that is meant.
///
/// # Errors
/// A sentence about the kubeconfig; see [`ConnectError`].
pub(crate) fn find(file: Option<&Path>, context: Option<&str>, terminal: Terminal) -> Result<Found, ConnectError> {
    let (target, files, context) = match read_files(file)? {
        Some((kubeconfig, files)) => from_files(&kubeconfig, named(&files), context)?,
        None => (in_cluster(file, context)?, POD.to_owned(), "in-cluster".to_owned()),
    };
    let Target { mut config, proxy } = target;
    let token = match token::prepare(&mut config.auth_info) {
        Ok(token) => token,
        Err(reason) => return Err(ConnectError::Unusable { files, context, reason }),
    };
    let found = Found { config, proxy, token, files, context };
    if terminal == Terminal::Screens { found.without_terminal() } else { Ok(found) }
}

impl Found {
    /// Returns what entering may have to wait for: the credential plugin and its context.
    pub(crate) fn plugin(&self) -> Option<String> {
        let plugin = self.config.auth_info.exec.as_ref().map(plugin_name)?;
        Some(format!("the credential plugin `{plugin}` of context `{}`", self.context))
    }

    fn without_terminal(mut self) -> Result<Self, ConnectError> {
        let Some(exec) = &mut self.config.auth_info.exec else { return Ok(self) };
        if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            return Err(ConnectError::Interactive { plugin: plugin_name(exec), context: self.context });
        }
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
        Ok(self)
    }

    /// Gets the credentials and makes the client. A credential plugin may take as long as it likes: it may wait for a person.
    ///
    /// # Errors
    /// There are no credentials, or they are unusable.
    pub(crate) async fn enter(self) -> Result<Entered, ConnectError> {
        let Self { mut config, proxy, token, files, context } = self;
        // Trying again is our own, visible decision (decision 23).
        config.default_retry = false;
        config.connect_timeout = Some(REACH);
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let namespace = config.default_namespace.clone();
        let is_nobody = token.is_none() && is_nobody(&config.auth_info);
        // kube waits for the plugin where it stands.
        let made = tokio::task::spawn_blocking(move || client_of(config, token)).await;
        let reason = match made {
            Ok(Ok(client)) => return Ok(Entered { client, context, server, proxy, namespace, is_nobody }),
            Ok(Err(error)) => wire::credentials(&error).map_or_else(|| inner_chain(&error), |lack| lack.text),
            Err(error) => error.to_string(),
        };
        Err(ConnectError::Unusable { files, context, reason })
    }
}

/// Servers of today take no passwords.
fn is_nobody(user: &kube::config::AuthInfo) -> bool {
    let has_certificate = user.client_certificate.is_some() || user.client_certificate_data.is_some();
    !has_certificate && user.token.is_none() && user.exec.is_none() && user.auth_provider.is_none()
}

fn plugin_name(exec: &kube::config::ExecConfig) -> String {
    let command = Path::new(exec.command.as_deref().unwrap_or_default());
    command.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Entered {
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Asks the server whether it is there.
    ///
    /// # Errors
    /// It cannot be reached, or lets nobody in.
    pub(crate) async fn reach(self, clock: Clock) -> Result<Connection, ConnectError> {
        let Self { client, context, server, proxy, namespace, is_nobody } = self;
        let wire = Wire::new(client.clone(), clock);
        let answer = tokio::select! {
            biased;
            answer = ask_until_ready(&wire, clock, is_nobody) => answer,
            () = clock.sleep(REACH) => Err(CallError::Lost(format!("no answer within {} s", REACH.as_secs()))),
        };
        match answer {
            Ok(()) => Ok(Connection { client, context, server, namespace }),
            Err(error) => Err(refused(error, by_way_of(server, proxy.as_ref()), context)),
        }
    }
}

/// Leaves out the layer that only says that something is wrong.
fn inner_chain(error: &(dyn std::error::Error + 'static)) -> String {
    wire::whole_chain(error.source().unwrap_or(error))
}

fn by_way_of(server: String, proxy: Option<&Proxy>) -> String {
    match proxy {
        Some(proxy) => format!("{server} (through {})", proxy.described()),
        None => server,
    }
}

/// Reads what kubectl would read. `None`: no file exists, but the service account of a pod may do.
fn read_files(file: Option<&Path>) -> Result<Option<(Kubeconfig, Vec<PathBuf>)>, ConnectError> {
    let files = match file {
        Some(file) => vec![file.to_owned()],
        None => candidates().into_iter().filter(|file| file.exists()).collect(),
    };
    if files.is_empty() {
        return Ok(None);
    }
    let kubeconfig = merged(&files)?;
    Ok(Some((kubeconfig, files)))
}

fn merged(files: &[PathBuf]) -> Result<Kubeconfig, ConnectError> {
    let mut merged = Kubeconfig::default();
    for file in files {
        let failed = |reason: String| ConnectError::Read { file: file.clone(), reason };
        let mut read = Kubeconfig::read_from(file).map_err(|error| failed(unreadable(&error)))?;
        // An empty one chooses nothing, and must not stand before that of the next file.
        read.current_context = read.current_context.filter(|name| !name.is_empty());
        merged = merged.merge(read).map_err(|error| failed(error.to_string()))?;
    }
    Ok(merged)
}

fn candidates() -> Vec<PathBuf> {
    let list = std::env::var_os("KUBECONFIG").unwrap_or_default();
    let named: Vec<PathBuf> = std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect();
    if !named.is_empty() {
        return named;
    }
    directories::BaseDirs::new().map(|dirs| dirs.home_dir().join(".kube/config")).into_iter().collect()
}

fn in_cluster(file: Option<&Path>, context: Option<&str>) -> Result<Target, ConnectError> {
    let looked = || named(&file.map(Path::to_owned).into_iter().chain(candidates()).collect::<Vec<_>>());
    if context.is_some() || std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        return Err(ConnectError::None { looked: looked() });
    }
    match kube::Config::incluster() {
        Ok(config) => Ok(Target { config, proxy: None }),
        Err(error) => Err(ConnectError::Unusable { files: POD.into(), context: "in-cluster".into(), reason: wire::whole_chain(&error) }),
    }
}

fn from_files(kubeconfig: &Kubeconfig, files: String, context: Option<&str>) -> Result<(Target, String, String), ConnectError> {
    let names: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    let known = if names.is_empty() { "it defines none".to_owned() } else { format!("choose one with --context: {}", names.join(", ")) };
    let current = kubeconfig.current_context.as_deref().filter(|name| !name.is_empty());
    let Some(chosen) = context.or(current).map(str::to_owned) else { return Err(ConnectError::NoContext { files, known }) };
    if !names.contains(&chosen.as_str()) {
        return Err(ConnectError::UnknownContext { files, context: chosen, known });
    }
    match target::read(kubeconfig, &chosen, |name| std::env::var(name).ok()) {
        Ok(target) => Ok((target, files, chosen)),
        Err(reason) => Err(ConnectError::Unusable { files, context: chosen, reason }),
    }
}

/// Makes kube's client on a connection that sends small writes at once: kube itself leaves Nagle's algorithm on, and a server that delays
/// its acknowledgements then holds a request for 40 ms. Behind a proxy it is kube's own.
fn client_of(config: kube::Config, token: Option<TokenFile>) -> Result<kube::Client, kube::Error> {
    let with_token = move |mut request: http::Request<Body>| {
        if let Some(token) = &token {
            request.headers_mut().insert(http::header::AUTHORIZATION, token.authorization());
        }
        request
    };
    if config.proxy_url.is_some() {
        return Ok(ClientBuilder::try_from(config)?.with_layer(&MapRequestLayer::new(with_token)).build());
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(config.connect_timeout);
    let tls = config.rustls_https_connector_with_connector(tcp)?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .option_layer(config.auth_layer()?)
        .map_request(with_token)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(HttpClient::builder(TokioExecutor::new()).build::<_, Body>(tls));
    Ok(kube::Client::new(service, config.default_namespace))
}

/// Says why a kubeconfig cannot be read, without a line of it: tokens and keys stand there.
fn unreadable(error: &KubeconfigError) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "kube's errors; every other one says nothing of the file's content")]
    match error {
        KubeconfigError::Parse(error) => {
            let place = error.location().map(|at| format!(" at line {}, column {}", at.line(), at.column())).unwrap_or_default();
            format!("it is no valid kubeconfig{place}")
        }
        other => wire::root_cause(other),
    }
}

/// Asks until the server says something else than that it cannot answer for the moment, as long as there is time for another try.
async fn ask_until_ready(wire: &Wire, clock: Clock, is_nobody: bool) -> Result<(), CallError> {
    let (began, mut pause) = (clock.now(), FIRST_PAUSE);
    loop {
        let Err(error) = ask(wire, is_nobody).await else { return Ok(()) };
        let wait = pause.max(retry::wish(&error));
        let passed = Duration::try_from(clock.now().duration_since(began)).unwrap_or_default();
        if error.code().is_none() || !retry::is_transient(&error) || passed + wait >= REACH {
            return Err(error);
        }
        clock.sleep(wait).await;
        pause *= 2;
    }
}

/// Who may not see the version may still be allowed to see what a sync needs; and everybody may see the version.
async fn ask(wire: &Wire, is_nobody: bool) -> Result<(), CallError> {
    match wire.get("/version").await {
        Ok(_) if is_nobody => wire.get("/api/v1").await.map(|_| ()),
        Ok(_) => Ok(()),
        Err(error) if error.is_forbidden() => wire.get("/api/v1").await.map(|_| ()),
        Err(error) => Err(error),
    }
}

fn refused(error: CallError, server: String, context: String) -> ConnectError {
    match error {
        CallError::Refused { code: 401, message, .. } => ConnectError::Unauthorized { server, context, reason: message },
        CallError::Credentials(lack) => ConnectError::Unauthorized { server, context, reason: lack.text },
        CallError::Refused { code: 403, message, .. } => ConnectError::Forbidden { server, context, reason: message },
        CallError::Lost(reason) | CallError::Unreachable(reason) if reason.contains(BAD_CERTIFICATE) => {
            ConnectError::Untrusted { server, context, reason }
        }
        CallError::Lost(reason) | CallError::Unreachable(reason) => ConnectError::Unreachable { server, context, reason },
        CallError::Refused { .. }
        | CallError::TimedOut
        | CallError::Unsent
        | CallError::Withheld(_)
        | CallError::Unsure(_)
        | CallError::Unreadable(_) => ConnectError::Unreachable { server, context, reason: error.to_string() },
    }
}

fn named(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}
