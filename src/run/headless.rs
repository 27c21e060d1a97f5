//! Runs a sync, a story or a plan without screens: opens the world, drives it with a report on standard output, and says how it ended.

use std::io::{self, BufWriter, Stdout};
use std::time::Duration;

use crate::cli::{Approval, Format};
use crate::engine::session::{FailureKind, Planned};
use crate::failure::{Colour, Exit, Failure};
use crate::model::ResourceKey;
use crate::operation::Request;
use crate::report::json::Json;
use crate::report::plain::Plain;
use crate::report::style::Style;
use crate::report::{self, End, Report, Stop};
use crate::sim::story::Story;

use super::setup::{Job, Place, Settings, Work};
use super::world::World;

/// Does the work and returns how the program ends.
pub(super) async fn run(work: Work, settings: &Settings) -> Result<Exit, Failure> {
    match work {
        Work::Demo(job) => demo(&job, settings).await,
        Work::Sync(job) => sync(&job, settings).await,
        Work::Plan(job) => plan(&job, settings).await,
        Work::Open(_) | Work::Gallery => {
            Err(Failure::usage("there is nothing to print without a TARGET; use `syncwave sync TARGET` or `syncwave plan TARGET`"))
        }
    }
}

async fn demo(job: &Job, settings: &Settings) -> Result<Exit, Failure> {
    let mut world = World::open(job, settings)?;
    if let Place::Embedded { story, .. } = &job.place {
        for at in pressed(story, "terminate") {
            world.terminate_at(at);
        }
        let begin = pressed(story, "sync").next().unwrap_or_default();
        let alarm = world.until(begin);
        let stop = tokio::select! {
            () = alarm => None,
            stop = signal(&mut world.stops) => Some(stop),
        };
        if let Some(stop) = stop {
            world.close().await;
            return Ok(stopped(stop));
        }
    }
    let request = job.request.clone();
    operate(world, request, settings).await
}

/// Returns when the operator of a story presses a key.
fn pressed<'a>(story: &'a Story, action: &'a str) -> impl Iterator<Item = Duration> + 'a {
    story.input.iter().filter(move |input| input.action == action).map(|input| input.at)
}

/// Waits for a signal; what the story presses is none.
async fn signal(stops: &mut tokio::sync::mpsc::Receiver<Stop>) -> Stop {
    loop {
        match stops.recv().await {
            Some(Stop::Scripted) => {}
            Some(stop) => return stop,
            None => std::future::pending().await,
        }
    }
}

async fn sync(job: &Job, settings: &Settings) -> Result<Exit, Failure> {
    let mut world = World::open(job, settings)?;
    let mut request = job.request.clone();
    if !job.approvals.is_empty() {
        match ask_for_plan(&mut world, &request).await {
            Ok(planned) => request.approved = approved(&job.approvals, &planned)?,
            Err(end) => {
                world.close().await;
                return end;
            }
        }
    }
    operate(world, request, settings).await
}

async fn operate(mut world: World, request: Request, settings: &Settings) -> Result<Exit, Failure> {
    let mut report = reporter(settings);
    let end = report::sync(&mut world.session, &mut world.stops, request, report.as_mut()).await;
    world.close().await;
    match end {
        End::Done(operation) => Ok(Exit::of(&operation)),
        End::Refused(_) | End::Failed(..) | End::Stopped(_) | End::Lost => without_operation(end),
    }
}

async fn plan(job: &Job, settings: &Settings) -> Result<Exit, Failure> {
    let mut world = World::open(job, settings)?;
    let end = ask_for_plan(&mut world, &job.request).await;
    world.close().await;
    let planned = match end {
        Ok(planned) => planned,
        Err(end) => return end,
    };
    let mut out = io::stdout().lock();
    let printed = match format(settings) {
        Format::Plain => report::plan::plain(&mut out, &style(settings), &planned),
        Format::Json => report::plan::json(&mut out, &planned),
    };
    if let Err(error) = printed {
        tracing::warn!(%error, "standard output is closed");
    }
    Ok(if report::plan::has_objections(&planned) { Exit::Failed } else { Exit::Success })
}

async fn ask_for_plan(world: &mut World, request: &Request) -> Result<std::sync::Arc<Planned>, Result<Exit, Failure>> {
    match report::plan(&mut world.session, &mut world.stops, request.clone()).await {
        End::Done(planned) => Ok(planned),
        end @ (End::Refused(_) | End::Failed(..) | End::Stopped(_) | End::Lost) => Err(without_operation(end)),
    }
}

fn without_operation<T>(end: End<T>) -> Result<Exit, Failure> {
    match end {
        End::Done(_) => Ok(Exit::Success),
        End::Refused(reason) => Err(Failure::usage(reason)),
        End::Failed(FailureKind::Usage, text) => Err(Failure::laid_out(Exit::Usage, text)),
        End::Failed(FailureKind::Cluster, text) => Err(Failure::laid_out(Exit::Cluster, text)),
        End::Stopped(stop) => Ok(stopped(stop)),
        End::Lost => Err(Failure::new(Exit::Cluster, "the session ended by itself, which is a fault of the program; its log says more")),
    }
}

fn stopped(stop: Stop) -> Exit {
    match stop {
        Stop::Interrupt | Stop::Scripted => Exit::Interrupted,
        Stop::Terminate => Exit::Killed,
    }
}

/// Finds the objects whose deletion is confirmed in advance.
fn approved(approvals: &[Approval], planned: &Planned) -> Result<Vec<ResourceKey>, Failure> {
    let mut keys = Vec::new();
    for approval in approvals {
        let before = keys.len();
        let tasks = planned.plan.tasks.iter().map(|task| &task.id.key);
        keys.extend(tasks.filter(|key| *key.kind == *approval.kind && *key.name == *approval.name).cloned());
        if keys.len() == before {
            return Err(Failure::usage(format!("`--approve {approval}`: the plan has no such object; `syncwave plan` lists them")));
        }
    }
    Ok(keys)
}

fn format(settings: &Settings) -> Format {
    settings.options.output.unwrap_or_default()
}

fn style(settings: &Settings) -> Style {
    let config = &settings.loaded.config;
    Style { colour: Colour::of_output(!config.color) == Colour::Always, ascii: config.ascii }
}

fn reporter(settings: &Settings) -> Box<dyn Report> {
    let out: BufWriter<Stdout> = BufWriter::new(io::stdout());
    match format(settings) {
        Format::Plain => Box::new(Plain::new(out, style(settings))),
        Format::Json => Box::new(Json::new(out)),
    }
}
