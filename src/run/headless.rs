//! Runs a sync, a story or a plan without screens: opens the world, drives it with a report on standard output, and says how it ended.

use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::cli::{Approval, Format};
use crate::engine::session::{FailureKind, Planned, Terminal};
use crate::failure::{Colour, Exit, Failure, complain};
use crate::model::{Phase, ResourceKey, Task};
use crate::operation::Request;
use crate::plan::Kind;
use crate::report::diff::Prunes;
use crate::report::json::Json;
use crate::report::plain::Plain;
use crate::report::style::Style;
use crate::report::{self, End, Report, Stop};
use crate::sim::story::Story;

use super::job::{Job, Place};
use super::output::{self, Lasting};
use super::rights;
use super::setup::{Settings, Work};
use super::signals;
use super::world::{World, until};

/// A world, and the wishes that its operation ends.
struct Driven {
    world: World,
    stops: mpsc::Receiver<Stop>,
}

/// Does the work and returns how the program ends.
pub(super) async fn run(work: Work, settings: &Settings) -> Result<Exit, Failure> {
    match work {
        Work::Demo(job) => demo(&job, settings).await,
        Work::Sync(job) | Work::Delete(job) => typed(&job, settings).await,
        Work::Plan(job) => plan(&job, settings).await,
        Work::Rights(job) => rights::run(&job, settings).await,
        Work::Diff(job) => diff(&job, settings).await,
        Work::Open(_) | Work::Gallery => {
            Err(Failure::usage("there is nothing to print without a TARGET; use `syncwave sync TARGET` or `syncwave plan TARGET`"))
        }
    }
}

async fn demo(job: &Job, settings: &Settings) -> Result<Exit, Failure> {
    let mut world = World::open(job, settings, Terminal::Free)?;
    let (presses, mut stops) = signals::listen(&mut world.base.tasks, &world.session.asks);
    if let Place::Embedded { story, .. } = &job.place {
        let (clock, began) = (world.clock, world.clock.now());
        for at in pressed(story, "terminate") {
            terminate_after(&mut world, until(clock, began, at), presses.clone());
        }
        let begin = pressed(story, "sync").next().unwrap_or_default();
        let stop = tokio::select! {
            () = until(clock, began, begin) => None,
            stop = signal(&mut stops) => Some(stop),
        };
        if let Some(stop) = stop {
            world.close().await;
            return Ok(stopped(stop));
        }
    }
    operate(Driven { world, stops }, job.kind, job.request.clone(), settings).await
}

/// Lets the operator of the story press the key that ends the operation.
fn terminate_after(world: &mut World, alarm: impl Future<Output = ()> + Send + 'static, presses: mpsc::Sender<Stop>) {
    world.base.tasks.spawn(async move {
        alarm.await;
        if presses.send(Stop::Scripted).await.is_err() {
            tracing::debug!("the story is over already");
        }
    });
}

/// Returns when the operator of a story presses a key.
fn pressed<'a>(story: &'a Story, action: &'a str) -> impl Iterator<Item = Duration> + 'a {
    story.input.iter().filter(move |input| input.action == action).map(|input| input.at)
}

/// Waits for a signal; what the story presses is none.
async fn signal(stops: &mut mpsc::Receiver<Stop>) -> Stop {
    loop {
        match stops.recv().await {
            Some(Stop::Scripted | Stop::GoOn) => {}
            Some(stop) => return stop,
            None => std::future::pending().await,
        }
    }
}

/// A typed command is consent and begins at once (cli.md).
async fn typed(job: &Job, settings: &Settings) -> Result<Exit, Failure> {
    let mut world = World::open(job, settings, Terminal::Free)?;
    let (_presses, mut stops) = signals::listen(&mut world.base.tasks, &world.session.asks);
    match request(job, &mut world, &mut stops).await {
        Ok(request) => operate(Driven { world, stops }, job.kind, request, settings).await,
        Err(end) => {
            world.close().await;
            end
        }
    }
}

