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
    assert_eq!(text, "the context `two` of FILE cannot be used: there is no cluster `missing`; add it, or name another one in the context");
}

/// kubectl writes an empty one where none is chosen.
#[test]
fn a_file_that_chooses_no_context_leaves_the_choice_to_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|name| folder.path().join(name));
    std::fs::write(&files[0], "{current-context: '', clusters: [], contexts: [], users: []}").unwrap();
    std::fs::write(&files[1], TWO).unwrap();
    assert_eq!(merged(&files).unwrap().current_context.as_deref(), Some("one"));
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
    assert!(text.starts_with("cannot read the kubeconfig FILE: it is no valid kubeconfig at line ") && !text.contains("hush"), "{text}");
    let plugin = "{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo hush-out; echo hush-err >&2; exit 3', hush-arg], \
                  env: [{name: SECRET, value: hush-env}], interactiveMode: Never}";
    let with = |plugin: &str| TWO.replace("http:", "https:").replace("user: {}", &format!("user: {{exec: {plugin}}}"));
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
    let find = |mode: &str, terminal| {
        let plugin = format!("{{apiVersion: client.authentication.k8s.io/v1, command: /opt/log-in{mode}}}");
        let (_folder, file) = written(&TWO.replace("http:", "https:").replace("user: {}", &format!("user: {{exec: {plugin}}}")));
        super::find(Some(&file), None, terminal)
    };
    for (mode, headless, screens) in [
        ("", None, Some(Never)),
        (", interactiveMode: Never", Some(Never), Some(Never)),
        (", interactiveMode: IfAvailable", Some(IfAvailable), Some(Never)),
        (", interactiveMode: Always", Some(Always), None),
    ] {
        let found = find(mode, Terminal::Free).ok().unwrap();
        assert_eq!(found.plugin().unwrap(), "the credential plugin `log-in` of context `one`");
        assert_eq!(found.config.auth_info.exec.unwrap().interactive_mode, headless, "{mode}");
        match find(mode, Terminal::Screens) {
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

#[tokio::test]
async fn a_key_that_is_not_there_is_named_with_its_file_and_a_proxy_that_is_not_with_its_origin() {
    let text =
        sentence(&TWO.replace("http:", "https:").replace("user: {}", "user: {client-certificate: no.crt, client-key: no.key}"), None).await;
    assert!(
        text.starts_with("the context `one` of FILE cannot be used: failed to load client certificate: ") && text.contains("no.crt"),
        "{text}"
    );
    let text = sentence(&TWO.replace("127.0.0.1:1'", "127.0.0.1:2', proxy-url: 'http://me:hush@127.0.0.1:1'"), None).await;
    let begin = "cannot reach the API server http://127.0.0.1:2 (through the proxy http://127.0.0.1:1 of proxy-url) of context `one`: Connection refused";
    assert!(text.starts_with(begin) && !text.contains("hush"), "{text}");
}

/// Servers let everybody see their version.
#[tokio::test(start_paused = true)]
async fn who_has_no_credentials_and_may_see_nothing_is_told_before_anything_else() {
    let client = fake::client(|asked| match asked.path.as_str() {
        "/version" => fake::json_answer(200, &serde_json::json!({})),
        _ => fake::status(403, "Forbidden", "User \"system:anonymous\" cannot get path"),
    });
    let reach = async |is_nobody| {
        let (client, clock) = (client.clone(), Clock::starting_at(fake::epoch(), 1.0));
        let entered = Entered { client, context: "c".into(), server: "https://s".into(), proxy: None, namespace: "n".into(), is_nobody };
        entered.reach(clock).await.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(reach(false).await, Ok(()));
    let error = reach(true).await.unwrap_err();
    assert!(error.contains("lets the user of context `c` see nothing: User \"system:anonymous\""), "{error}");
}

#[test]
fn a_certificate_that_cannot_be_trusted_has_a_way_out_of_its_own() {
    let error = CallError::Unreachable("invalid peer certificate: UnknownIssuer".into());
    let text = super::refused(error, "https://s".into(), "c".into()).to_string();
    assert!(text.starts_with("the certificate of the API server https://s cannot be trusted in context `c`: "), "{text}");
    assert!(text.contains("certificate-authority"), "{text}");
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
        let entered =
            Entered { client, context: "c".into(), server: "https://s".into(), proxy: None, namespace: "n".into(), is_nobody: false };
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
    let client = client_of(kube::Config::new(format!("http://{address}").parse().unwrap()), None).unwrap();
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
