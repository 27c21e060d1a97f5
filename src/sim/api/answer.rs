//! The shapes of answers: JSON, YAML or text, whole or as a stream, with the headers that the API sends, and what a
//! client says it accepts. Knows nothing of what is answered.

use std::convert::Infallible;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::{Response, header};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use serde_json::Value;

use super::super::status::ApiError;

/// The body of every answer.
pub(in crate::sim) type SimBody = UnsyncBoxBody<Bytes, Infallible>;

/// An answer before it becomes an HTTP response.
pub(in crate::sim) struct Answer {
    code: u16,
    content_type: String,
    headers: Vec<(&'static str, String)>,
    body: SimBody,
}

/// The form in which a client wants objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Form {
    Whole,
    /// `PartialObjectMetadata`.
    Metadata,
    /// `APIGroupDiscoveryList`.
    Discovery,
}

/// What a client accepts, after the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Accept {
    pub(in crate::sim) form: Form,
    pub(in crate::sim) is_yaml: bool,
}

const FORMATS: &[&str] = &["application/json", "application/yaml"];

impl Accept {
    /// Chooses the first thing in an `Accept` header that can be served.
    pub(in crate::sim) fn choose(header: &str) -> Result<Self, ApiError> {
        if header.trim().is_empty() {
            return Ok(Self { form: Form::Whole, is_yaml: false });
        }
        header.split(',').find_map(Self::read).ok_or_else(|| ApiError::not_acceptable(FORMATS))
    }

    fn read(part: &str) -> Option<Self> {
        let mut words = part.split(';').map(str::trim);
        let media = words.next().unwrap_or_default();
        let wanted = words.find_map(|word| word.strip_prefix("as="));
        let form = match wanted {
            None => Form::Whole,
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Form::Metadata,
            Some("APIGroupDiscoveryList") => Form::Discovery,
            Some(_) => return None,
        };
        match media {
            "application/json" | "*/*" | "application/*" => Some(Self { form, is_yaml: false }),
            "application/yaml" => Some(Self { form, is_yaml: true }),
            _ => None,
        }
    }
}

fn whole(bytes: impl Into<Bytes>) -> SimBody {
    Full::new(bytes.into()).boxed_unsync()
}

impl Answer {
    /// An object or list.
    pub(in crate::sim) fn value(code: u16, value: &Value, accept: Accept) -> Self {
        if accept.is_yaml {
            let text = serde_yaml::to_string(value).unwrap_or_default();
            return Self { code, content_type: "application/yaml".to_owned(), headers: Vec::new(), body: whole(text) };
        }
        Self { code, content_type: "application/json".to_owned(), headers: Vec::new(), body: whole(value.to_string()) }
    }

    /// A document in JSON, with its exact content type.
    pub(in crate::sim) fn document(bytes: Bytes, content_type: &str) -> Self {
        Self { code: 200, content_type: content_type.to_owned(), headers: Vec::new(), body: whole(bytes) }
    }

    pub(in crate::sim) fn text(code: u16, text: impl Into<Bytes>) -> Self {
        Self { code, content_type: "text/plain; charset=utf-8".to_owned(), headers: Vec::new(), body: whole(text) }
    }

    /// No body at all (204, 304).
    pub(in crate::sim) fn empty(code: u16) -> Self {
        Self { code, content_type: String::new(), headers: Vec::new(), body: whole(Bytes::new()) }
    }

    /// Chunks that come as time goes by.
    pub(in crate::sim) fn stream(content_type: &str, chunks: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        let frames = chunks.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)));
        Self { code: 200, content_type: content_type.to_owned(), headers: Vec::new(), body: StreamBody::new(frames).boxed_unsync() }
    }

    pub(in crate::sim) fn refusal(error: &ApiError) -> Self {
        let answer = if error.plain {
            Self::text(error.code, error.message.clone())
        } else {
            Self::value(error.code, &error.to_status(), Accept { form: Form::Whole, is_yaml: false })
        };
        match error.retry_after {
            Some(seconds) => answer.with("retry-after", seconds.to_string()),
            None => answer,
        }
    }

    /// Adds a header.
    pub(in crate::sim) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds the warnings that the server sends beside an answer.
    pub(in crate::sim) fn with_warnings(mut self, warnings: &[String]) -> Self {
        for warning in warnings {
            let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
            self.headers.push(("warning", format!("299 - \"{text}\"")));
        }
        self
    }

    /// Becomes what goes over the wire.
    pub(in crate::sim) fn into_response(self) -> Response<SimBody> {
        let mut response = Response::new(self.body);
        *response.status_mut() = http::StatusCode::from_u16(self.code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let own = Some((header::CONTENT_TYPE.as_str(), self.content_type)).filter(|(_, value)| !value.is_empty());
        for (name, value) in own.into_iter().chain(self.headers) {
            if let Ok(value) = http::HeaderValue::try_from(value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// Cuts a stream of chunks after `limit` bytes, in the middle of a chunk if need be.
pub(in crate::sim) fn cut(
    chunks: impl Stream<Item = Bytes> + Send + 'static,
    limit: Option<usize>,
) -> impl Stream<Item = Bytes> + Send + 'static {
    chunks.scan(limit, |left, mut chunk| {
        let next = match left {
            None => Some(chunk),
            Some(0) => None,
            Some(left) => {
                chunk.truncate(*left);
                *left -= chunk.len();
                Some(chunk)
            }
        };
        std::future::ready(next)
    })
}
