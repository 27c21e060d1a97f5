//! What a write would do, without doing it: for plans and dry runs.

use super::apply::{Before, Run, Spot, Word, Writing};
use super::beside::Anew;
use super::replace::replacing_word;
use super::retry::Backoff;
use super::wire::{Answer, CallError};
use super::{Cluster, Reporter, unknown_fields};
use crate::model::{Mode, Object, Verb};

impl Cluster {
    /// Asks the server what a write would do, without doing it.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub(crate) async fn try_apply(&self, spot: Spot<'_>, target: &Object, before: &Before, mode: Mode) -> Result<Word, CallError> {
        let reporter = Reporter::default();
        let doing = format!("trying {}", spot.title());
        let mut backoff = Backoff::new(self, &reporter, &doing);
        loop {
            match self.try_once(Writing { spot, target, mode, reporter: &reporter }, before).await {
                Ok(tried) => return Ok(tried.word),
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    pub(super) async fn try_once(&self, writing: Writing<'_>, before: &Before) -> Result<Tried, CallError> {
        let Writing { spot, target, mode, .. } = writing;
        match (mode.verb, before) {
            (Verb::Apply | Verb::ServerSideApply, _) => match self.send_apply(writing, Run::Dry).await {
                Ok(answer) => Ok(Tried { word: tried(before, mode, &answer), made: Made::Answer(answer) }),
                Err(refusal) => match self.superseded(writing, &refusal).await? {
                    Some(superseded) => {
                        Ok(Tried { word: Word::Configured, made: Made::Anew { anew: superseded.anew, why: refusal.to_string() } })
                    }
                    None => Err(refusal),
                },
            },
            (Verb::Replace, Before::Absent | Before::Unknown) => {
                let answer = self.post(spot, target, mode, Run::Dry).await?;
                Ok(Tried { word: Word::Created, made: Made::Answer(answer) })
            }
            (Verb::Replace, Before::Present(live)) => {
                let word = replacing_word(spot);
                // By force it is another object, which the old one says nothing about.
                if mode.force && word != Word::Updated {
                    let anew = Anew::of(self.create_beside(spot, target, mode).await)?;
                    return Ok(Tried { word, made: Made::Anew { anew, why: "Replace=true with Force=true".to_owned() } });
                }
                let answer = self.put(spot, target, &live.resource_version, Run::Dry).await?;
                Ok(Tried { word, made: Made::Answer(answer) })
            }
        }
    }
}

/// What a try came to.
pub(super) struct Tried {
    pub(super) word: Word,
    pub(super) made: Made,
}

impl Tried {
    /// Returns the fields that the server dropped from what it was asked about.
    pub(super) fn left_out(&self) -> Vec<String> {
        match &self.made {
            Made::Answer(answer) => unknown_fields::warned_of(&answer.warnings),
            Made::Anew { anew, .. } => anew.left_out.clone(),
        }
    }
}

/// What would be there afterwards.
pub(super) enum Made {
    Answer(Answer),
    /// The old object would be deleted for a new one, because of `why`.
    Anew {
        anew: Anew,
        why: String,
    },
}

/// Returns what a write does when all goes well, as far as the live object alone says it.
pub(crate) fn likely(spot: Spot<'_>, before: &Before, mode: Mode) -> Word {
    match (before, mode.verb) {
        (Before::Absent | Before::Unknown, _) => Word::Created,
        (Before::Present(_), Verb::Replace) => replacing_word(spot),
        (Before::Present(_), Verb::Apply | Verb::ServerSideApply) => Word::Configured,
    }
}

fn tried(before: &Before, mode: Mode, answer: &Answer) -> Word {
    match before {
        // The dry run does not know that the fields of client-side apply become ours first.
        Before::Present(live) if mode.migrate && live.has_left_behind() => Word::Configured,
        Before::Present(live) if live.has_content_of(&answer.body) => Word::Unchanged,
        Before::Present(_) => Word::Configured,
        Before::Absent | Before::Unknown => Word::Created,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::fake::{self, Asked};
    use crate::cluster::ownership::Snapshot;
    use crate::cluster::{Resource, locked};
    use crate::model::Options;

    fn live() -> Value {
        let left = json!({"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {"f:data": {"f:k": {}}}});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "1"},
            "metadata": {"name": "a", "uid": "u", "resourceVersion": "7", "managedFields": [left]}})
    }

    /// Tries against a server that would change nothing; returns the word and what was asked.
    async fn tries(options: &[&str], force: bool, before: &Before) -> (Word, Vec<String>) {
        let log = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = log.clone();
        let cluster = fake::cluster(move |asked: Asked| {
            assert!(asked.query.ends_with("dryRun=All"), "{}", asked.query);
            locked(&seen).push(asked.method);
            fake::json_answer(200, &live())
        });
        let resource = Resource::core("ConfigMap", "configmaps");
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let target = Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}));
        let mode = Mode::of(&Options::new(options.iter().map(|option| (*option).to_owned())), force, &[], &[]);
        let word = cluster.try_apply(spot, &target, before, mode).await.unwrap();
        let asked = locked(&log).clone();
        (word, asked)
    }

    #[tokio::test(start_paused = true)]
    async fn r713_a_dry_run_says_configured_where_the_sync_would_delete_and_create() {
        let cluster = fake::cluster(|asked: Asked| match asked.method.as_str() {
            "PATCH" => fake::status(422, "Invalid", "spec.selector: field is immutable"),
            "GET" => fake::json_answer(200, &live()),
            "POST" => fake::json_answer(201, &live()),
            other => panic!("{other}"),
        });
        let resource = Resource::core("ConfigMap", "configmaps");
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let target = Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}));
        let before = Before::Present(Snapshot::of(&live()));
        for (force, expected) in [(true, Some(Word::Configured)), (false, None)] {
            let mode = Mode::of(&Options::default(), force, &[], &[]);
            assert_eq!(cluster.try_apply(spot, &target, &before, mode).await.ok(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn t81_r714_a_dry_run_has_the_words_of_the_verbs_and_never_that_of_server_side_apply() {
        let present = Before::Present(Snapshot::of(&live()));
        let kept = "ClientSideApplyMigration=false";
        for (options, force, before, word, asked) in [
            (&["ServerSideApply=true", kept][..], false, &present, Word::Unchanged, &["PATCH"][..]),
            (&["ServerSideApply=true"], false, &Before::Absent, Word::Created, &["PATCH"]),
            (&["ServerSideApply=true", kept], true, &present, Word::Unchanged, &["PATCH"]),
            (&[], false, &present, Word::Configured, &["PATCH"]),
            (&["Replace=true"], false, &present, Word::Replaced, &["PUT"]),
            (&["Replace=true"], false, &Before::Absent, Word::Created, &["POST"]),
            (&["Replace=true"], true, &present, Word::Replaced, &["POST"]),
        ] {
            let (said, sent) = tries(options, force, before).await;
            assert_eq!((said, &sent[..]), (word, &asked.iter().map(|method| (*method).to_owned()).collect::<Vec<_>>()[..]), "{options:?}");
        }
    }
}
