//! Server-side apply (decision 6). Owns the words of the result (decision 18) and what happens when the server is busy or its answer is
//! lost: an object whose creation may have happened is looked for before anything is sent again. What is written whole is in `replace`,
//! what has to go first in `recreate`.

use http::Method;

use super::outgoing::outgoing;
use super::ownership::Snapshot;
use super::recreate::is_leaving;
use super::retry::{Backoff, is_transient};
use super::veil::Veil;
use super::wire::{Answer, CallError, Resource, with_query};
use super::{Cluster, Reporter, unknown_fields, unsure};
use crate::model::annotation::FIELD_MANAGER;
use crate::model::{Mode, Object, Verb};

const APPLY: &str = "application/apply-patch+yaml";

/// What was there before an apply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Before {
    /// Nobody has looked.
    Unknown,
    Absent,
    Present(Snapshot),
}

impl Before {
    /// Returns the items of the live object's sync-options annotation, none without a live object.
    pub(crate) fn options(&self) -> &[String] {
        match self {
            Self::Present(snapshot) => &snapshot.options,
            Self::Unknown | Self::Absent => &[],
        }
    }
}

/// Where an object is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl Spot<'_> {
    pub(super) fn path(&self) -> String {
        self.resource.object(self.namespace, self.name)
    }

    pub(super) fn collection(&self) -> String {
        self.resource.collection(self.namespace)
    }

    /// Returns `Job shop/migrate`.
    pub(super) fn title(&self) -> String {
        let kind = &self.resource.gvk.kind;
        if self.resource.is_namespaced && !self.namespace.is_empty() {
            format!("{kind} {}/{}", self.namespace, self.name)
        } else {
            format!("{kind} {}", self.name)
        }
    }
}

/// What is written where, in which way, and who hears of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writing<'a> {
    pub(crate) spot: Spot<'a>,
    pub(crate) target: &'a Object,
    pub(crate) mode: Mode,
    pub(crate) reporter: &'a Reporter,
}

/// What an apply did (decision 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Created,
    Configured,
    Unchanged,
    ServersideApplied,
    /// Put in the place of what was there.
    Replaced,
    /// The same of a definition or a Namespace.
    Updated,
    /// Deleted and put there again, by `Replace` with force.
    Remade,
}

impl Word {
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::ServersideApplied => "serverside-applied",
            Self::Replaced | Self::Remade => "replaced",
            Self::Updated => "updated",
        }
    }
}

/// The object after an apply.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) object: Object,
    pub(crate) word: Word,
}

impl Applied {
    /// Returns the result's text: `deployment.apps/web configured`. What was deleted for it has a line of its own before that.
    pub(crate) fn message(&self) -> String {
        let (gvk, name) = (self.object.gvk(), self.object.name());
        if self.word == Word::Updated {
            return format!("{}/{name} updated", gvk.kind);
        }
        let kind = gvk.kind.to_lowercase();
        let group = if gvk.group.is_empty() { String::new() } else { format!(".{}", gvk.group) };
        let deletion = if self.word == Word::Remade { deletion(&format!("{kind}{group}"), &self.object) } else { String::new() };
        format!("{deletion}{kind}{group}/{name} {}", self.word.as_str())
    }
}

fn deletion(kind: &str, object: &Object) -> String {
    let (name, namespace) = (object.name(), object.namespace());
    if namespace.is_empty() {
        return format!("{kind} \"{name}\" deleted\n");
    }
    format!("{kind} \"{name}\" deleted from {namespace} namespace\n")
}

