//! The API server as a `tower::Service`, as `kube::Client` wants it: reads requests, lets fault rules speak, finds
//! the resource and hands over. No sockets, no retries, no threads; everything else is in `api` and `discovery`.

use std::convert::Infallible;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response, header, request::Parts};
use http_body_util::BodyExt as _;
use tower::Service;

use super::api::answer::{Accept, Answer, Form, SimBody};
use super::api::{self, Call};
use super::discovery;
use super::fault::{self, Faults};
use super::logbook::Logbook;
use super::path::{self, Query, Route, Target};
use super::registry::Resource;
use super::status::ApiError;
use super::store::Store;

/// The API of one embedded cluster. Clones serve the same cluster.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    store: Store,
    logs: Logbook,
    faults: Faults,
}

impl Api {
    pub(crate) fn new(store: Store, logs: Logbook, faults: Faults) -> Self {
        Self { store, logs, faults }
    }
}

impl<B> Service<Request<B>> for Api
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Debug,
{
    type Response = Response<SimBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let api = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(|error| format!("the body of the request broke off: {error:?}"));
            let outcome = match body.map(http_body_util::Collected::to_bytes) {
                Ok(body) => api.answer(&head, body).await,
                Err(text) => Err(ApiError::bad_request(text)),
            };
            Ok(outcome.unwrap_or_else(|error| Answer::refusal(&error)).into_response())
        })
    }
}

impl Api {
    async fn answer(&self, head: &Parts, body: Bytes) -> Result<Answer, ApiError> {
        let accept = Accept::choose(text(head, header::ACCEPT))?;
        let document = |value| Ok(Answer::value(200, &value, accept));
        match path::parse(head.uri.path()) {
            Route::Version => document(discovery::version()),
            Route::Health => Ok(Answer::text(200, "ok")),
            Route::CoreVersions if accept.form == Form::Discovery => Ok(self.aggregated(head, true)),
            Route::Groups if accept.form == Form::Discovery => Ok(self.aggregated(head, false)),
            Route::CoreVersions => document(discovery::core_versions()),
            Route::Groups => document(discovery::groups(&self.store.lock().catalog)),
            Route::Group(group) => document(discovery::group(&self.store.lock().catalog, &group)?),
            Route::Resources { group, version } => document(discovery::resources(&self.store.lock().catalog, &group, &version)?),
            Route::OpenApi => document(discovery::openapi(&self.store.lock().catalog)),
            Route::OpenApiDocument { group, version } => {
                document(discovery::openapi_document(&self.store.lock().catalog, &group, &version)?)
            }
            Route::Nothing => Err(ApiError::no_such_path()),
            Route::Target(target) => self.target(head, body, target, accept).await,
        }
    }

    fn aggregated(&self, head: &Parts, core: bool) -> Answer {
        let (bytes, tag) = discovery::aggregated(&self.store.lock().catalog, core);
        let answer =
            if text(head, header::IF_NONE_MATCH) == tag { Answer::empty(304) } else { Answer::document(bytes, discovery::AGGREGATED) };
        answer.with("etag", tag)
    }

    async fn target(&self, head: &Parts, body: Bytes, target: Target, accept: Accept) -> Result<Answer, ApiError> {
        let query = Query::parse(head.uri.query().unwrap_or_default());
        let verb = verb(&head.method, &target, &query).ok_or_else(ApiError::method_not_allowed)?;
        let verdict = self.faults.judge(&as_request(verb, &target), self.store.clock().now());
        if !verdict.latency.is_zero() {
            self.store.clock().sleep(verdict.latency).await;
        }
        if let Some(refusal) = verdict.refusal {
            return Err(refusal);
        }
        let call = {
            let state = self.store.lock();
            let found = state.catalog.by_plural(&target.group, &target.version, &target.plural);
            let resource = found.ok_or_else(|| discovery::unknown(&state.catalog, &target.group))?;
            check_place(&resource, &target, verb)?;
            Call {
                store: self.store.clone(),
                logs: self.logs.clone(),
                faults: self.faults.clone(),
                resource,
                target,
                query,
                accept,
                content_type: text(head, header::CONTENT_TYPE).to_owned(),
                user_agent: text(head, header::USER_AGENT).to_owned(),
                body,
                drop_after: verdict.drop_after,
                cut_after: verdict.cut_after,
            }
        };
        let clock = self.store.clock();
        let answer = api::answer(call, verb).await;
        if !verdict.late_answer.is_zero() {
            clock.sleep(verdict.late_answer).await;
        }
        answer
    }
}

/// Refuses paths that no resource of this scope has.
fn check_place(resource: &Resource, target: &Target, verb: &str) -> Result<(), ApiError> {
    match (resource.namespaced, &target.namespace, &target.name) {
        (false, Some(_), _) | (true, None, Some(_)) => Err(ApiError::no_such_resource()),
        // Over all namespaces one can only look.
        (true, None, None) if !matches!(verb, "list" | "watch") => Err(ApiError::method_not_allowed()),
        _ => Ok(()),
    }
}

fn text(head: &Parts, name: header::HeaderName) -> &str {
    head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn as_request<'a>(verb: &'a str, target: &'a Target) -> fault::Request<'a> {
    fault::Request {
        verb,
        group: &target.group,
        plural: &target.plural,
        subresource: target.subresource.as_deref().unwrap_or_default(),
        namespace: target.namespace.as_deref().unwrap_or_default(),
        name: target.name.as_deref().unwrap_or_default(),
    }
}

/// The verb of a request as authorizers know it.
fn verb(method: &Method, target: &Target, query: &Query) -> Option<&'static str> {
    let is_item = target.name.is_some();
    match *method {
        Method::GET if !is_item && query.is_on("watch") => Some("watch"),
        Method::GET if is_item => Some("get"),
        Method::GET => Some("list"),
        Method::POST => Some("create"),
        Method::PUT => Some("update"),
        Method::PATCH => Some("patch"),
        Method::DELETE if is_item => Some("delete"),
        Method::DELETE => Some("deletecollection"),
        _ => None,
    }
}
