//! Finds and opens the cluster that kubectl would choose: `--kubeconfig`, `KUBECONFIG`, `~/.kube/config`, or the service account of the pod
//! we run in. Every failure is one sentence that names the file, the context or the server, and the way out. What is asked of the cluster
//! afterwards is not its business.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};
use thiserror::Error;
use tower::{BoxError, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

use super::retry;
use super::wire::{self, CallError, Wire};
use crate::clock::Clock;

/// How long the server may take to answer the first question.
const REACH: Duration = Duration::from_secs(10);
/// How long a server is left alone that cannot answer for the moment; then twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

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
    context: String,
}

/// A cluster whose credentials are there.
pub(crate) struct Entered {
    client: kube::Client,
    context: String,
    server: String,
    namespace: String,
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
    find(file, context, Terminal::Free).await?.enter().await?.reach(clock).await
}

/// Finds the cluster that is meant.
///
/// # Errors
/// A sentence about the kubeconfig; see [`ConnectError`].
pub(crate) async fn find(file: Option<&Path>, context: Option<&str>, terminal: Terminal) -> Result<Found, ConnectError> {
    let (config, context) = match read_files(file)? {
        Some((kubeconfig, files)) => from_files(kubeconfig, &files, context).await?,
        None => (in_cluster(file, context)?, "in-cluster".to_owned()),
    };
    let found = Found { config, context };
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
        let Self { mut config, context } = self;
        // Trying again is our own, visible decision (decision 23).
        config.default_retry = false;
        config.connect_timeout = Some(REACH);
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let namespace = config.default_namespace.clone();
        // kube waits for the plugin where it stands.
        let made = tokio::task::spawn_blocking(move || client_of(config)).await;
        let reason = match made {
            Ok(Ok(client)) => return Ok(Entered { client, context, server, namespace }),
            Ok(Err(error)) => wire::credentials(&error).map_or_else(|| wire::root_cause(&error), |lack| lack.text),
            Err(error) => error.to_string(),
        };
        Err(ConnectError::Unusable { files: "the kubeconfig".into(), context, reason })
    }
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
        let Self { client, context, server, namespace } = self;
        let wire = Wire::new(client.clone(), clock);
        let answer = tokio::select! {
            biased;
            answer = ask_until_ready(&wire, clock) => answer,
            () = clock.sleep(REACH) => Err(CallError::Lost(format!("no answer within {} s", REACH.as_secs()))),
        };
        match answer {
            Ok(()) => Ok(Connection { client, context, server, namespace }),
            Err(error) => Err(refused(error, server, context)),
        }
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
    let mut merged = Kubeconfig::default();
    for file in &files {
        let failed = |reason: String| ConnectError::Read { file: file.clone(), reason };
        let read = Kubeconfig::read_from(file).map_err(|error| failed(unreadable(&error)))?;
        merged = merged.merge(read).map_err(|error| failed(error.to_string()))?;
    }
    Ok(Some((merged, files)))
}

fn candidates() -> Vec<PathBuf> {
    let list = std::env::var_os("KUBECONFIG").unwrap_or_default();
    let named: Vec<PathBuf> = std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect();
    if !named.is_empty() {
        return named;
    }
    directories::BaseDirs::new().map(|dirs| dirs.home_dir().join(".kube/config")).into_iter().collect()
}

fn in_cluster(file: Option<&Path>, context: Option<&str>) -> Result<kube::Config, ConnectError> {
    let looked = || named(&file.map(Path::to_owned).into_iter().chain(candidates()).collect::<Vec<_>>());
    if context.is_some() || std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        return Err(ConnectError::None { looked: looked() });
    }
    kube::Config::incluster().map_err(|error| ConnectError::Unusable {
        files: "the pod's service account".into(),
        context: "in-cluster".into(),
        reason: error.to_string(),
    })
}

async fn from_files(kubeconfig: Kubeconfig, files: &[PathBuf], context: Option<&str>) -> Result<(kube::Config, String), ConnectError> {
    let files = named(files);
    let names: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    let known = if names.is_empty() { "it defines none".to_owned() } else { format!("choose one with --context: {}", names.join(", ")) };
    let current = kubeconfig.current_context.as_deref().filter(|name| !name.is_empty());
    let Some(chosen) = context.or(current).map(str::to_owned) else { return Err(ConnectError::NoContext { files, known }) };
    if !names.contains(&chosen.as_str()) {
        return Err(ConnectError::UnknownContext { files, context: chosen, known });
    }
    let options = KubeConfigOptions { context: Some(chosen.clone()), cluster: None, user: None };
    match kube::Config::from_custom_kubeconfig(kubeconfig, &options).await {
        Ok(config) => Ok((config, chosen)),
        Err(error) => Err(ConnectError::Unusable { files, context: chosen, reason: error.to_string() }),
    }
}