impl Cluster {
    /// Writes an object as its mode says, and reports what that took from others.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub(crate) async fn apply(&self, writing: Writing<'_>, before: &Before) -> Result<Applied, CallError> {
        let Writing { mode, reporter, .. } = writing;
        mode.idle().into_iter().for_each(|text| reporter.warn(text.to_owned()));
        match mode.verb {
            Verb::Replace => self.replace(writing, before).await,
            Verb::Apply | Verb::ServerSideApply => self.merge_or_recreate(writing, before).await,
        }
    }

    async fn merge_or_recreate(&self, writing: Writing<'_>, before: &Before) -> Result<Applied, CallError> {
        let Writing { spot, target, mode, reporter } = writing;
        let migrated = match before {
            Before::Present(live) if mode.migrate && live.has_left_behind() => Some(self.migrate(spot, reporter).await?),
            Before::Present(_) | Before::Absent | Before::Unknown => None,
        };
        let refusal = match self.merge(writing, migrated.as_ref().unwrap_or(before)).await {
            Err(error) => error,
            done @ Ok(_) => return done,
        };
        if unsure::is_hook(target) && is_leaving(&refusal) {
            return self.succeed(writing, refusal).await;
        }
        self.supersede(writing, refusal).await
    }

    /// Applies, taking fields from other managers if need be, and reports whom it took them from.
    pub(super) async fn merge(&self, writing: Writing<'_>, before: &Before) -> Result<Applied, CallError> {
        let Writing { spot, target, mode, reporter } = writing;
        let doing = format!("applying {}", spot.title());
        let mut backoff = Backoff::of_change(self, reporter, &doing);
        let mut is_unsure = false;
        let is_server_side = mode.verb == Verb::ServerSideApply;
        // It must not be sent again, because in the meantime it may have run and gone.
        let is_new_hook = unsure::is_hook(target) && *before == Before::Absent;
        loop {
            let error = match self.send_apply(writing, Run::ForReal).await {
                Ok(answer) => return Ok(applied(writing, before, answer, is_unsure)),
                // An earlier try may have been taken.
                Err(CallError::Unsent) if is_unsure => CallError::TimedOut,
                Err(error) => error,
            };
            is_unsure |= error.is_outcome_unknown();
            let created = |object| Applied { object, word: if is_server_side { Word::ServersideApplied } else { Word::Created } };
            if is_unsure && unsure::could_run_twice(target, before) {
                return self.seek(spot, target, &error, reporter).await.map(created);
            }
            let again = backoff.again_if(&error, is_transient(&error) || error.code() == Some(409)).await;
            // Also before giving up: a hook of ours that nobody knows of would keep its finalizer (spec R1502).
            if is_unsure
                && is_new_hook
                && let Some(object) = self.created_by_us(spot, target).await
            {
                return Ok(created(object));
            }
            if !again {
                return Err(error);
            }
        }
    }

    pub(super) async fn send_apply(&self, writing: Writing<'_>, run: Run) -> Result<Answer, CallError> {
        let Writing { spot, target, mode, reporter } = writing;
        let is_lenient = !mode.validate;
        let mut query = vec![("fieldManager", FIELD_MANAGER), ("force", "true")];
        query.push(("fieldValidation", if is_lenient { "Ignore" } else { "Strict" }));
        if run == Run::Dry {
            query.push(("dryRun", "All"));
        }
        let path = with_query(&spot.path(), &query);
        let mut body = outgoing(target);
        let mut left_out = Vec::new();
        loop {
            let answer = self.write(Method::PATCH, &path, APPLY, &body).await;
            let cut = match &answer {
                Err(CallError::Refused { message, .. }) if is_lenient => unknown_fields::cut(&mut body, message),
                Ok(_) | Err(_) => Vec::new(),
            };
            if cut.is_empty() {
                let answer = Veil::of(target).answer(answer)?;
                let warnings = answer.warnings.into_iter().chain(left_out).collect();
                return Ok(Answer { warnings, ..answer });
            }
            // Whoever tries is told by the answer, whoever writes at once.
            if run == Run::Dry {
                left_out.extend(cut.iter().map(|path| unknown_fields::warning(path)));
            }
            reporter.warn(format!("left out {}, which the API server does not know (Validate=false)", few(&cut)));
        }
    }
}

/// Whether a request is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    ForReal,
    Dry,
}

pub(super) fn say_warnings(answer: &Answer, reporter: &Reporter) {
    for text in &answer.warnings {
        reporter.warn(format!("the API server says: {text}"));
    }
}

fn applied(Writing { mode, reporter, .. }: Writing<'_>, before: &Before, answer: Answer, is_unsure: bool) -> Applied {
    say_warnings(&answer, reporter);
    if let Before::Present(snapshot) = before {
        for (manager, fields) in snapshot.taken(&answer.body) {
            reporter.warn(format!("took {} from the field manager `{manager}`", few(&fields)));
        }
    }
    let word = if mode.verb == Verb::ServerSideApply { Word::ServersideApplied } else { word(before, &answer, is_unsure) };
    Applied { object: Object::new(answer.body), word }
}

fn word(before: &Before, answer: &Answer, is_unsure: bool) -> Word {
    match before {
        _ if answer.code == 201 => Word::Created,
        Before::Present(snapshot) if snapshot.is_same_as(&answer.body) => Word::Unchanged,
        Before::Present(_) => Word::Configured,
        Before::Absent | Before::Unknown if is_unsure => Word::Created,
        Before::Absent | Before::Unknown => Word::Configured,
    }
}

fn few(fields: &[String]) -> String {
    let shown: Vec<&str> = fields.iter().take(3).map(String::as_str).collect();
    match fields.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more fields", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
