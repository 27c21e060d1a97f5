//! `syncwave health`: the health of what is written in files. Opens neither a session nor a log, and asks the cluster for nothing but the
//! `argocd-cm` that a configuration may name.

use std::io;

use super::headless::{format, style};
use super::lua;
use super::setup::Settings;
use crate::cli::Format;
use crate::clock::Clock;
use crate::failure::{Exit, Failure, complain};
use crate::health::Rules;
use crate::manifest::{self, LoadOptions, Manifest, Source};
use crate::report::health::{self, Judged};
use crate::report::visible::visible;

/// Judges every object of the files, in their order, by the rules that a sync would judge it by.
pub(super) fn run(files: &[String], settings: &Settings) -> Result<Exit, Failure> {
    if files.is_empty() {
        return Err(Failure::usage("`health` needs a FILE; write one, or `-` for standard input"));
    }
    let rules = super::runtime(None)?.block_on(in_force(settings))?;
    let mut judged = Vec::new();
    for file in files {
        judged.extend(load(file)?.iter().map(|manifest| judge(&rules, manifest)));
    }
    let mut out = io::stdout().lock();
    let printed = match format(settings) {
        Format::Plain => health::plain(&mut out, style(settings), &judged),
        Format::Json => health::json(&mut out, &judged),
    };
    if let Err(error) = printed {
        tracing::debug!(%error, "standard output is closed");
    }
    Ok(if judged.iter().any(Judged::is_objection) { Exit::Failed } else { Exit::Success })
}

/// Returns the rules that hold in a sync too. The cluster is asked only for an `argocd-cm` that the configuration names.
async fn in_force(settings: &Settings) -> Result<Rules, Failure> {
    let clock = Clock::real();
    let context = settings.loaded.config.context.as_deref();
    let (rules, notes) = lua::sources(settings, clock)?.without_session(settings.kubeconfig().as_deref(), context, clock).await;
    notes.iter().for_each(|note| complain(&format!("{}\n", visible(note))));
    Ok(rules)
}

fn load(file: &str) -> Result<Vec<Manifest>, Failure> {
    let runtime = super::runtime(None)?;
    let source = Source::of(file).map_err(|error| Failure::diagnostic(&error))?;
    let loaded = runtime.block_on(manifest::load(&source, &LoadOptions::default())).map_err(|error| Failure::diagnostic(&error))?;
    for warning in loaded.warnings {
        let place = warning.origin.map(|origin| format!("{origin}: ")).unwrap_or_default();
        complain(&format!("{}\n", visible(&format!("{place}{}", warning.message))));
    }
    Ok(loaded.manifests)
}

fn judge(rules: &Rules, manifest: &Manifest) -> Judged {
    Judged { key: manifest.object.key(), assessment: rules.assess(&manifest.object) }
}
