//! Things that go wrong on purpose: rules that match requests and say what happens to them instead of, or before,
//! the real answer. Counts matches; knows requests only by verb, resource and name.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::status::ApiError;

/// Which requests a rule is about; an empty part matches everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Match {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub(crate) verbs: Vec<String>,
    /// `deployments`, `pods/log`, `deployments.apps`.
    pub(crate) resource: Option<String>,
    pub(crate) namespace: Option<String>,
    /// A name; a `*` at its end matches any ending.
    pub(crate) name: Option<String>,
    /// Only these matches, counted from 1.
    pub(crate) nth: Option<RangeInclusive<u32>>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

/// What happens to a matching request.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A refusal with this code, reason and sentence.
    Status { code: u16, reason: &'static str, message: String },
    /// 429 as plain text with `Retry-After`.
    Overload { retry_after: u32 },
    /// 403 in the words of the authorizer.
    Forbidden,
    /// The answer takes longer, because the request is handled later.
    Latency(Duration),
    /// The request is handled at once, but its answer comes later: after the client's patience it is lost.
    LateAnswer(Duration),
    /// A watch ends after this many events.
    DropWatch { after: usize },
    /// A log or watch stream ends after this many bytes, in the middle of a line if need be.
    CutStream { after: usize },
}

/// A rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) when: Match,
    pub(crate) then: Outcome,
}

/// The rules of a cluster. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<(Rule, u32)>>>);

/// A request as rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    pub(super) plural: &'a str,
    pub(super) subresource: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// What the rules say about one request.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) latency: Duration,
    pub(super) late_answer: Duration,
    pub(super) refusal: Option<ApiError>,
    pub(super) drop_after: Option<usize>,
    pub(super) cut_after: Option<usize>,
}

impl Faults {
    /// Adds a rule; it counts from now on.
    pub(crate) fn add(&self, rule: Rule) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((rule, 0));
    }

    /// Removes all rules.
    #[cfg(test)]
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Counts a request and says what happens to it.
    pub(super) fn judge(&self, request: &Request<'_>, now: Timestamp) -> Verdict {
        let mut verdict = Verdict::default();
        for (rule, count) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if !rule.when.fits(request, now) {
                continue;
            }
            *count += 1;
            if rule.when.nth.as_ref().is_none_or(|nth| nth.contains(count)) {
                verdict.take(&rule.then, request);
            }
        }
        verdict
    }

    /// Tells whether a rule about users forbids a request, without counting it.
    pub(super) fn forbids(&self, request: &Request<'_>, now: Timestamp) -> bool {
        let rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rules.iter().any(|(rule, _)| matches!(rule.then, Outcome::Forbidden) && rule.when.fits(request, now))
    }
}

impl Verdict {
    fn take(&mut self, outcome: &Outcome, request: &Request<'_>) {
        match outcome {
            Outcome::Status { code, reason, message } => {
                self.refusal.get_or_insert_with(|| ApiError::custom(*code, reason, message.clone()));
            }
            Outcome::Overload { retry_after } => {
                self.refusal.get_or_insert_with(|| ApiError::overloaded(*retry_after));
            }
            Outcome::Forbidden => {
                self.refusal.get_or_insert_with(|| forbidden(request));
            }
            Outcome::Latency(time) => self.latency += *time,
            Outcome::LateAnswer(time) => self.late_answer += *time,
            Outcome::DropWatch { after } => self.drop_after = Some(*after),
            Outcome::CutStream { after } => self.cut_after = Some(*after),
        }
    }
}

fn forbidden(request: &Request<'_>) -> ApiError {
    let Request { verb, group, plural, subresource, namespace, name } = *request;
    let place = if namespace.is_empty() { "at the cluster scope".to_owned() } else { format!("in the namespace {namespace:?}") };
    let resource = if subresource.is_empty() { plural.to_owned() } else { format!("{plural}/{subresource}") };
    let detail = format!("User \"syncwave\" cannot {verb} resource {resource:?} in API group {group:?} {place}");
    ApiError::forbidden(group, plural, name, &detail)
}

impl Match {
    fn fits(&self, request: &Request<'_>, now: Timestamp) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| glob(wanted, found));
        (self.verbs.is_empty() || self.verbs.iter().any(|verb| verb == request.verb))
            && self.resource.as_deref().is_none_or(|wanted| is_resource(wanted, request))
            && is(&self.namespace, request.namespace)
            && is(&self.name, request.name)
            && self.from.is_none_or(|from| from <= now)
            && self.until.is_none_or(|until| now < until)
    }
}

fn is_resource(wanted: &str, request: &Request<'_>) -> bool {
    let (resource, subresource) = wanted.split_once('/').unwrap_or((wanted, ""));
    let (plural, group) = resource.split_once('.').unwrap_or((resource, request.group));
    plural == request.plural && group == request.group && subresource == request.subresource
}

fn glob(wanted: &str, found: &str) -> bool {
    wanted.strip_suffix('*').map_or(wanted == found, |start| found.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(name: &str) -> Request<'_> {
        Request { verb: "patch", group: "apps", plural: "deployments", subresource: "", namespace: "shop", name }
    }

    #[test]
    fn a_rule_counts_its_own_matches() {
        let faults = Faults::default();
        let when = Match {
            verbs: vec!["patch".into()],
            resource: Some("deployments".into()),
            name: Some("web*".into()),
            nth: Some(2..=2),
            ..Match::default()
        };
        faults.add(Rule { when, then: Outcome::Status { code: 409, reason: "Conflict", message: "no".into() } });
        let refused = |name| faults.judge(&patch(name), Timestamp::UNIX_EPOCH).refusal.is_some();
        assert_eq!([refused("web"), refused("api"), refused("web-2"), refused("web")], [false, false, true, false]);
    }

    #[test]
    fn a_rule_about_a_resource_leaves_its_subresources_alone() {
        let faults = Faults::default();
        faults.add(Rule { when: Match { resource: Some("pods".into()), ..Match::default() }, then: Outcome::Forbidden });
        let log = Request { verb: "get", group: "", plural: "pods", subresource: "log", namespace: "a", name: "p" };
        assert!(!faults.forbids(&log, Timestamp::UNIX_EPOCH));
        let get = Request { subresource: "", ..log };
        let text = faults.judge(&get, Timestamp::UNIX_EPOCH).refusal.unwrap().message;
        let want = "pods \"p\" is forbidden: User \"syncwave\" cannot get resource \"pods\" in API group \"\" in the namespace \"a\"";
        assert_eq!(text, want);
    }
}
