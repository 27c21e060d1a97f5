//! What a write would make of an object, without doing it: the live object and the server's dry run at one moment. Owns what the
//! server's refusals mean for a comparison; must not compare.

use http::Method;
use serde_json::Value;

use super::apply::{Before, Spot, Word, Writing};
use super::beside::{Anew, is_of_schema, rename};
use super::ownership::Snapshot;
use super::retry::{Backoff, is_transient};
use super::trial::{Made, Tried};
use super::wire::{CallError, with_query};
use super::{Cluster, Reporter, assigned, leftovers};
use crate::model::annotation::FIELD_MANAGER;
use crate::model::{Mode, Object, Verb};

/// How often an object that changes meanwhile is looked at.
const LOOKS: u32 = 5;

/// What would happen to an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Prospect {
    Create,
    Configure,
    Unchanged,
    /// The target takes its place, whole.
    Replace,
    /// It is deleted and created again, for this reason.
    Recreate(String),
    /// The server refuses, with its sentence.
    Refused(CallError),
    /// The server does not try it, although it may well take it.
    Untried,
    /// Could not be found out, for this reason.
    Unknown(String),
}

/// One object on both sides.
#[derive(Clone, Debug)]
pub(crate) struct Foreseen {
    pub(crate) live: Option<Object>,
    /// As the server would make it; `None` if it did not say.
    pub(crate) after: Option<Object>,
    pub(crate) prospect: Prospect,
    /// Why `after` is not quite, or not at all, what the server says.
    pub(crate) approximate: Option<String>,
    /// Fields of the target that the server does not know and drops.
    pub(crate) left_out: Vec<String>,
}

impl Foreseen {
    fn new(live: Option<Object>, after: Option<Object>, prospect: Prospect) -> Self {
        Self { live, after, prospect, approximate: None, left_out: Vec::new() }
    }
}

/// What is known of an object before it is looked at by its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Glimpse {
    #[default]
    Unseen,
    /// A list that was whole did not have it.
    Absent,
    /// As a list had it, or a look that is not quite fresh.
    Live(Object),
}

/// What there is before a write, as a comparison needs it.
enum Seen {
    Live(Option<Object>),
    /// It may not be read, in the server's words.
    Hidden(String),
}

impl Cluster {
    /// Asks the server what a write would make of an object. The first look may be a glimpse: what the server answers proves that it is of
    /// the same moment, or the object is looked at again. `mode` gets the items of the live object's sync-options annotation.
    pub(crate) async fn foresee(
        &self,
        spot: Spot<'_>,
        target: &Object,
        mut glimpse: Glimpse,
        mode: impl Fn(&[String]) -> Mode,
    ) -> Foreseen {
        let mut looks = 1;
        loop {
            let is_fresh = glimpse == Glimpse::Unseen;
            let seen = match self.see(spot, std::mem::take(&mut glimpse)).await {
                Ok(seen) => seen,
                Err(error) => return unknown(None, error.to_string()),
            };
            let before = seen.before();
            let mode = mode(before.options());
            let tried = self.try_for(spot, target, &before, mode).await;
            let is_settled = seen.is_moment_of(&tried) && (is_fresh || !depends_on_moment(&tried));
            if is_settled || looks == LOOKS {
                let left_out = tried.as_ref().map(Tried::left_out).unwrap_or_default();
                let foreseen = Foreseen { left_out, ..self.told(Told { spot, target, mode, seen, before }, tried).await };
                return if is_settled { foreseen } else { restless(foreseen) };
            }
            looks += 1;
        }
    }

    /// Asks what would take the place of an object that is deleted before the target is applied.
    pub(crate) async fn foresee_anew(&self, spot: Spot<'_>, target: &Object, why: &str, mode: impl Fn(&[String]) -> Mode) -> Foreseen {
        let live = match self.see(spot, Glimpse::Unseen).await {
            Ok(Seen::Live(live)) => live,
            Ok(Seen::Hidden(text)) => return unknown(None, hidden(&text)),
            Err(error) => return unknown(None, error.to_string()),
        };
        let Some(live) = live else { return self.foresee(spot, target, Glimpse::Unseen, mode).await };
        let mode = mode(&Snapshot::of(live.wire()).options);
        let tried = match mode.verb {
            Verb::Replace => self.create_beside(spot, target, mode).await,
            Verb::Apply | Verb::ServerSideApply => self.apply_beside(spot, target, mode).await,
        };
        match Anew::of(tried) {
            Ok(anew) => recreated(live, target, anew, why.to_owned()),
            Err(error) => refused(Some(live), error),
        }
    }

