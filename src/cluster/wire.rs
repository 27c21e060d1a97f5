//! One request and its answer: paths, limits of time, the server's own sentence on errors, its warnings. Every request of the
//! program goes through here exactly once per call; trying again is `retry`'s decision.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, DATE, RETRY_AFTER, WARNING};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::{AuthError, Body};
use serde_json::Value;
use thiserror::Error;

use crate::clock::Clock;
use crate::model::{Gvk, Scope};

/// How long a request may take. Streams are not limited by it once their headers have come.
const LIMIT: Duration = Duration::from_secs(30);
/// What the server says when a webhook gave it no answer.
const WEBHOOK_FAILED: &str = "failed calling webhook";

/// Why there are no credentials, in words that hold none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    pub(crate) text: String,
    /// Whether they may be there a moment later.
    pub(crate) may_pass: bool,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a call gave nothing.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum CallError {
    /// The server answered, and said no: its own sentence. `causes` are the fields that it names.
    #[error("{message}")]
    Refused { code: u16, reason: String, message: String, causes: Vec<String>, retry_after: Option<Duration> },
    /// No answer came: whether the server did it is unknown.
    #[error("the API server could not be reached: {0}")]
    Lost(String),
    /// The request was never sent, because there was nobody to connect to.
    #[error("the API server could not be reached: {0}")]
    Unreachable(String),
    /// No answer came in time: whether the server did it is unknown.
    #[error("the API server did not answer within {} s", LIMIT.as_secs())]
    TimedOut,
    /// The request was never sent, because no credentials could be had.
    #[error("no credentials for the API server: {0}")]
    Credentials(Lack),
    /// The request was never sent, because nobody wants it any more.
    #[error("not sent: the operation was terminated")]
    Unsent,
    /// The request was never sent, or not repeated, for the reason given.
    #[error("{0}")]
    Withheld(String),
    /// The request may have been taken, and must not be sent again.
    #[error("{0}")]
    Unsure(String),
    /// The server answered with something that is not what was asked for.
    #[error("the API server's answer cannot be read: {0}")]
    Unreadable(String),
}

impl CallError {
    /// Returns the HTTP status, if the server answered.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Lost(_)
            | Self::Unreachable(_)
            | Self::TimedOut
            | Self::Credentials(_)
            | Self::Unsent
            | Self::Withheld(_)
            | Self::Unsure(_)
            | Self::Unreadable(_) => None,
        }
    }

    /// Returns whether it is unknown what the server did.
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Lost(_) | Self::TimedOut | Self::Unsure(_) | Self::Unreadable(_) => true,
            // A webhook is asked before anything is stored.
            Self::Refused { code, message, .. } => *code >= 500 && !message.contains(WEBHOOK_FAILED),
            Self::Unreachable(_) | Self::Credentials(_) | Self::Unsent | Self::Withheld(_) => false,
        }
    }

    /// Returns whether the thing asked for does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Returns whether we are not allowed to do this.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }
}

/// What the server answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Value,
    /// Texts of `Warning` headers.
    pub(crate) warnings: Vec<String>,
}

/// A kind with what is needed to address its objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Resource {
    pub(crate) gvk: Gvk,
    pub(crate) plural: Arc<str>,
    pub(crate) is_namespaced: bool,
    pub(crate) can_list: bool,
    pub(crate) can_watch: bool,
}

impl Resource {
    /// A kind of Kubernetes' core group, which every server has.
    pub(crate) fn core(kind: &str, plural: &str) -> Self {
        Self { gvk: Gvk::new("v1", kind), plural: plural.into(), is_namespaced: true, can_list: true, can_watch: true }
    }

    /// Returns the scope of the kind.
    pub(crate) fn scope(&self) -> Scope {
        if self.is_namespaced { Scope::Namespaced } else { Scope::Cluster }
    }