/// Makes kube's client on a connection that sends small writes at once: kube itself leaves Nagle's algorithm on, and a server that delays
/// its acknowledgements then holds a request for 40 ms. Behind a proxy it is kube's own.
fn client_of(config: kube::Config) -> Result<kube::Client, kube::Error> {
    if config.proxy_url.is_some() {
        return Ok(ClientBuilder::try_from(config)?.build());
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
async fn ask_until_ready(wire: &Wire, clock: Clock) -> Result<(), CallError> {
    let (began, mut pause) = (clock.now(), FIRST_PAUSE);
    loop {
        let Err(error) = ask(wire).await else { return Ok(()) };
        let wait = pause.max(retry::wish(&error));
        let passed = Duration::try_from(clock.now().duration_since(began)).unwrap_or_default();
        if error.code().is_none() || !retry::is_transient(&error) || passed + wait >= REACH {
            return Err(error);
        }
        clock.sleep(wait).await;
        pause *= 2;
    }
}

/// Who may not see the version may still be allowed to see what a sync needs.
async fn ask(wire: &Wire) -> Result<(), CallError> {
    match wire.get("/version").await {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fake;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, text).unwrap();
        (folder, file)
    }

    const TWO: &str = "
apiVersion: v1
kind: Config
current-context: one
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]
users: [{name: u, user: {}}]
contexts:
- {name: one, context: {cluster: c, user: u, namespace: shop}}
- {name: two, context: {cluster: missing, user: u}}
";

    async fn sentence(text: &str, context: Option<&str>) -> String {
        let (_folder, file) = written(text);
        let error = connect(Some(&file), context, Clock::real()).await.err().expect("nothing listens there").to_string();
        error.replace(&file.display().to_string(), "FILE")
    }

    #[tokio::test]
    async fn an_unknown_context_lists_those_that_exist() {
        assert_eq!(sentence(TWO, Some("three")).await, "the kubeconfig FILE has no context `three`; choose one with --context: one, two");
        assert_eq!(sentence("{}", None).await, "the kubeconfig FILE chooses no context; it defines none");
    }

    #[tokio::test]
    async fn a_context_without_its_cluster_is_named() {
        let text = sentence(TWO, Some("two")).await;
        assert_eq!(text, "the context `two` of FILE cannot be used: failed to load the cluster of context: missing");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_or_parsed_is_named() {
        let missing = connect(Some(Path::new("/nowhere/config")), None, Clock::real()).await.err().unwrap().to_string();
        assert!(missing.starts_with("cannot read the kubeconfig /nowhere/config: No such file"), "{missing}");
        assert!(sentence("contexts: 5", None).await.starts_with("cannot read the kubeconfig FILE: "));
    }

    /// Tokens, keys, and what a plugin was given and has printed are secrets.
    #[tokio::test]
    async fn no_secret_of_a_kubeconfig_is_in_a_sentence_about_it() {
        let broken = format!("{TWO}\n- {{name: u3, user: {{token: hush-1, token: hush-2}}}}\n hush-3: [");
        let text = sentence(&broken, None).await;
        assert!(
            text.starts_with("cannot read the kubeconfig FILE: it is no valid kubeconfig at line ") && !text.contains("hush"),
            "{text}"
        );
        let plugin = "{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo hush-out; echo hush-err >&2; exit 3', hush-arg], \
                      env: [{name: SECRET, value: hush-env}], interactiveMode: Never}";
        let with = |plugin: &str| TWO.replace("user: {}", &format!("user: {{exec: {plugin}}}"));
        let text = sentence(&with(plugin), None).await;
        assert!(text.contains("its credential plugin failed (exit status: 3)") && text.contains("log in again"), "{text}");
        assert!(!text.contains("hush"), "{text}");
        let text = sentence(&with(&plugin.replace("exit 3", "exit 0")), None).await;
        assert!(text.contains("what its credential plugin printed are no credentials") && !text.contains("hush"), "{text}");
        let text = sentence(&with(&plugin.replace("command: sh", "command: no-such-plugin")), None).await;
        assert!(text.contains("its credential plugin cannot be started: No such file"), "{text}");
    }

    /// Screens need keys and lines for themselves.
    #[tokio::test]
    async fn a_credential_plugin_has_the_terminal_only_where_there_are_no_screens() {
        use ExecInteractiveMode::{Always, IfAvailable, Never};
        let find = async |mode: &str, terminal| {
            let plugin = format!("{{apiVersion: client.authentication.k8s.io/v1, command: /opt/log-in{mode}}}");
            let (_folder, file) = written(&TWO.replace("user: {}", &format!("user: {{exec: {plugin}}}")));
            super::find(Some(&file), None, terminal).await
        };
        for (mode, headless, screens) in [
            ("", None, Some(Never)),
            (", interactiveMode: Never", Some(Never), Some(Never)),
            (", interactiveMode: IfAvailable", Some(IfAvailable), Some(Never)),
            (", interactiveMode: Always", Some(Always), None),
        ] {
            let found = find(mode, Terminal::Free).await.ok().unwrap();
            assert_eq!(found.plugin().unwrap(), "the credential plugin `log-in` of context `one`");
            assert_eq!(found.config.auth_info.exec.unwrap().interactive_mode, headless, "{mode}");
            match find(mode, Terminal::Screens).await {
                Ok(found) => assert_eq!(found.config.auth_info.exec.unwrap().interactive_mode, screens, "{mode}"),
                Err(error) => {
                    assert_eq!(screens, None);
                    let sentence = "the credential plugin `log-in` of context `one` asks its questions in the terminal (interactiveMode: Always), \
                                    which the screens have; use --headless, or credentials that ask nothing";
                    assert_eq!(error.to_string(), sentence);
                }
            }
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_listen_is_named_with_its_context() {
        let text = sentence(TWO, None).await;
        assert!(text.starts_with("cannot reach the API server http://127.0.0.1:1 of context `one`: Connection refused"), "{text}");
    }

    #[test]
    fn refusals_of_the_login_and_of_everything_are_different_sentences() {
        let refused = |code| {
            let error = CallError::Refused { code, reason: String::new(), message: "no".into(), causes: Vec::new(), retry_after: None };
            super::refused(error, "https://s".into(), "c".into()).to_string()
        };
        assert!(refused(401).contains("does not accept the credentials of context `c`: no; log in again"));
        assert!(refused(403).contains("see nothing: no; ask for access"));
        assert!(refused(500).contains("cannot reach the API server https://s"));
    }

    /// A server that is just starting, or has too much to do.
    #[tokio::test(start_paused = true)]
    async fn a_server_that_cannot_answer_for_the_moment_is_asked_again_within_ten_seconds() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
        let clock = Clock::starting_at(fake::epoch(), 1.0);
        let reach = async |code: u16, times: u32, wish: Option<&'static str>| {
            let asked = Arc::new(AtomicU32::new(0));
            let count = asked.clone();
            let client = fake::client(move |_| {
                if count.fetch_add(1, Relaxed) >= times {
                    return fake::json_answer(200, &serde_json::json!({}));
                }
                let mut answer = fake::status(code, "InternalError", "etcdserver: no leader");
                answer.headers_mut().extend(wish.map(|wish| (http::header::RETRY_AFTER, wish.parse().unwrap())));
                answer
            });
            let entered = Entered { client, context: "c".into(), server: "https://s".into(), namespace: "n".into() };
            let began = clock.now();
            let reached = entered.reach(clock).await.map(|_| ()).map_err(|error| error.to_string());
            (reached, asked.load(Relaxed), clock.now().duration_since(began).as_millis())
        };
        assert_eq!(reach(503, 2, None).await, (Ok(()), 3, 250 + 500));
        assert_eq!(reach(500, 1, None).await, (Ok(()), 2, 250));
        assert_eq!(reach(429, 1, Some("4")).await, (Ok(()), 2, 4_000));
        let (never, tries, took) = reach(503, 99, None).await;
        assert!(never.unwrap_err().contains("cannot reach the API server https://s of context `c`: etcdserver: no leader"));
        assert_eq!((tries, took), (6, 7_750));
        let (refused, tries, _) = reach(401, 99, None).await;
        assert!(refused.unwrap_err().contains("log in again") && tries == 1);
    }

    /// Whether a request was sent decides what may be sent again, so this is asked of real connections.
    #[tokio::test]
    async fn decision_23_nobody_to_connect_to_is_told_from_a_connection_that_breaks() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = client_of(kube::Config::new(format!("http://{address}").parse().unwrap())).unwrap();
        let wire = Wire::new(client, Clock::starting_at(fake::epoch(), 1.0));
        let (asked, ()) = tokio::join!(wire.get("/x"), async {
            use tokio::io::AsyncReadExt as _;
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
        });
        let error = asked.unwrap_err();
        assert!(matches!(error, CallError::Lost(_)) && error.is_outcome_unknown(), "{error:?}");
        drop(listener);
        let error = wire.get("/x").await.unwrap_err();
        assert!(matches!(error, CallError::Unreachable(_)) && !error.is_outcome_unknown(), "{error:?}");
    }
}
