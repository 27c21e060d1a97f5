//! One line of the table: texts that change only with facts, kept ready so that drawing is copying. Knows what a row says,
//! not where or in which colour it stands.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::clean;
use crate::engine::session::Action;
use crate::model::{Phase, ResultCode, Task, Wave};
use crate::operation::Operation;
use crate::operation::timeline::Stage;
use crate::plan::NotRun;
use crate::plan::impact::shortened;

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Group {
    Phase(Phase),
    /// What the plan leaves out.
    Left,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) group: Group,
    phase: Phase,
    pub(crate) wave: Wave,
    pub(crate) hook: bool,
    pub(crate) prune: bool,
    pub(crate) kind: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) stage: Stage,
    /// The state as one word.
    pub(crate) word: &'static str,
    /// How the object stands to its manifest.
    pub(crate) sync: &'static str,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) message: String,
    /// Whether a person should look: failed, or what everything waits for.
    pub(crate) problem: bool,
}

/// Makes the row of a task, before anything is known of its state.
pub(crate) fn of_task(task: &Task) -> Row {
    Row {
        group: Group::Phase(task.id.phase),
        phase: task.id.phase,
        wave: task.wave,
        hook: task.is_hook(),
        prune: task.is_prune(),
        kind: clean_arc(&task.id.key.kind),
        namespace: clean_arc(&task.id.key.namespace),
        name: clean_arc(&task.id.key.name),
        stage: Stage::Waiting,
        word: "",
        sync: "",
        started_at: None,
        finished_at: None,
        message: String::new(),
        problem: false,
    }
}

/// Makes the row of something that the plan leaves out.
pub(crate) fn of_left(left: &NotRun) -> Row {
    Row { group: Group::Left, stage: Stage::Skipped, word: "not run", message: brief(&left.reason).into_owned(), ..of_task(&left.task) }
}

/// What a row needs to know beside its operation.
pub(crate) struct Beside<'a> {
    pub(crate) is_blocker: bool,
    pub(crate) action: Option<&'a Action>,
    /// When the newest fact was true.
    pub(crate) at: Timestamp,
}

/// Brings a row up to date with its operation.
pub(crate) fn refresh(row: &mut Row, task: &Task, operation: &Operation, beside: &Beside<'_>) {
    let Beside { is_blocker, action, at } = *beside;
    let fresh = operation.row(task);
    let is_as_before = row.started_at == fresh.started_at && matches!(row.stage, Stage::Done | Stage::Failed);
    // The last group of a sync is not waited for (spec R1540): what is seen to be done ends when that is seen.
    let seen = matches!(fresh.stage, Stage::Done | Stage::Failed).then(|| row.finished_at.filter(|_| is_as_before).unwrap_or(at));
    row.stage = fresh.stage;
    row.word = fresh.word;
    row.started_at = fresh.started_at;
    row.finished_at = fresh.finished_at.or(seen.filter(|_| fresh.started_at.is_some()));
    row.problem = is_blocker || fresh.stage == Stage::Failed;
    row.sync = sync_word(task, operation, action);
    let text = match fresh.stage {
        Stage::Running if is_blocker || task.is_hook() => Some(operation.why_waiting(&task.id)).filter(|text| !text.is_empty()),
        Stage::Done | Stage::Failed if task.is_hook() => ending(task, operation, &fresh.message),
        Stage::Waiting | Stage::Running | Stage::Done | Stage::Failed | Stage::Skipped | Stage::Armed => None,
    };
    row.message = brief(text.as_deref().unwrap_or_else(|| without_name(&fresh.message, &task.id.key.name))).into_owned();
}

/// Longest sentence of a list, in characters, and how much of its end is kept.
const BRIEF: usize = 400;
const END: usize = 100;

/// Returns a sentence as a list or a verdict shows it: printable, without the server's own data, and with a gap where it is enormous. The
/// details of the object have all of it.
pub(crate) fn brief(sentence: &str) -> Cow<'_, str> {
    let short = shortened(sentence);
    let count = short.chars().count();
    if count > BRIEF {
        let head: String = short.chars().take(BRIEF - END).collect();
        let tail: String = short.chars().skip(count - END).collect();
        return Cow::Owned(clean::text(&format!("{} … {}", head.trim_end(), tail.trim_start())).into_owned());
    }
    match short {
        Cow::Borrowed(short) => clean::text(short),
        Cow::Owned(short) => Cow::Owned(clean::text(&short).into_owned()),
    }
}

