//! GET of `pods/log`: chooses the container, filters what it printed, follows it. Bytes pass through unchanged.

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::logbook::{Line, Reader, Run};
use super::super::meta;
use super::super::status::{ApiError, Cause};
use super::Call;
use super::answer::{Answer, cut};

/// What part of a log is wanted, and how.
#[derive(Debug)]
struct Options {
    run: Run,
    follows: bool,
    stamps: bool,
    since: Option<Timestamp>,
    tail: Option<usize>,
    limit: Option<usize>,
}

pub(super) fn read(call: Call) -> Result<Answer, ApiError> {
    let pod = call.store.lock().get(&call.resource.gr, &call.key()).cloned();
    let pod = pod.ok_or_else(|| ApiError::not_found("", "pods", call.name()))?;
    let options = options(&call)?;
    let container = container(&call, &pod)?;
    if pod["spec"]["nodeName"].as_str().unwrap_or_default().is_empty() {
        return Ok(Answer::empty(204));
    }
    let uid = meta::text(&pod, "uid");
    let Some(reader) = call.logs.reader(call.namespace(), call.name(), &uid, &container, options.run) else {
        return Err(ApiError::bad_request(not_there(&pod, &container, options.run)));
    };
    let limit = options.limit.unwrap_or(usize::MAX).min(call.cut_after.unwrap_or(usize::MAX));
    let chunks = chunks(reader, &options);
    Ok(Answer::stream("text/plain", cut(chunks, Some(limit))))
}

fn options(call: &Call) -> Result<Options, ApiError> {
    let mut causes = Vec::new();
    let mut number = |key: &str, least: i64, detail: &str| -> Option<i64> {
        let value: i64 = call.query.get(key)?.parse().ok()?;
        if value < least {
            causes.push(Cause::invalid(key, &value.into(), detail));
        }
        Some(value)
    };
    let tail = number("tailLines", 0, "must be greater than or equal to 0");
    let limit = number("limitBytes", 1, "must be greater than 0");
    let seconds = number("sinceSeconds", 1, "must be greater than 0");
    let time: Option<Timestamp> = call.query.get("sinceTime").and_then(|text| text.parse().ok());
    if seconds.is_some() && time.is_some() {
        causes.push(Cause::forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
    }
    if !causes.is_empty() {
        return Err(ApiError::invalid("", "PodLogOptions", call.name(), &causes));
    }
    let now = call.store.clock().now();
    let ago = seconds.and_then(|seconds| now.checked_sub(SignedDuration::from_secs(seconds)).ok());
    let size = |value: i64| usize::try_from(value).unwrap_or(usize::MAX);
    Ok(Options {
        run: if call.query.is_on("previous") { Run::Previous } else { Run::Current },
        follows: call.query.is_on("follow"),
        stamps: call.query.is_on("timestamps"),
        since: ago.or(time),
        tail: tail.map(size),
        limit: limit.map(size),
    })
}

fn container(call: &Call, pod: &Value) -> Result<String, ApiError> {
    let names = |list: &str| -> Vec<String> {
        let items = pod["spec"][list].as_array().into_iter().flatten();
        items.filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
    };
    let all = [names("initContainers"), names("containers"), names("ephemeralContainers")].concat();
    match (call.query.get("container"), names("containers").as_slice()) {
        (Some(wanted), _) if all.iter().any(|name| name == wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => Err(ApiError::bad_request(format!("container {wanted} is not valid for pod {}", call.name()))),
        (None, [only]) => Ok(only.clone()),
        (None, _) => {
            let list = all.join(" ");
            Err(ApiError::bad_request(format!("a container name must be specified for pod {}, choose one of: [{list}]", call.name())))
        }
    }
}

/// Why there is no log of a container yet.
fn not_there(pod: &Value, container: &str, run: Run) -> String {
    let name = meta::text(pod, "name");
    if run == Run::Previous {
        return format!("previous terminated container {container:?} in pod {name:?} not found");
    }
    let lists = ["initContainerStatuses", "containerStatuses"].map(|list| pod["status"][list].as_array().into_iter().flatten());
    let status = lists.into_iter().flatten().find(|status| status["name"] == container);
    let reason = status.and_then(|status| status["state"]["waiting"]["reason"].as_str()).unwrap_or("ContainerCreating");
    format!("container {container:?} in pod {name:?} is waiting to start: {reason}")
}

fn chunks(mut reader: Reader, options: &Options) -> impl futures::Stream<Item = Bytes> + Send + 'static {
    let mut first = reader.lines();
    let (since, stamps) = (options.since, options.stamps);
    let is_late = move |line: &Line| since.is_none_or(|since| line.at >= since);
    first.retain(is_late);
    let skipped = options.tail.map_or(0, |tail| first.len().saturating_sub(tail));
    first.drain(..skipped);
    let rest = options.follows.then_some(reader);
    let later = stream::unfold(rest, |reader| async move {
        let mut reader = reader?;
        let lines = reader.more().await?;
        Some((lines, Some(reader)))
    });
    let all = stream::once(std::future::ready(first)).chain(later);
    all.filter_map(move |lines| {
        let lines = lines.into_iter().filter(is_late);
        let chunk = render(lines, stamps);
        std::future::ready((!chunk.is_empty()).then_some(chunk))
    })
}

fn render(lines: impl Iterator<Item = Line>, stamps: bool) -> Bytes {
    let mut out = BytesMut::new();
    for line in lines {
        if stamps {
            out.put_slice(line.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string().as_bytes());
        }
        out.put_slice(&line.bytes);
        out.put_u8(b'\n');
    }
    out.freeze()
}
