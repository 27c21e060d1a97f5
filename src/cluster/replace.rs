//! Writing an object whole (spec R711): created when it is not there, put in the place of what is there otherwise.

use http::Method;

use super::apply::{Applied, Before, Run, Spot, Word, Writing, say_warnings};
use super::beside::Anew;
use super::outgoing::outgoing;
use super::retry::{Backoff, is_transient};
use super::veil::Veil;
use super::wire::{Answer, CallError, with_query};
use super::{Cluster, unsure};
use crate::model::annotation::FIELD_MANAGER;
use crate::model::{Mode, Object};

const JSON: &str = "application/json";

impl Cluster {
    /// Replaces what is live, or creates it.
    pub(super) async fn replace(&self, writing: Writing<'_>, before: &Before) -> Result<Applied, CallError> {
        let Writing { spot, target, mode, reporter } = writing;
        let Before::Present(live) = before else { return self.create(writing).await };
        let word = replacing_word(spot);
        if mode.force && word == Word::Replaced {
            // The old object is not given away for one that the server refuses.
            Anew::of(self.create_beside(spot, target, mode).await)?;
            let object = self.recreate(spot, &live.uid, reporter, || self.create(writing)).await?.object;
            return Ok(Applied { object, word: Word::Remade });
        }
        let doing = format!("replacing {}", spot.title());
        let mut backoff = Backoff::of_change(self, reporter, &doing);
        let mut version = live.resource_version.clone();
        loop {
            let error = match self.put(spot, target, &version, Run::ForReal).await {
                Ok(answer) => {
                    say_warnings(&answer, reporter);
                    return Ok(Applied { object: Object::new(answer.body), word });
                }
                Err(error) => error,
            };
            // Somebody else wrote meanwhile; the target takes the place of that, too. And whoever may have been heard has changed it.
            if !backoff.again_if(&error, is_transient(&error) || error.code() == Some(409)).await {
                return Err(backoff.settled(error));
            }
            match self.get(spot, reporter).await? {
                Some(object) => object.text(&["metadata", "resourceVersion"]).clone_into(&mut version),
                None => return self.create(writing).await,
            }
        }
    }

    pub(super) async fn put(&self, spot: Spot<'_>, target: &Object, version: &str, run: Run) -> Result<Answer, CallError> {
        let mut body = outgoing(target);
        body["metadata"]["resourceVersion"] = version.into();
        // Spec R707: without a flag, so that unknown fields are dropped and named in warnings.
        let path = with_query(&spot.path(), &query("Warn", run));
        Veil::of(target).answer(self.write(Method::PUT, &path, JSON, &body).await)
    }

    pub(super) async fn post(&self, spot: Spot<'_>, target: &Object, mode: Mode, run: Run) -> Result<Answer, CallError> {
        let validation = match (mode.validate, run) {
            (true, _) => "Strict",
            // What is left out has to be named.
            (false, Run::Dry) => "Warn",
            (false, Run::ForReal) => "Ignore",
        };
        let path = with_query(&spot.collection(), &query(validation, run));
        Veil::of(target).answer(self.write(Method::POST, &path, JSON, &outgoing(target)).await)
    }

    /// Creates an object. One without a name gets one from the server, a new one each time (spec R307).
    pub(super) async fn create(&self, writing: Writing<'_>) -> Result<Applied, CallError> {
        let Writing { spot, target, mode, reporter } = writing;
        let doing = format!("creating {}", spot.title());
        let mut backoff = Backoff::of_change(self, reporter, &doing);
        let mut is_unsure = false;
        loop {
            let error = match self.post(spot, target, mode, Run::ForReal).await {
                Ok(answer) => {
                    say_warnings(&answer, reporter);
                    return Ok(Applied { object: Object::new(answer.body), word: Word::Created });
                }
                Err(error) => error,
            };
            is_unsure |= error.is_outcome_unknown();
            // Without a name nobody can look whether it was created, so it is not sent again (decision 23).
            if is_unsure && spot.name.is_empty() {
                return Err(CallError::Unsure(error.to_string()));
            }
            if is_unsure && unsure::could_run_twice(target, &Before::Absent) {
                let object = self.seek(spot, target, &error, reporter).await?;
                return Ok(Applied { object, word: Word::Created });
            }
            let goes_on = backoff.again(&error).await;
            if is_unsure && let Some(object) = self.created_by_us(spot, target).await {
                return Ok(Applied { object, word: Word::Created });
            }
            if !goes_on {
                return Err(error);
            }
        }
    }
}

fn query(validation: &str, run: Run) -> Vec<(&'static str, &str)> {
    let mut query = vec![("fieldManager", FIELD_MANAGER), ("fieldValidation", validation)];
    if run == Run::Dry {
        query.push(("dryRun", "All"));
    }
    query
}

/// Definitions and namespaces are updated, everything else is replaced: the same request, but the results say so (spec R711).
pub(super) fn replacing_word(spot: Spot<'_>) -> Word {
    let gvk = &spot.resource.gvk;
    let is_definition = (&*gvk.group, &*gvk.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition");
    if is_definition || *gvk.kind == *"Namespace" { Word::Updated } else { Word::Replaced }
}

#[cfg(test)]
mod tests;
