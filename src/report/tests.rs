//! A short operation as facts, and what each format makes of it.

use std::io;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::json::Json;
use super::plain::Plain;
use super::style::Style;
use super::{End, Report, Stop, plan, sync};
use crate::engine::bus::{self, Publisher};
use crate::engine::session::{Action, Answer, Ask, FailureKind, Place, Planned, SessionHandle};
use crate::model::{
    Assessment, Container, ContainerState, Health, HealthStatus, Kinds, Live, Object, Occurrence, OperationPhase, Origin, Phase, PodView,
    ResourceKey, ResultCode, Role, TaskId, TaskState, Traits, Wave,
};
use crate::operation::{Event, LogContent, LogLine, Operation, Record, Request, RunKind, RunOutcome, Step, StepOutcome};
use crate::plan::impact::Impact;
use crate::plan::impact::sentence::{Cause, Roll};
use crate::plan::{Manifest, Plan, PlanInput, Shape};

const NINE: &str = "2026-03-01T09:00:00Z";

fn manifest(line: usize, api_version: &str, kind: &str, name: &str, annotations: Value) -> Manifest {
    let metadata = json!({"name": name, "annotations": annotations});
    Manifest {
        object: Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})),
        origin: Origin { file: "deploy/app.yaml".into(), line },
    }
}