/// Returns what the operation is asked with; deletions that are confirmed in advance are looked up in the plan.
pub(super) async fn request(job: &Job, world: &mut World, stops: &mut mpsc::Receiver<Stop>) -> Result<Request, Result<Exit, Failure>> {
    let mut request = job.request.clone();
    if !job.approvals.is_empty() {
        let planned = ask_for_plan(world, stops, job.kind, &request).await?;
        request.approved = approved(&job.approvals, &planned, &request).map_err(Err)?;
    }
    Ok(request)
}

async fn operate(driven: Driven, kind: Kind, request: Request, settings: &Settings) -> Result<Exit, Failure> {
    let Driven { mut world, mut stops } = driven;
    let mut report = reporter(settings);
    let session = &mut world.session;
    let end = match kind {
        Kind::Sync => report::sync(session, &mut stops, request, report.as_mut()).await,
        Kind::Delete => report::delete(session, &mut stops, request, report.as_mut()).await,
    };
    world.close().await;
    match end {
        End::Done(operation) => Ok(Exit::of(&operation)),
        End::Refused(_) | End::Failed(..) | End::Stopped(_) | End::Lost => without_operation(end),
    }
}

async fn plan(job: &Job, settings: &Settings) -> Result<Exit, Failure> {
    let mut world = World::open(job, settings, Terminal::Free)?;
    let (_presses, mut stops) = signals::listen(&mut world.base.tasks, &world.session.asks);
    let end = ask_for_plan(&mut world, &mut stops, job.kind, &job.request).await;
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
    output::ended(printed, if report::plan::has_objections(&planned) { Exit::Failed } else { Exit::Success })
}

async fn diff(job: &Job, settings: &Settings) -> Result<Exit, Failure> {
    let mut world = World::open(job, settings, Terminal::Free)?;
    let (_presses, mut stops) = signals::listen(&mut world.base.tasks, &world.session.asks);
    let end = report::diff(&mut world.session, &mut stops, job.request.clone()).await;
    world.close().await;
    let End::Done(planned) = end else { return without_operation(end) };
    let mut out = BufWriter::new(io::stdout().lock());
    let prunes = if job.request.prune { Prunes::On } else { Prunes::Off };
    let printed = match format(settings) {
        Format::Plain => report::diff::plain(&mut out, &style(settings), &planned, prunes),
        Format::Json => report::diff::json(&mut out, &planned),
    };
    let exit = if report::diff::has_differences(&planned) { Exit::Failed } else { Exit::Success };
    output::ended(printed.and_then(|()| out.flush()), exit)
}

async fn ask_for_plan(
    world: &mut World,
    stops: &mut mpsc::Receiver<Stop>,
    kind: Kind,
    request: &Request,
) -> Result<Arc<Planned>, Result<Exit, Failure>> {
    match report::plan(&mut world.session, stops, kind, request.clone()).await {
        End::Done(planned) => Ok(planned),
        end @ (End::Refused(_) | End::Failed(..) | End::Stopped(_) | End::Lost) => Err(without_operation(end)),
    }
}

pub(super) fn without_operation<T>(end: End<T>) -> Result<Exit, Failure> {
    match end {
        End::Done(_) => Ok(Exit::Success),
        End::Refused(reason) => Err(Failure::usage(reason)),
        End::Failed(kind, text) => Err(failed(kind, text)),
        End::Stopped(stop) => Ok(stopped(stop)),
        End::Lost => Err(Failure::new(Exit::Cluster, "the session ended by itself, which is a fault of the program; its log says more")),
    }
}

/// Makes the failure of a session's answer.
pub(super) fn failed(kind: FailureKind, text: String) -> Failure {
    let exit = match kind {
        FailureKind::Usage => Exit::Usage,
        FailureKind::Cluster => Exit::Cluster,
    };
    Failure::laid_out(exit, text)
}

fn stopped(stop: Stop) -> Exit {
    match stop {
        Stop::Interrupt | Stop::Scripted | Stop::GoOn => Exit::Interrupted,
        Stop::Terminate => Exit::Killed,
    }
}