    /// Returns the path of all objects, of one namespace if the kind has namespaces and one is given.
    pub(crate) fn collection(&self, namespace: &str) -> String {
        let root = api_root(&self.gvk);
        if self.is_namespaced && !namespace.is_empty() {
            format!("{root}/namespaces/{}/{}", escape(namespace), self.plural)
        } else {
            format!("{root}/{}", self.plural)
        }
    }

    /// Returns the path of one object.
    pub(crate) fn object(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), escape(name))
    }
}

/// Returns `/api/v1` or `/apis/GROUP/VERSION`.
pub(crate) fn api_root(gvk: &Gvk) -> String {
    if gvk.group.is_empty() { format!("/api/{}", gvk.version) } else { format!("/apis/{}/{}", gvk.group, gvk.version) }
}

/// Percent-encodes everything but letters, digits and `-._~:`.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.extend(format!("{byte:02X}").chars());
        }
    }
    escaped
}

/// Appends a query to a path.
pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Sends requests.
#[derive(Clone)]
pub(crate) struct Wire {
    client: kube::Client,
    clock: Clock,
}

impl Wire {
    pub(crate) fn new(client: kube::Client, clock: Clock) -> Self {
        Self { client, clock }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Gets a JSON document.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, CallError> {
        self.get_as(path, "application/json").await
    }

    /// Gets a JSON document in a form of its own, for example only the metadata of a list.
    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Result<Value, CallError> {
        let request = Request::builder().method(Method::GET).uri(path).header(ACCEPT, accept).body(Body::empty());
        Ok(self.answer(request).await?.body)
    }

    /// Sends a JSON body with its content type.
    pub(crate) async fn send(&self, method: Method, path: &str, content_type: &str, body: &Value) -> Result<Answer, CallError> {
        let bytes = serde_json::to_vec(body).map_err(|error| CallError::Unreadable(error.to_string()))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, content_type)
            .body(Body::from(bytes));
        self.answer(request).await
    }

    /// Opens a stream. The headers must come in time; afterwards it is the reader who loses patience.
    pub(crate) async fn stream(&self, path: &str) -> Result<Stream, CallError> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(path)
            .header(ACCEPT, "*/*")
            // A compressed stream may be held back until a block is full.
            .header(ACCEPT_ENCODING, "identity")
            .body(Body::empty());
        let response = self.limited(self.exchange(request)).await?;
        if response.status().is_success() {
            return Ok(Stream { body: response.into_body() });
        }
        Err(self.limited(refusal(response, self.clock.now())).await?)
    }

    async fn answer(&self, request: http::Result<Request<Body>>) -> Result<Answer, CallError> {
        self.limited(async {
            let response = self.exchange(request).await?;
            if !response.status().is_success() {
                return Err(refusal(response, self.clock.now()).await?);
            }
            let code = response.status().as_u16();
            let warnings = warnings(response.headers());
            let bytes = collect(response).await?;
            let body = serde_json::from_slice(&bytes).map_err(|error| CallError::Unreadable(error.to_string()))?;
            Ok(Answer { code, body, warnings })
        })
        .await
    }

    async fn exchange(&self, request: http::Result<Request<Body>>) -> Result<Response<Body>, CallError> {
        let request = request.map_err(|error| CallError::Withheld(format!("the request cannot be built: {error}")))?;
        self.client.send(request).await.map_err(|error| call_error(&error))
    }

    async fn limited<T>(&self, call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        tokio::select! {
            biased;
            result = call => result,
            () = self.clock.sleep(LIMIT) => Err(CallError::TimedOut),
        }
    }
}

/// Bytes that come as they come.
pub(crate) struct Stream {
    body: Body,
}

impl Stream {
    /// Returns the next bytes, `None` at the end. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Some(Err(error)) => return Err(CallError::Lost(root_cause(&error))),
            }
        }
    }
}

async fn collect(response: Response<Body>) -> Result<Bytes, CallError> {
    let collected = response.into_body().collect().await.map_err(|error| CallError::Lost(root_cause(&error)))?;
    Ok(collected.to_bytes())
}