fn shop() -> Plan {
    let manifests = [
        manifest(1, "batch/v1", "Job", "migrate", json!({"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/sync-wave": "-1"})),
        manifest(9, "v1", "ConfigMap", "settings", json!({})),
        manifest(14, "apps/v1", "Deployment", "web", json!({"argocd.argoproj.io/sync-wave": "1"})),
        manifest(
            40,
            "batch/v1",
            "Job",
            "alert",
            json!({"argocd.argoproj.io/hook": "SyncFail", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"}),
        ),
        manifest(60, "v1", "Secret", "later", json!({"argocd.argoproj.io/hook": "Skip"})),
    ];
    Plan::build(&PlanInput {
        app: "shop",
        namespace: "shop",
        revision: "4c1d0aa",
        operation: "op-1",
        started_at: NINE.parse().unwrap(),
        manifests: &manifests,
        kinds: &Kinds::default(),
        candidates: &[],
        selection: None,
        shape: &Shape::default(),
    })
}

fn id(phase: Phase, group: &str, kind: &str, name: &str, role: Role) -> TaskId {
    TaskId { phase, key: ResourceKey::new(group, kind, "shop", name), role }
}
fn migrate() -> TaskId {
    id(Phase::PreSync, "batch", "Job", "migrate", Role::Hook)
}
fn settings() -> TaskId {
    id(Phase::Sync, "", "ConfigMap", "settings", Role::Apply)
}

fn live(uid: &str, status: HealthStatus, message: &str) -> Box<Live> {
    let plain = Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap"}));
    let health = Health { status, message: message.to_owned(), rule: "batch/Job".to_owned() };
    Box::new(Live {
        uid: uid.into(),
        resource_version: 1,
        generation: None,
        observed_generation: None,
        deletion: None,
        finalizers: vec![],
        traits: Traits::of(&plain),
        operation: None,
        app: None,
        assessment: Assessment::Known(health),
    })
}

/// A telling of an operation: what happens at which time.
struct Story {
    publisher: Publisher,
    at: Timestamp,
    seq: u64,
}

impl Story {
    fn at(&mut self, millis: i64) -> &mut Self {
        self.at = NINE.parse::<Timestamp>().unwrap() + SignedDuration::from_millis(millis);
        self
    }

    fn say(&mut self, event: Event) -> &mut Self {
        self.seq += 1;
        self.publisher.publish(Arc::new(Record { operation: "op-1".into(), seq: self.seq, at: self.at, event }));
        self
    }

    fn log(&mut self, bytes: &[u8]) -> &mut Self {
        self.piece(LogContent::Line { text: bytes.into(), continued: false })
    }

    fn piece(&mut self, content: LogContent) -> &mut Self {
        let line = LogLine {
            operation: "op-1".into(),
            task: migrate(),
            pod: "migrate-x".into(),
            container: "main".into(),
            attempt: 1,
            pod_attempt: 2,
            at: self.at,
            log_time: Some(self.at),
            content,
        };
        assert!(self.publisher.try_line(line).is_none());
        self
    }

    fn begin(&mut self) -> &mut Self {
        let (plan, request) = (Arc::new(shop()), Arc::new(Request { by: "ann".into(), ..Request::default() }));
        let (context, cluster, asked_at) = ("kind".into(), "https://127.0.0.1:6443".into(), self.at(0).at);
        self.say(Event::OperationStarted { plan, request, context, cluster, asked_at })
            .say(Event::WatchesOpened { polled: vec![] })
            .say(Event::DryPassFinished)
            .at(20)
            .say(Event::PhaseStarted { phase: Phase::PreSync })
            .say(Event::WaveStarted { phase: Phase::PreSync, wave: Wave(-1) })
            .say(Event::RunStarted { kind: RunKind::Group, phase: Phase::PreSync, wave: Wave(-1), tasks: vec![migrate()] })
            .say(Event::LiveObserved { key: migrate().key, live: live("old", HealthStatus::Degraded, "of last week") })
            .say(Event::StepStarted { task: migrate(), step: Step::Apply })
            .at(40)
            .say(Event::StepFinished {
                task: migrate(),
                step: Step::Apply,
                outcome: StepOutcome::Done {
                    message: "job.batch/migrate created".into(),
                    live: Some(live("new", HealthStatus::Progressing, "")),
                },
            })
            .say(Event::TaskChanged {
                task: migrate(),
                code: ResultCode::Synced,
                state: TaskState::Running,
                message: "job.batch/migrate created".into(),
            })
            .say(Event::LiveObserved { key: migrate().key, live: live("new", HealthStatus::Progressing, "") })
            .say(Event::RunFinished { outcome: RunOutcome::Successful })
            .say(Event::Waiting { message: "waiting for completion of hook batch/Job/migrate".into(), on: vec![migrate()] })
            .say(Event::Waiting { message: "waiting for completion of hook batch/Job/migrate".into(), on: vec![migrate()] })
    }

    fn fail(&mut self) -> &mut Self {
        self.at(1_500)
            .log(b"INFO  one")
            .log(b"\x1b[31mred\x1b[0m \xff")
            .piece(LogContent::Dropped(7))
            .piece(LogContent::Line { text: b"long".as_slice().into(), continued: true })
            .say(Event::Occurred {
                occurrence: Occurrence {
                    about: ResourceKey::new("", "Pod", "shop", "migrate-x"),
                    owner: migrate().key,
                    warning: true,
                    reason: "BackOff".into(),
                    message: "restarting failed container".into(),
                    count: 1,
                    at: None,
                },
            })
            .at(2_250)
            .say(Event::LiveObserved {
                key: migrate().key,
                live: live("new", HealthStatus::Degraded, "Job has reached the specified backoff limit"),
            })
            .say(Event::TaskChanged {
                task: migrate(),
                code: ResultCode::Synced,
                state: TaskState::Failed,
                message: "Job has reached the specified backoff limit".into(),
            })
            .say(Event::WaveFinished { phase: Phase::PreSync, wave: Wave(-1) })
            .say(Event::PhaseFinished { phase: Phase::PreSync, result: TaskState::Failed })
            .say(Event::Warned { task: Some(settings()), text: "field .data was taken from kubectl".into() })
    }

    fn end(&mut self) {
        self.at(2_300).say(Event::OperationFinished {
            phase: OperationPhase::Failed,
            message: "one or more synchronization tasks completed unsuccessfully".into(),
        });
    }
}

/// A session that is a story: answers are given at once, what is asked can be looked at afterwards.
fn session(tell: impl FnOnce(&mut Story)) -> (SessionHandle, mpsc::Receiver<Ask>, mpsc::Sender<Answer>, Story) {
    let (publisher, subscription) = bus::lanes();
    let (asks, asked) = mpsc::channel(8);
    let (answer, answers) = mpsc::channel(8);
    let mut story = Story { publisher, at: NINE.parse().unwrap(), seq: 0 };
    tell(&mut story);
    (SessionHandle { asks, answers, subscription }, asked, answer, story)
}

async fn printed(report: &mut dyn Report, tell: impl FnOnce(&mut Story)) -> End<Box<Operation>> {
    let (mut session, _asked, _answer, _story) = session(tell);
    let (_stop, mut stops) = mpsc::channel(1);
    sync(&mut session, &mut stops, Request::default(), report).await
}

fn failing(story: &mut Story) {
    story.begin().fail().end();
}

async fn json_lines(tell: impl FnOnce(&mut Story)) -> Vec<Value> {
    let mut out = Vec::new();
    let end = printed(&mut Json::new(&mut out), tell).await;
    assert!(matches!(end, End::Done(_)), "{end:?}");
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn json_is_the_contract() {
    let mut out = Vec::new();
    printed(&mut Json::new(&mut out), failing).await;
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[tokio::test]
async fn json_tells_the_events_in_order_and_nothing_twice() {
    let events: Vec<String> = json_lines(failing).await.iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        events,
        [
            "operation.started",
            "phase.started",
            "wave.started",
            "task.changed",
            "waiting",
            "log",
            "log",
            "log",
            "log",
            "task.changed",
            "task.changed",
            "wave.finished",
            "phase.finished",
            "warning",
            "operation.finished"
        ]
    );
}

#[tokio::test]
async fn json_warns_of_kinds_that_are_polled() {
    let lines = json_lines(|story| story.begin().say(Event::WatchesOpened { polled: vec!["Job".into(), "Pod".into()] }).end()).await;
    let warnings: Vec<&Value> = lines.iter().filter(|line| line["event"] == "warning").collect();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0]["message"], "may not watch Job, Pod; looking at them every few seconds instead");
}

/// The kubelet goes to and fro between two reasons, and what an image server says may be anything.
fn hanging(story: &mut Story) {
    let pod = |reason: &str| {
        let message = "no such image\u{1b}[31m\nred".to_owned();
        let state = ContainerState::Waiting { reason: reason.to_owned(), message };
        let containers = vec![Container { name: "main".into(), init: false, state, ready: false, restarts: 0 }];
        let (namespace, name, uid) = ("shop".into(), "migrate-x".into(), "p".into());
        let (created, deleting, unscheduled) = (None, false, None);
        let pod =
            PodView { namespace, name, uid, owner: migrate().key, phase: "Pending".to_owned(), created, deleting, unscheduled, containers };
        Event::PodObserved { pod }
    };
    let story = story.begin().say(pod("ContainerCreating")).say(pod("ErrImagePull")).say(pod("ImagePullBackOff")).say(pod("ErrImagePull"));
    story.say(pod("ContainerCreating")).end();
}

#[tokio::test]
async fn json_says_why_a_pod_hangs_each_time_that_it_changes() {
    let lines = json_lines(hanging).await;
    let changes = lines.iter().filter(|line| line["event"] == "task.changed").map(|line| &line["podProblem"]);
    let changes: Vec<&Value> = changes.collect();
    let problem = |reason: &str| {
        let message = format!("pod shop/migrate-x: main: {reason}: no such image\u{1b}[31m\nred");
        json!({"namespace": "shop", "pod": "migrate-x", "container": "main", "reason": reason, "message": message})
    };
    let (pull, back_off) = (problem("ErrImagePull"), problem("ImagePullBackOff"));
    assert_eq!(changes[1..5], [&pull, &back_off, &pull, &Value::Null]);
}

#[tokio::test]
async fn plain_output_says_once_why_a_pod_hangs() {
    let mut out = Vec::new();
    printed(&mut Plain::new(&mut out, Style::default()), hanging).await;
    let text = String::from_utf8(out).unwrap();
    let said: Vec<&str> = text.lines().filter(|line| line.contains("pod shop/migrate-x: main: ")).collect();
    assert_eq!(said.len(), 2, "{text}");
    assert!(said[0].contains("main: ErrImagePull: no such image") && said[1].contains("main: ImagePullBackOff"), "{said:?}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[tokio::test]
async fn plain_output_says_of_each_time_without_the_cluster_that_it_begins_and_that_it_ends() {
    let mut out = Vec::new();
    let outage = |story: &mut Story, from: i64| {
        let since = story.at(from).at;
        story.at(from + 15_000).say(Event::ClusterLost { since }).at(from + 20_000).say(Event::ClusterBack { since });
    };
    let tell = |story: &mut Story| {
        story.begin();
        outage(story, 1_000);
        outage(story, 40_000);
        story.end();
    };
    printed(&mut Plain::new(&mut out, Style::default()), tell).await;
    let text = String::from_utf8(out).unwrap();
    let said: Vec<&str> = text.lines().filter_map(|line| Some(&line[line.find("the API server")?..])).collect();
    let once = ["the API server has not answered for 15s", "the API server answers again after 20s"];
    assert_eq!(said, [once, once].concat(), "{text}");
}

#[tokio::test]
async fn a_leftover_of_an_earlier_hook_says_nothing_about_the_health_of_this_one() {
    let healths: Vec<String> = json_lines(failing)
        .await
        .iter()
        .filter(|line| line["event"] == "task.changed")
        .map(|line| line["health"].as_str().unwrap().to_owned())
        .collect();
    assert!(!healths[0].contains("Degraded"), "{healths:?}");
    assert_eq!(healths.last().unwrap(), "Degraded");
}

#[tokio::test]
async fn plain_output_is_one_line_for_each_transition_and_a_summary() {
    let mut out = Vec::new();
    printed(&mut Plain::new(&mut out, Style::default()), failing).await;
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains('\u{1b}'), "escape sequences reach the terminal: {text:?}");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn colours_are_written_only_if_asked_for() {
    let mut out = Vec::new();
    printed(&mut Plain::new(&mut out, Style { colour: true, ascii: true }), failing).await;
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\u{1b}[31mFAILED\u{1b}[0m") && text.contains("\u{1b}[31mx\u{1b}[0m"), "{text}");
    assert!(!text.contains("\u{1b}[31mred"), "the log's own colours stay out");
}

/// A pipe whose reader goes away after some bytes.
struct Pipe(usize);

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_does_not_end_the_operation() {
    for room in [0, 100, 2_000] {
        let end = printed(&mut Json::new(Pipe(room)), failing).await;
        assert!(matches!(&end, End::Done(operation) if operation.phase() == OperationPhase::Failed), "{room}: {end:?}");
    }
}

#[tokio::test]
async fn lines_that_were_published_before_the_end_are_printed_before_the_last_line() {
    let lines = json_lines(|story| {
        story.begin();
        for number in 0..1_000 {
            story.log(format!("line {number}").as_bytes());
        }
        story.end();
    })
    .await;
    assert_eq!(lines.iter().filter(|line| line["event"] == "log").count(), 1_000);
    assert_eq!(lines.last().unwrap()["event"], "operation.finished");
}

#[tokio::test]
async fn the_first_signal_terminates_and_the_second_ends_the_program() {
    let (mut session, mut asked, _answer, mut story) = session(|story| _ = story.begin());
    let (stop, mut stops) = mpsc::channel(4);
    let mut out = Vec::new();
    let mut report = Json::new(&mut out);
    let driven = sync(&mut session, &mut stops, Request::default(), &mut report);
    let person = async {
        assert!(matches!(asked.recv().await, Some(Ask::Sync { .. })));
        stop.send(Stop::Interrupt).await.unwrap();
        assert!(matches!(asked.recv().await, Some(Ask::Terminate { by }) if by == "SIGINT"));
        story.at(900).say(Event::TerminateRequested { by: "SIGINT".into() });
        stop.send(Stop::Terminate).await.unwrap();
    };
    let (end, ()) = tokio::join!(driven, person);
    assert!(matches!(end, End::Stopped(Stop::Terminate)), "{end:?}");
}

/// The session says whether the signal was in time: an operation that has just begun must not be left alone.
#[tokio::test]
async fn a_signal_before_anything_runs_ends_the_program_when_nothing_has_begun() {
    let (mut session, mut asked, answers, _story) = session(|_| ());
    let (stop, mut stops) = mpsc::channel(4);
    stop.send(Stop::Scripted).await.unwrap();
    stop.send(Stop::Terminate).await.unwrap();
    let mut out = Vec::new();
    let mut report = Json::new(&mut out);
    let driven = sync(&mut session, &mut stops, Request::default(), &mut report);
    let host = async {
        assert!(matches!(asked.recv().await, Some(Ask::Sync { .. })));
        assert!(matches!(asked.recv().await, Some(Ask::Terminate { by }) if by == "SIGTERM"));
        answers.send(Answer::Refused { reason: "it was stopped before it began".into() }).await.unwrap();
    };
    let (end, ()) = tokio::join!(driven, host);
    assert!(matches!(end, End::Stopped(Stop::Terminate)), "{end:?}");
    assert!(out.is_empty());
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_the_session() {
    let (mut session, _asked, _answer, _story) = session(|_| ());
    let (stop, mut stops) = mpsc::channel(4);
    stop.send(Stop::Terminate).await.unwrap();
    stop.send(Stop::Interrupt).await.unwrap();
    let end = sync(&mut session, &mut stops, Request::default(), &mut Json::new(Vec::new())).await;
    assert!(matches!(end, End::Stopped(Stop::Interrupt)), "{end:?}");
}

#[tokio::test]
async fn what_is_refused_prints_nothing() {
    for (answer, is_expected) in [
        (
            Answer::Refused { reason: "read-only".into() },
            (|end| matches!(end, End::Refused(reason) if reason == "read-only")) as fn(&End<_>) -> bool,
        ),
        (Answer::Failed { kind: FailureKind::Cluster, report: "no".into() }, |end| matches!(end, End::Failed(FailureKind::Cluster, _))),
    ] {
        let (mut session, _asked, answers, _story) = session(|_| ());
        let (_stop, mut stops) = mpsc::channel(4);
        answers.send(answer).await.unwrap();
        let mut out = Vec::new();
        let end = sync(&mut session, &mut stops, Request::default(), &mut Json::new(&mut out)).await;
        assert!(is_expected(&end), "{end:?}");
        assert!(out.is_empty());
    }
}

#[tokio::test]
async fn a_session_that_goes_away_is_no_hang() {
    let (mut session, asked, answers, story) = session(|_| ());
    drop((asked, answers, story));
    let (_stop, mut stops) = mpsc::channel(4);
    let end = plan(&mut session, &mut stops, crate::plan::Kind::Sync, Request::default()).await;
    assert!(matches!(end, End::Lost), "{end:?}");
}

/// People read it shortened.
const REFUSAL: &str = r#"Job.batch "settings" is invalid: spec.template: Invalid value: core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:"", Labels:map[string]string(nil)}}: field is immutable"#;

pub(super) fn place() -> Place {
    Place {
        app: "shop".into(),
        context: "kind".into(),
        cluster: "https://127.0.0.1:6443".into(),
        namespace: "shop".into(),
        source: "deploy/".into(),
        revision: "4c1d0aa".into(),
        read_only: None,
        protected: false,
    }
}

fn planned() -> Planned {
    let plan = shop();
    let mut actions: std::collections::BTreeMap<TaskId, Action> = plan.tasks.iter().map(|task| (task.id.clone(), Action::Create)).collect();
    actions.insert(migrate(), Action::Run);
    actions.insert(settings(), Action::Refused(REFUSAL.into()));
    let rolls = Impact::Rolls { cause: Cause::Image, pods: Some(3), how: Roll::Rolling { surge: 1, down: 0 } };
    let effects = [(settings(), vec![rolls, Impact::OnlyMetadata])].into();
    let notes = vec!["deploy/app.yaml:3: the key `a` stands twice".into()];
    Planned { actions, effects, ..Planned::new(place(), Arc::new(plan), notes) }
}

#[test]
fn a_plan_is_printed_in_order_with_what_will_not_run() {
    let mut out = Vec::new();
    super::plan::plain(&mut out, &Style::default(), &planned()).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn a_plan_as_json_is_one_object() {
    let mut out = Vec::new();
    super::plan::json(&mut out, &planned()).unwrap();
    let object: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
    insta::assert_json_snapshot!(object);
    assert!(super::plan::has_objections(&planned()));
}