    async fn see(&self, spot: Spot<'_>, glimpse: Glimpse) -> Result<Seen, CallError> {
        match glimpse {
            Glimpse::Live(object) => return Ok(Seen::Live(Some(object))),
            Glimpse::Absent => return Ok(Seen::Live(None)),
            Glimpse::Unseen => {}
        }
        if spot.name.is_empty() {
            return Ok(Seen::Live(None));
        }
        match self.get(spot, &Reporter::default()).await {
            Ok(live) => Ok(Seen::Live(live)),
            Err(error) if error.is_forbidden() => Ok(Seen::Hidden(error.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn try_for(&self, spot: Spot<'_>, target: &Object, before: &Before, mode: Mode) -> Result<Tried, CallError> {
        let reporter = Reporter::default();
        let doing = format!("trying {}", spot.title());
        let mut backoff = Backoff::new(self, &reporter, &doing);
        loop {
            match self.try_once(Writing { spot, target, mode, reporter: &reporter }, before).await {
                Ok(tried) => return Ok(tried),
                // A webhook that cannot be reached does not come back within seconds.
                Err(error) if is_of_webhook(&error) => return Err(error),
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn told(&self, told: Told<'_>, tried: Result<Tried, CallError>) -> Foreseen {
        let Told { spot, target, mode, seen, before } = told;
        let live = match seen {
            Seen::Live(live) => live,
            Seen::Hidden(text) => return hidden_object(&text, tried),
        };
        let Tried { word, made } = match tried {
            Ok(tried) => tried,
            Err(error) => return refused(live, error),
        };
        let (live, after) = match (made, live) {
            (Made::Anew { anew, why }, Some(old)) => return recreated(old, target, anew, why),
            // Who asked for it had seen an object.
            (Made::Anew { why, .. }, None) => return Foreseen::new(None, None, Prospect::Recreate(why)),
            (Made::Answer(answer), Some(old)) if mode.migrate && mode.verb != Verb::Replace && leftovers::has_any(old.wire()) => {
                let (after, approximate) = self.without_leftovers(spot, &old, answer.body).await;
                return Foreseen { approximate, ..Foreseen::new(Some(old), Some(after), Prospect::Configure) };
            }
            (Made::Answer(answer), old) if mode.verb == Verb::Replace => (old, as_ours(answer.body)),
            (Made::Answer(answer), old) => (old, answer.body),
        };
        let prospect = match word {
            Word::Created => Prospect::Create,
            Word::Unchanged => Prospect::Unchanged,
            Word::Replaced | Word::Updated | Word::Remade => Prospect::Replace,
            Word::Configured | Word::ServersideApplied if before == Before::Absent => Prospect::Create,
            Word::Configured | Word::ServersideApplied => Prospect::Configure,
        };
        Foreseen::new(live, Some(Object::new(after)), prospect)
    }

    /// The sync makes the fields of a client-side apply ours first, and then those go that the target does not have (spec R715). A dry run
    /// of the apply cannot know; so they are taken out here, and the server is asked what it makes of the rest.
    async fn without_leftovers(&self, spot: Spot<'_>, live: &Object, after: Value) -> (Object, Option<String>) {
        let mut wanted = after;
        if !leftovers::take_out(live.wire(), &mut wanted) {
            return (Object::new(wanted), None);
        }
        let patch = leftovers::merge_patch(live.wire(), &wanted);
        let path = with_query(&spot.path(), &[("fieldManager", FIELD_MANAGER), ("dryRun", "All")]);
        match self.write(Method::PATCH, &path, "application/merge-patch+json", &patch).await {
            Ok(answer) => {
                let mut made = answer.body;
                if let (Some(metadata), Some(fields)) =
                    (made.get_mut("metadata").and_then(Value::as_object_mut), wanted.pointer_mut("/metadata/managedFields"))
                {
                    metadata.insert("managedFields".to_owned(), fields.take());
                }
                (Object::new(made), None)
            }
            Err(_) => {
                let why = "fields that a client-side apply has left behind go with this sync; what the server fills in then is not known";
                (Object::new(wanted), Some(why.to_owned()))
            }
        }
    }
}

/// What the sentence about a try needs.
struct Told<'a> {
    spot: Spot<'a>,
    target: &'a Object,
    mode: Mode,
    seen: Seen,
    before: Before,
}

impl Seen {
    fn before(&self) -> Before {
        match self {
            Self::Live(Some(object)) => Before::Present(Snapshot::of(object.wire())),
            Self::Live(None) | Self::Hidden(_) => Before::Absent,
        }
    }

    /// Returns whether the dry run saw the same object: it answers with the live object's version.
    fn is_moment_of(&self, tried: &Result<Tried, CallError>) -> bool {
        match (self, tried) {
            (_, Err(error)) => !is_stale(error),
            (Self::Live(Some(object)), Ok(Tried { made: Made::Answer(answer), .. })) => {
                object.wire()["metadata"]["resourceVersion"] == answer.body["metadata"]["resourceVersion"]
            }
            (Self::Live(None), Ok(Tried { made: Made::Answer(answer), .. })) => answer.code == 201,
            (Self::Hidden(_), Ok(_)) | (Self::Live(_), Ok(Tried { made: Made::Anew { .. }, .. })) => true,
        }
    }
}

/// Somebody wrote between the look and the try.
fn is_stale(error: &CallError) -> bool {
    matches!(error, CallError::Refused { code: 409, reason, .. } if reason == "Conflict")
}

/// Returns whether a try says something of the live object without saying of which version: what cannot be changed, what is there already.
/// What somebody may not do at all is the same at any moment.
fn depends_on_moment(tried: &Result<Tried, CallError>) -> bool {
    match tried {
        Ok(Tried { made, .. }) => match made {
            Made::Answer(_) => false,
            Made::Anew { .. } => true,
        },
        Err(error) => matches!(error.code(), Some(409 | 422)),
    }
}

fn restless(foreseen: Foreseen) -> Foreseen {
    let why = "it changes faster than it can be looked at, so the two sides may be of different moments".to_owned();
    Foreseen { approximate: foreseen.approximate.or(Some(why)), ..foreseen }
}

fn unknown(live: Option<Object>, why: String) -> Foreseen {
    Foreseen::new(live, None, Prospect::Unknown(why))
}

fn hidden(text: &str) -> String {
    format!("it may not be read, so nobody can say what changes: {text}")
}

fn hidden_object(text: &str, tried: Result<Tried, CallError>) -> Foreseen {
    match tried {
        Ok(Tried { made: Made::Answer(answer), .. }) if answer.code == 201 => {
            Foreseen::new(None, Some(Object::new(answer.body)), Prospect::Create)
        }
        Err(error @ CallError::Refused { .. }) if !error.is_forbidden() => refused(None, error),
        Ok(_) | Err(_) => unknown(None, hidden(text)),
    }
}

/// Sorts what the server says instead of trying.
fn refused(live: Option<Object>, error: CallError) -> Foreseen {
    let (code, reason, message) = match &error {
        CallError::Refused { code, reason, message, .. } => (code, reason, message),
        CallError::Lost(_)
        | CallError::Unreachable(_)
        | CallError::TimedOut
        | CallError::Credentials(_)
        | CallError::Unsent
        | CallError::Withheld(_)
        | CallError::Unsure(_)
        | CallError::Unreadable(_) => {
            return unknown(live, error.to_string());
        }
    };
    if is_unwilling(message) {
        return Foreseen { approximate: Some(message.clone()), ..Foreseen::new(live, None, Prospect::Untried) };
    }
    // The server could not even read what it has, or somebody behind it does not answer.
    let is_unable = *code >= 500 && !is_of_schema(message) || is_transient(&error);
    if is_unable {
        let said = if reason == "NotAStatus" { format!("the API server answered with status {code}: {message}") } else { message.clone() };
        return unknown(live, said);
    }
    let approximate = Some(message.clone());
    Foreseen { approximate, ..Foreseen::new(live, None, Prospect::Refused(error)) }
}

/// Admission webhooks with side effects refuse to be tried.
fn is_unwilling(message: &str) -> bool {
    message.contains("does not support dry run") || message.contains("Webhook SideEffects is nil")
}

fn is_of_webhook(error: &CallError) -> bool {
    matches!(error, CallError::Refused { code: 500, message, .. } if message.contains("webhook"))
}

/// What is written whole is as much ours as what is applied; the server calls it an update.
fn as_ours(mut object: Value) -> Value {
    let entries = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten().filter(|entry| entry["manager"] == FIELD_MANAGER) {
        entry["operation"] = "Apply".into();
    }
    object
}

/// Says what takes the place of an object that goes.
fn recreated(old: Object, target: &Object, anew: Anew, why: String) -> Foreseen {
    let Anew { object, left_out, approximate } = anew;
    let after = object.map(|object| with_identity(object, &old, target));
    Foreseen { approximate, left_out, ..Foreseen::new(Some(old), after, Prospect::Recreate(why)) }
}

/// Gives the new object the identity of the old one and what it was assigned, so that only what a person wrote differs.
fn with_identity(new: Value, old: &Object, target: &Object) -> Object {
    let mut new = as_ours(new);
    assigned::keep(&mut new, old.wire(), target.wire());
    let uid = new["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    if !uid.is_empty() {
        rename(&mut new, &uid, old.text(&["metadata", "uid"]));
    }
    Object::new(new)
}

#[cfg(test)]
mod tests;