/// Finds the objects whose deletion is confirmed in advance. A command that is run again may name what is gone already; a slip of the
/// pen shows itself by what nobody has confirmed, for which nobody could be asked here.
fn approved(approvals: &[Approval], planned: &Planned, request: &Request) -> Result<Vec<ResourceKey>, Failure> {
    let tasks = &planned.plan.tasks;
    let is_meant = |key: &ResourceKey, approval: &Approval| *key.kind == *approval.kind && *key.name == *approval.name;
    let keys: Vec<ResourceKey> =
        tasks.iter().map(|task| &task.id.key).filter(|key| approvals.iter().any(|approval| is_meant(key, approval))).cloned().collect();
    let lost: Vec<&Approval> = approvals.iter().filter(|approval| !keys.iter().any(|key| is_meant(key, approval))).collect();
    let open = tasks.iter().find(|task| waits_for_a_person(task, planned, request) && !keys.contains(&task.id.key));
    match (lost.first(), open) {
        (Some(approval), Some(task)) => Err(Failure::usage(format!(
            "`--approve {approval}`: the plan has no such object, and {} waits for a confirmation; did you mean `--approve {}`?",
            task.id.key,
            task.id.key.short()
        ))),
        _ => {
            for approval in lost {
                complain(&format!(
                    "`--approve {approval}`: nothing of that name is deleted here (any more), so there is nothing to confirm\n"
                ));
            }
            Ok(keys)
        }
    }
}

/// Returns whether the operation would stand still before the deletion of an object until a person confirms it.
fn waits_for_a_person(task: &Task, planned: &Planned, request: &Request) -> bool {
    let is_deleted = match planned.plan.kind {
        Kind::Sync => task.is_prune() && request.prune,
        Kind::Delete => task.id.phase == Phase::Delete,
    };
    is_deleted && planned.plan.asks_first(&task.id.key, &task.traits, &request.options)
}

pub(super) fn format(settings: &Settings) -> Format {
    settings.options.output.unwrap_or_default()
}

pub(super) fn style(settings: &Settings) -> Style {
    let config = &settings.loaded.config;
    Style { colour: Colour::of_output(!config.color) == Colour::Always, ascii: config.ascii }
}

fn reporter(settings: &Settings) -> Box<dyn Report> {
    let out = BufWriter::new(Lasting::new(io::stdout()));
    match format(settings) {
        Format::Plain => Box::new(Plain::new(out, style(settings))),
        Format::Json => Box::new(Json::new(out)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::engine::rules::RuleSources;
    use crate::engine::session::{self, Connector, Opening, OperationIds};
    use crate::manifest::LoadOptions;
    use crate::report::json::Json;
    use crate::sim::SimCluster;

    async fn sync_on(context: &str, unattended: bool) -> End<Box<crate::operation::Operation>> {
        let clock = Clock::real();
        let cluster = SimCluster::start(&Story::default(), clock, 1);
        let state = tempfile::tempdir().unwrap();
        let connector = Connector::Client {
            client: cluster.client(),
            context: context.to_owned(),
            cluster: "in process".to_owned(),
            namespace: "default".to_owned(),
        };
        let opening = Opening {
            app: "shop".to_owned(),
            namespace: None,
            source: crate::manifest::Source::Memory {
                name: "shop",
                files: &[("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")],
            },
            load: LoadOptions::default(),
            revision: None,
            state_dir: state.path().to_owned(),
            read_only: None,
            protected: vec!["*prod*".to_owned()],
            unattended,
            rules: RuleSources::default(),
            clock,
            connector,
            skip_unchanged: true,
            operation_ids: OperationIds::Random,
        };
        let mut tasks = tokio::task::JoinSet::new();
        let mut session = session::open(opening, &mut tasks);
        let (_sender, mut stops) = mpsc::channel(1);
        let mut out = Vec::new();
        report::sync(&mut session, &mut stops, Request::default(), &mut Json::new(&mut out)).await
    }

    #[tokio::test(start_paused = true)]
    async fn decision_13_a_protected_context_needs_a_yes_where_nobody_can_be_asked() {
        let refused = sync_on("eu-prod-1", true).await;
        assert!(
            matches!(&refused, End::Failed(FailureKind::Usage, text) if text.contains("eu-prod-1") && text.contains("--yes")),
            "{refused:?}"
        );
        assert!(matches!(sync_on("eu-prod-1", false).await, End::Done(_)));
        assert!(matches!(sync_on("staging", true).await, End::Done(_)));
    }
}