/// `configmap/settings configured` says its own name again; `configured` is enough in its row.
fn without_name<'a>(message: &'a str, name: &str) -> &'a str {
    let rest = message.split_once('/').map_or(message, |(_, rest)| rest);
    rest.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')).unwrap_or(message)
}

/// How the pods of a hook ended comes first: it is what one looks for.
fn ending(task: &Task, operation: &Operation, message: &str) -> Option<String> {
    let exit = operation.exit_sentence(&task.id.key)?;
    Some(if message.is_empty() { exit } else { format!("{exit} · {message}") })
}

fn sync_word(task: &Task, operation: &Operation, action: Option<&Action>) -> &'static str {
    if task.is_hook() {
        return "—";
    }
    let code = operation.result(&task.id).map(|result| result.code).unwrap_or_default();
    match code {
        // A dry run leaves it as it was.
        ResultCode::Synced | ResultCode::Pruned if operation.request().dry_run => action.map(planned_sync).unwrap_or_default(),
        ResultCode::None => action.map(planned_sync).unwrap_or_default(),
        ResultCode::Synced | ResultCode::SyncFailed | ResultCode::Pruned | ResultCode::PruneSkipped => code.as_str(),
    }
}

fn planned_sync(action: &Action) -> &'static str {
    match action {
        Action::Create | Action::Configure | Action::Replace | Action::Recreate(_) | Action::Prune => "OutOfSync",
        Action::Unchanged => "Synced",
        Action::Run => "—",
        Action::Refused(_) | Action::Unknown(_) => "Unknown",
    }
}

/// Brings the row of a plan up to date with what the server's dry run said.
pub(crate) fn refresh_planned(row: &mut Row, task: &Task, action: Option<&Action>) {
    row.stage = match action {
        Some(Action::Refused(_)) => Stage::Failed,
        Some(_) | None if task.id.phase == Phase::SyncFail => Stage::Armed,
        Some(_) | None => Stage::Waiting,
    };
    row.problem = row.stage == Stage::Failed;
    row.word = action.map_or("waiting", Action::as_str);
    row.sync = action.map(planned_sync).unwrap_or_default();
    row.message = match action {
        Some(Action::Refused(text) | Action::Unknown(text)) => brief(text).into_owned(),
        Some(Action::Recreate(why)) => format!("deleted and created again: {}", brief(why)),
        Some(Action::Create | Action::Configure | Action::Unchanged | Action::Replace | Action::Prune | Action::Run) | None => {
            planned_message(task)
        }
    };
}

fn planned_message(task: &Task) -> String {
    if task.id.phase == Phase::SyncFail {
        return "runs only if the sync fails".to_owned();
    }
    let policies: Vec<&str> = task.delete_policies().iter().map(|policy| policy.as_str()).collect();
    let origin = task.origin.as_ref().map(|origin| clean::text(&origin.to_string()).into_owned()).unwrap_or_default();
    if policies.is_empty() { origin } else { format!("hook, deleted by {} · {origin}", policies.join(", ")) }
}

fn clean_arc(text: &Arc<str>) -> Arc<str> {
    match clean::text(text) {
        Cow::Borrowed(_) => text.clone(),
        Cow::Owned(clean) => clean.into(),
    }
}

impl Row {
    /// Returns the phase, of something that is left out too.
    pub(crate) fn group_phase(&self) -> Phase {
        self.phase
    }

    /// Returns the usual abbreviation of the kind, or the kind.
    pub(crate) fn short_kind(&self) -> &str {
        short_kind(&self.kind)
    }

    /// Returns how long it has taken so far.
    pub(crate) fn elapsed(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(self.finished_at.unwrap_or(now).duration_since(self.started_at?))
    }

