//! `syncwave health`: the health of what is written in files. Opens neither a session nor a log, and asks the cluster for nothing but the
//! `argocd-cm` that a configuration may name.

use std::io;

use super::headless::{format, style};
use super::lua;
use super::output;
use super::setup::Settings;
use crate::cli::Format;
use crate::clock::Clock;
use crate::engine::rules;
use crate::failure::{Exit, Failure, complain};
use crate::health::Rules;
use crate::manifest::{self, LoadOptions, Manifest, Source};
use crate::model::key::is_built_in;
use crate::model::{Assessment, Object, UnknownKinds};
use crate::report::health::{self, Judged};
use crate::report::visible::visible;

/// Judges every object of the files, in their order, by the rules that a sync would judge it by.
pub(super) fn run(files: &[String], settings: &Settings) -> Result<Exit, Failure> {
    if files.is_empty() {
        return Err(Failure::usage("`health` needs a FILE; write one, or `-` for standard input"));
    }
    let runtime = super::runtime(None)?;
    let judged = runtime.block_on(judged(files, settings));
    // A rule that nobody can stop goes with the process.
    runtime.shutdown_background();
    let judged = judged?;
    let mut out = io::stdout().lock();
    let printed = match format(settings) {
        Format::Plain => health::plain(&mut out, style(settings), &judged),
        Format::Json => health::json(&mut out, &judged),
    };
    output::ended(printed, if judged.iter().any(Judged::is_objection) { Exit::Failed } else { Exit::Success })
}

async fn judged(files: &[String], settings: &Settings) -> Result<Vec<Judged>, Failure> {
    let rules = in_force(settings).await?;
    let mut manifests = Vec::new();
    for file in files {
        manifests.extend(load(file).await?);
    }
    let objects = manifests.iter().map(|manifest| &manifest.object);
    let assessments = rules::assessed(rules, objects.clone()).await;
    let looks_at_status = settings.loaded.config.unknown_kinds == UnknownKinds::Conditions;
    let judged = |(object, assessment): (&Object, Assessment)| {
        let key = object.key();
        let is_silent = looks_at_status && !is_built_in(&key.group) && object.wire().get("status").is_none();
        Judged { key, assessment, is_silent }
    };
    Ok(objects.zip(assessments).map(judged).collect())
}

/// Returns the rules that hold in a sync too. The cluster is asked only for an `argocd-cm` that the configuration names.
async fn in_force(settings: &Settings) -> Result<Rules, Failure> {
    let clock = Clock::real();
    let context = settings.loaded.config.context.as_deref();
    let (rules, notes) = lua::sources(settings, clock)?.without_session(settings.kubeconfig().as_deref(), context, clock).await;
    notes.iter().for_each(|note| complain(&format!("{}\n", visible(note))));
    Ok(rules)
}

async fn load(file: &str) -> Result<Vec<Manifest>, Failure> {
    let source = Source::of(file).map_err(|error| Failure::diagnostic(&error))?;
    let loaded = manifest::load(&source, &LoadOptions::default()).await.map_err(|error| Failure::diagnostic(&error))?;
    for warning in loaded.warnings {
        let place = warning.origin.map(|origin| format!("{origin}: ")).unwrap_or_default();
        complain(&format!("{}\n", visible(&format!("{place}{}", warning.message))));
    }
    Ok(loaded.manifests)
}
