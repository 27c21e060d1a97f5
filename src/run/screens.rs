//! Runs a sync or a story with screens: opens worlds for the terminal UI and turns its departure into the end of the program.

use std::cell::RefCell;
use std::time::Duration;

use crate::demo::{STORIES, Shipped};
use crate::engine::session::FailureKind;
use crate::failure::{Colour, Exit, Failure};
use crate::model::OperationPhase;
use crate::sim::story::Story;
use crate::tui::{self, Cause, Departure, Look, Opened, Signal, Start};

use super::setup::{Job, Settings, Work};
use super::world::{Rest, World};

/// Opens the screens and returns how the program ends.
pub(super) async fn run(work: Work, settings: &Settings) -> Result<Exit, Failure> {
    let rests = RefCell::new(Vec::new());
    let open = |job: &Job| -> Result<Opened, Failure> {
        let (opened, rest) = opened(job, settings)?;
        rests.borrow_mut().push(rest);
        Ok(opened)
    };
    let start = match &work {
        Work::Demo(job) | Work::Sync(job) => Start::Sync(open(job)?),
        Work::Open(job) => Start::Target(open(job)?),
        Work::Gallery => Start::Gallery {
            stories: gallery()?,
            open: Box::new(|name| {
                let shipped = Shipped::find(name).ok_or_else(|| format!("there is no story `{name}`"))?;
                let job = Job::of_story(shipped, settings).map_err(|failure| failure.to_string())?;
                open(&job).map_err(|failure| failure.to_string())
            }),
        },
        Work::Plan(_) => return Err(Failure::usage("a plan is printed, not shown on screens; add `--headless`")),
    };
    let departure = tui::run(start, look(settings)).await;
    for rest in rests.take() {
        rest.close().await;
    }
    match departure {
        Ok(departure) => end(departure),
        Err(error) => Err(Failure::usage(format!("the terminal cannot be used: {error}; add `--headless`"))),
    }
}

fn opened(job: &Job, settings: &Settings) -> Result<(Opened, Rest), Failure> {
    let world = World::open(job, settings)?;
    let (handle, clock, rest) = world.for_screens();
    Ok((Opened { handle, clock, request: job.request.clone(), target: job.app.clone() }, rest))
}

fn gallery() -> Result<Vec<tui::Story>, Failure> {
    STORIES
        .iter()
        .map(|shipped| {
            let (file, text) = shipped.script;
            let story = Story::parse(text, file).map_err(|error| Failure::usage(error.to_string()))?;
            let length = story.length.map(length).unwrap_or_default();
            Ok(tui::Story { name: shipped.name.to_owned(), about: story.about, length })
        })
        .collect()
}

fn length(time: Duration) -> String {
    jiff::SignedDuration::try_from(time).map(crate::operation::verdict::short_time).unwrap_or_default()
}

fn look(settings: &Settings) -> Look {
    let config = &settings.loaded.config;
    Look { ascii: config.ascii, monochrome: Colour::of_output(!config.color) == Colour::Never }
}

fn end(departure: Departure) -> Result<Exit, Failure> {
    match departure.cause {
        Cause::Failed { kind: FailureKind::Usage, report } => Err(Failure::laid_out(Exit::Usage, report)),
        Cause::Failed { kind: FailureKind::Cluster, report } => Err(Failure::laid_out(Exit::Cluster, report)),
        Cause::Signal(Signal::Interrupt) => Ok(Exit::Interrupted),
        Cause::Signal(Signal::Terminate | Signal::Hangup) => Ok(Exit::Killed),
        Cause::Quit => Ok(departure.ended.map_or(Exit::Success, |ended| match (ended.terminated, ended.phase) {
            (true, _) => Exit::Terminated,
            (false, OperationPhase::Succeeded) => Exit::Success,
            (false, OperationPhase::Failed | OperationPhase::Running | OperationPhase::Terminating) => Exit::Failed,
            (false, OperationPhase::Error) => Exit::Cluster,
        })),
    }
}