/// Reads the server's refusal: a `Status`, or plain text from something in front of it.
async fn refusal(response: Response<Body>, now: Timestamp) -> Result<CallError, CallError> {
    let code = response.status().as_u16();
    let retry_after = retry_after(response.headers(), now);
    let bytes = collect(response).await?;
    let status: Option<Value> = serde_json::from_slice(&bytes).ok().filter(|value: &Value| value["kind"] == "Status");
    let text = |field: &str| status.as_ref().and_then(|status| status[field].as_str()).map(str::to_owned);
    let plain = || {
        let text = String::from_utf8_lossy(&bytes);
        let line = text.trim().lines().next().unwrap_or_default().trim();
        if line.is_empty() { format!("the API server answered with status {code}") } else { line.to_owned() }
    };
    // A text that is not a `Status` has no reason: 500 then means a proxy or an overloaded server.
    let reason = if status.is_some() { text("reason").unwrap_or_default() } else { "NotAStatus".to_owned() };
    let causes = status.as_ref().and_then(|status| status.pointer("/details/causes")?.as_array()).into_iter().flatten();
    let causes = causes.filter_map(|cause| cause["field"].as_str().map(str::to_owned)).collect();
    let message = text("message").filter(|text| !text.is_empty()).unwrap_or_else(plain);
    Ok(CallError::Refused { code, reason, message, causes, retry_after })
}

/// How long the server wishes to be left alone: a number of seconds, or a date. Both ends of the time up to a date are the server's, if it
/// tells its own: then it does not matter that our clocks differ. Whoever waits has a limit of their own.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let date = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp());
    let wish = text(RETRY_AFTER)?;
    if let Ok(seconds) = wish.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let told_at = text(DATE).and_then(date).unwrap_or(now);
    // What is past may be tried at once.
    Some(Duration::try_from(date(wish)?.duration_since(told_at)).unwrap_or(Duration::ZERO))
}

fn warnings(headers: &HeaderMap) -> Vec<String> {
    let text = |value: &http::HeaderValue| {
        let value = value.to_str().ok()?;
        let quoted = value.split_once('"')?.1.rsplit_once('"')?.0;
        Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\"))
    };
    headers.get_all(WARNING).iter().filter_map(text).collect()
}

fn call_error(error: &kube::Error) -> CallError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "kube's errors; every other one means that no answer came")]
    match error {
        kube::Error::Auth(error) => {
            CallError::Credentials(credentials(error).unwrap_or_else(|| Lack { text: whole_chain(error), may_pass: true }))
        }
        kube::Error::Api(status) => CallError::Refused {
            code: status.code,
            reason: status.reason.clone(),
            message: status.message.clone(),
            causes: Vec::new(),
            retry_after: None,
        },
        // Credentials that are got anew for a request fail inside the connection.
        other => match credentials(other) {
            Some(lack) => CallError::Credentials(lack),
            None if is_unreachable(other) => CallError::Unreachable(root_cause(other)),
            None => CallError::Lost(root_cause(other)),
        },
    }
}

/// Returns whether there was no connection to send anything over; one that breaks is something else.
fn is_unreachable(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| cause.downcast_ref().is_some_and(hyper_util::client::legacy::Error::is_connect))
}