    /// Returns whether any text of the row contains the words, whatever their case; with `!` in front, whether none does.
    pub(crate) fn matches(&self, filter: &str) -> bool {
        let (wanted, words) = filter.strip_prefix('!').map_or((true, filter), |rest| (false, rest));
        if words.is_empty() {
            return true;
        }
        let texts = [&*self.kind, &*self.name, &*self.namespace, self.word, &self.message, self.phase.as_str()];
        texts.iter().any(|text| contains(text, words)) == wanted
    }
}

/// Returns whether `text` contains `words`, ignoring the case of ASCII letters.
pub(crate) fn contains(text: &str, words: &str) -> bool {
    words.is_empty() || find(text, words).is_some()
}

/// Returns the first byte at which `text` has `words`, ignoring the case of ASCII letters; `None` for no words.
pub(crate) fn find(text: &str, words: &str) -> Option<usize> {
    let (text, words) = (text.as_bytes(), words.as_bytes());
    if words.is_empty() { None } else { text.windows(words.len()).position(|part| part.eq_ignore_ascii_case(words)) }
}

/// Returns the usual abbreviation of a kind, or the kind.
pub(crate) fn short_kind(kind: &str) -> &str {
    match kind {
        "Deployment" => "Deploy",
        "StatefulSet" => "STS",
        "DaemonSet" => "DS",
        "ReplicaSet" => "RS",
        "ServiceAccount" => "SA",
        "PersistentVolumeClaim" => "PVC",
        "HorizontalPodAutoscaler" => "HPA",
        "PodDisruptionBudget" => "PDB",
        "CustomResourceDefinition" => "CRD",
        "NetworkPolicy" => "NetPol",
        "RoleBinding" => "RB",
        "ClusterRoleBinding" => "CRB",
        other => other,
    }
}

/// Writes a time with tenths up to 100 seconds, for columns: `0.3s`, `36.6s`, `2m05s`, `1h04m`.
pub(crate) fn column_time(time: SignedDuration) -> String {
    let millis = time.as_millis().max(0);
    let seconds = millis / 1000;
    match seconds {
        0..100 => format!("{seconds}.{}s", millis % 1000 / 100),
        100..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_a_column_is_never_wider_than_six() {
        for (millis, text) in [(0, "0.0s"), (36_640, "36.6s"), (99_999, "99.9s"), (100_000, "1m40s"), (3_840_000, "1h04m"), (-1, "0.0s")] {
            assert_eq!(column_time(SignedDuration::from_millis(millis)), text);
        }
    }

    #[test]
    fn an_enormous_sentence_keeps_its_start_and_its_end() {
        let whole = format!("the webhook says {}: so no. Nothing in Sync was applied", "é no ".repeat(3_000));
        let said = brief(&whole);
        assert!(
            said.starts_with("the webhook says é no") && said.contains(" … ") && said.ends_with("Nothing in Sync was applied"),
            "{said}"
        );
        assert!(said.chars().count() <= BRIEF + 3);
        assert_eq!(brief("a\nb"), "a␊b");
        let data = format!("Job \"x\" is invalid: core.PodTemplateSpec{{{}}}: field is immutable", "a:1, ".repeat(300));
        assert_eq!(brief(&data), "Job \"x\" is invalid: core.PodTemplateSpec{…}: field is immutable");
    }

    #[test]
    fn a_filter_finds_any_text_and_can_be_turned_round() {
        let mut row = Row { message: "exit 1 · BackoffLimitExceeded".into(), ..blank() };
        row.name = "db-migrate".into();
        for (filter, found) in
            [("MIGR", true), ("!migr", false), ("backoff", true), ("web", false), ("!web", true), ("", true), ("!", true)]
        {
            assert_eq!(row.matches(filter), found, "{filter}");
        }
    }

    fn blank() -> Row {
        Row {
            group: Group::Left,
            phase: Phase::Sync,
            wave: Wave(0),
            hook: false,
            prune: false,
            kind: "Job".into(),
            namespace: "shop".into(),
            name: "x".into(),
            stage: Stage::Waiting,
            word: "waiting",
            sync: "",
            started_at: None,
            finished_at: None,
            message: String::new(),
            problem: false,
        }
    }
}