/// Says what went wrong with the credentials, if it is that: without what a plugin was given and what it printed, which may be secrets.
pub(crate) fn credentials(error: &(dyn std::error::Error + 'static)) -> Option<Lack> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let error = causes.find_map(|cause| cause.downcast_ref::<AuthError>())?;
    #[expect(clippy::wildcard_enum_match_arm, reason = "kube's errors; the others hold no output of a plugin")]
    let (text, may_pass) = match error {
        AuthError::AuthExecRun { out, .. } => {
            (format!("its credential plugin failed ({}); run it by hand, or log in again", out.status), true)
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed | AuthError::ParseTokenKey(_) => {
            ("what its credential plugin printed are no credentials; run it by hand".to_owned(), false)
        }
        AuthError::AuthExecStart(error) => {
            (format!("its credential plugin cannot be started: {error}; install it, or choose another context"), false)
        }
        AuthError::AuthExec(_) => ("its credential plugin cannot be run; run it by hand".to_owned(), false),
        other => (whole_chain(other), true),
    };
    Some(Lack { text, may_pass })
}

/// Returns the innermost cause: what the system said, without the layers above.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Returns the layers from the outermost to the innermost, each said once.
pub(crate) fn whole_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fake;

    #[test]
    fn a_path_is_made_of_group_version_namespace_and_name() {
        let job = Resource { gvk: Gvk::new("batch/v1", "Job"), plural: "jobs".into(), ..Resource::core("Job", "jobs") };
        assert_eq!(job.object("shop", "migrate"), "/apis/batch/v1/namespaces/shop/jobs/migrate");
        let role = Resource {
            gvk: Gvk::new("rbac.authorization.k8s.io/v1", "ClusterRole"),
            plural: "clusterroles".into(),
            is_namespaced: false,
            ..job
        };
        assert_eq!(role.object("shop", "system:a/b"), "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%2Fb");
        assert_eq!(with_query("/api", &[("a", "x y"), ("b", "2")]), "/api?a=x%20y&b=2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_the_servers_own_sentence() {
        let wire = fake::wire(|_| fake::status(404, "NotFound", "namespaces \"x\" not found"));
        let error = wire.get("/api/v1/namespaces/x").await.unwrap_err();
        assert_eq!(error.to_string(), "namespaces \"x\" not found");
        assert!(error.is_not_found() && !error.is_outcome_unknown());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_in_plain_text_keeps_its_first_line_and_the_servers_patience() {
        let wire = fake::wire(|_| {
            http::Response::builder()
                .status(429)
                .header("Retry-After", "3")
                .body(fake::full("Too many requests, please wait\nmore"))
                .unwrap()
        });
        let error = wire.get("/x").await.unwrap_err();
        let CallError::Refused { code: 429, message, retry_after: Some(wait), .. } = error else { panic!("{error:?}") };
        assert_eq!((message.as_str(), wait.as_secs()), ("Too many requests, please wait", 3));
    }

    #[test]
    fn the_servers_patience_is_a_number_of_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let wish = |after: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, after.parse().unwrap());
            date.map(|date| headers.insert(DATE, date.parse().unwrap()));
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wish(" 7 ", None), Some(7));
        assert_eq!(wish("Sun, 01 Mar 2026 09:00:05 GMT", None), Some(5), "by our clock, for want of the server's");
        let (after, date) = ("Sun, 01 Mar 2026 11:30:05 GMT", "Sun, 01 Mar 2026 11:30:00 GMT");
        assert_eq!(wish(after, Some(date)), Some(5), "two hours between the clocks do not matter");
        assert_eq!(wish(after, Some("soon")), Some(2 * 3600 + 1805), "a date that cannot be read is none");
        assert_eq!(wish("Sun, 01 Mar 2026 08:00:00 GMT", None), Some(0), "past");
        for wrong in ["", "soon", "-1", "1.5", "99999999999999999999", "Sun, 41 Mar 2026 08:00:00 GMT"] {
            assert_eq!(wish(wrong, None), None, "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_given_up_after_the_limit() {
        let wire = fake::wire_async(|_| std::future::pending());
        let clock = wire.clock();
        let before = clock.now();
        assert_eq!(wire.get("/x").await.unwrap_err(), CallError::TimedOut);
        assert_eq!(clock.now().duration_since(before).as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn warnings_of_the_server_are_unquoted() {
        let wire = fake::wire(|_| {
            let response = http::Response::builder().status(200).header("Warning", "299 - \"unknown field \\\"spec.x\\\"\"");
            response.body(fake::full("{}")).unwrap()
        });
        let answer = wire.send(Method::PATCH, "/x", "application/json", &Value::Null).await.unwrap();
        assert_eq!(answer.warnings, ["unknown field \"spec.x\""]);
    }
}
