use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};

use serde_json::json;
use tokio::task::JoinSet;

use super::*;
use crate::cluster::fake::{self, Scripted};
use crate::model::{Health, HealthStatus};

/// Counts how often it is asked; Widgets take long.
#[derive(Debug, Default)]
struct Counted(AtomicUsize);

impl Rules for Counted {
    fn assess(&self, _object: &Object) -> Assessment {
        let message = format!("{}", self.0.fetch_add(1, Relaxed) + 1);
        Assessment::Known(Health { status: HealthStatus::Healthy, message, rule: "counted".to_owned() })
    }

    fn observed(&self, _object: &Object) -> (Option<i64>, Option<i64>) {
        (Some(2), Some(1))
    }

    fn may_take_long(&self, gvk: &Gvk) -> bool {
        *gvk.kind == *"Widget"
    }
}

fn object(kind: &str, uid: &str, version: &str) -> Object {
    Object::new(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "uid": uid, "resourceVersion": version}}))
}

#[tokio::test]
async fn a_live_object_keeps_what_decisions_need() {
    let object = Object::new(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {
        "name": "migrate", "uid": "u1", "resourceVersion": "42", "deletionTimestamp": "2026-03-01T09:00:05Z",
        "finalizers": ["syncwave.dev/hook-finalizer"], "annotations": {"argocd.argoproj.io/hook": "PreSync"}}}));
    let live = Judge::new(Arc::new(Counted::default())).live(&object).await;
    assert_eq!((&*live.uid, live.resource_version, live.generation, live.observed_generation), ("u1", 42, Some(2), Some(1)));
    assert_eq!(live.deletion, Some("2026-03-01T09:00:05Z".parse().unwrap()));
    assert!(live.has_hook_finalizer() && live.traits.is_hook());
    let strange = fake::judge().live(&Object::new(json!({"metadata": {"resourceVersion": "abc", "finalizers": 5}}))).await;
    assert_eq!((strange.resource_version, strange.finalizers.len()), (0, 0));
}

#[tokio::test]
async fn a_slow_rule_judges_one_version_of_an_object_once() {
    let judge = Judge::new(Arc::new(Counted::default()));
    let asked = async |object: Object| judge.live(&object).await.assessment.message().to_owned();
    let widget = |uid, version| object("Widget", uid, version);
    assert_eq!([asked(widget("u", "1")).await, asked(widget("u", "1")).await], ["1", "1"]);
    assert_eq!([asked(widget("u", "2")).await, asked(widget("other", "2")).await], ["2", "3"]);
    assert_eq!([asked(widget("", "2")).await, asked(widget("", "2")).await], ["4", "5"], "what is not stored has no version");
    assert_eq!([asked(object("Pod", "u", "2")).await, asked(object("Pod", "u", "2")).await], ["6", "7"], "native rules remember nothing");
}

#[tokio::test]
async fn whoever_asks_for_the_same_version_meanwhile_waits_for_its_verdict() {
    let judge = Judge::new(Arc::new(Counted::default()));
    let widget = object("Widget", "u", "1");
    let lives = futures::future::join_all((0..8).map(|_| judge.live(&widget))).await;
    assert!(lives.iter().all(|live| live.assessment.message() == "1"));
}

/// A judge by a slow rule, and whoever gives its answers.
struct Court {
    judge: Judge,
    rules: Arc<Scripted>,
    answers: Sender<Assessment>,
    asked: JoinSet<(Assessment, Option<Open>)>,
    objects: usize,
}

impl Court {
    /// Opens one on a machine with so many threads.
    fn open(threads: usize) -> Self {
        let (rules, answers) = Scripted::new();
        let judge = Judge::new(rules.clone()).with_threads(threads);
        Self { judge, rules, answers, asked: JoinSet::new(), objects: 0 }
    }

    /// Asks for an object that nobody has asked for, as one of many.
    fn ask(&mut self) {
        self.ask_as("Widget", Look::Many);
    }

    fn ask_as(&mut self, kind: &str, look: Look) {
        self.objects += 1;
        let (judge, widget) = (self.judge.clone(), object(kind, &format!("u{}", self.objects), "1"));
        self.asked.spawn(async move {
            let Judged { live, open } = judge.judged(&widget, look).await;
            (live.assessment, open)
        });
    }

    /// Lets the clock go on after so many runs have begun, and whoever asked knows of it.
    async fn pass(&self, runs: usize, time: Duration) {
        while self.runs() < runs {
            tokio::task::yield_now().await;
        }
        settle().await;
        tokio::time::advance(time).await;
    }

    async fn said(&mut self) -> Assessment {
        self.judged().await.0
    }

    async fn judged(&mut self) -> (Assessment, Option<Open>) {
        self.asked.join_next().await.unwrap().unwrap()
    }

    /// Asks, and has the rule answer after a time.
    async fn answered(&mut self, answer: Assessment, after: Duration) {
        let run = self.runs() + 1;
        self.ask();
        self.pass(run, after).await;
        self.answers.send(answer.clone()).unwrap();
        assert_eq!(self.said().await, answer);
    }

    fn runs(&self) -> usize {
        self.rules.runs()
    }
}

/// Lets everything run that can.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn fault() -> Assessment {
    Assessment::Error("it did not end within 1 s".to_owned())
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_rule_that_nobody_can_stop_holds_its_object_for_three_seconds_and_is_not_run_again() {
    let mut court = Court::open(1);
    court.ask();
    court.ask();
    court.pass(1, STUCK).await;
    let sentence = "the health rule of Widget does not come to its end, so it is not run again; take the long steps out of it";
    let stuck = Assessment::Error(sentence.to_owned());
    assert_eq!(
        [court.said().await, court.said().await],
        [stuck.clone(), stuck.clone()],
        "who waited for a turn does not wait as long again"
    );
    court.ask();
    assert_eq!((court.said().await, court.runs()), (stuck, 1));
    court.answers.send(Assessment::NoRule).unwrap();
}

fn left_out() -> (Assessment, Option<Open>) {
    let sentence = "left out for now: the health rule of Widget met its limits for 3 s in all; let it do less for each object";
    (Assessment::Error(sentence.to_owned()), Some(Open::LeftOut))
}

#[tokio::test(start_paused = true)]
async fn a_look_at_many_objects_leaves_out_the_rest_when_failures_took_three_seconds_whatever_succeeded_between() {
    let mut court = Court::open(1);
    for _ in 0..2 {
        court.answered(fault(), SECOND).await;
        court.answered(Assessment::NoRule, SECOND).await;
        court.answered(fault(), Duration::ZERO).await;
    }
    court.answered(fault(), SECOND).await;
    (0..100).for_each(|_| court.ask());
    for _ in 0..100 {
        assert_eq!(court.judged().await, left_out());
    }
    assert_eq!(court.runs(), 7, "hundreds of objects wait no longer");
    tokio::time::advance(Duration::from_secs(30)).await;
    court.answered(fault(), SECOND).await;
    court.answered(Assessment::NoRule, SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_asked_for_by_itself_is_judged_whatever_others_did_and_takes_nothing_from_them() {
    let mut court = Court::open(1);
    for _ in 0..3 {
        court.answered(fault(), SECOND).await;
    }
    court.ask();
    assert_eq!(court.judged().await, left_out());
    let run = court.runs() + 1;
    court.ask_as("Widget", Look::One);
    court.pass(run, Duration::ZERO).await;
    court.answers.send(Assessment::NoRule).unwrap();
    assert_eq!(court.judged().await, (Assessment::NoRule, None));
    let mut court = Court::open(1);
    for run in 1..=10 {
        court.ask_as("Widget", Look::One);
        court.pass(run, SECOND).await;
        court.answers.send(fault()).unwrap();
        assert_eq!(court.judged().await, (fault(), Some(Open::Late)));
    }
    court.answered(Assessment::NoRule, Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn only_the_limit_of_time_leaves_a_question_open() {
    let mut court = Court::open(1);
    for (after, open) in [(Duration::ZERO, None), (SECOND / 2, None), (SECOND, Some(Open::Late))] {
        let run = court.runs() + 1;
        court.ask();
        court.pass(run, after).await;
        court.answers.send(fault()).unwrap();
        assert_eq!(court.judged().await, (fault(), open));
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_judges_each_object_until_the_failures_of_its_kind_took_thirty_seconds() {
    let mut court = Court::open(1);
    court.judge = Judge::of_command(court.rules.clone()).with_threads(1);
    for _ in 0..30 {
        court.answered(Assessment::NoRule, SECOND).await;
        court.answered(fault(), SECOND).await;
    }
    court.ask();
    let sentence = "not judged: the health rule of Widget met its limits for 30 s in all; let it do less for each object, or give fewer \
                    objects at once";
    assert_eq!(court.said().await, Assessment::Error(sentence.to_owned()));
    tokio::time::advance(Duration::from_secs(60)).await;
    court.ask();
    assert_eq!((court.said().await, court.runs()), (Assessment::Error(sentence.to_owned()), 60));
    court.ask_as("Gadget", Look::Many);
    court.pass(61, Duration::ZERO).await;
    court.answers.send(Assessment::NoRule).unwrap();
    assert_eq!(court.said().await, Assessment::NoRule, "each kind has its own budget");
}

#[tokio::test(start_paused = true)]
async fn slow_rules_of_all_kinds_judge_as_many_objects_at_once_as_the_machine_has_threads() {
    let mut court = Court::open(2);
    ["Widget", "Gadget", "Gizmo", "Widget", "Thing"].iter().for_each(|kind| court.ask_as(kind, Look::One));
    court.pass(2, Duration::ZERO).await;
    settle().await;
    assert_eq!(court.runs(), 2);
    (0..5).for_each(|_| court.answers.send(Assessment::NoRule).unwrap());
    for _ in 0..5 {
        assert_eq!(court.said().await, Assessment::NoRule);
    }
}

/// The time in the queue of the blocking threads is not the rule's.
#[test]
fn a_rule_that_waits_for_a_thread_is_not_stuck() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (finish, wait) = channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv().unwrap());
        let mut court = Court::open(1);
        court.ask();
        settle().await;
        tokio::time::advance(STUCK * 10).await;
        assert!(court.asked.try_join_next().is_none());
        finish.send(()).unwrap();
        busy.await.unwrap();
        court.answers.send(Assessment::NoRule).unwrap();
        assert_eq!(court.said().await, Assessment::NoRule);
        court.answered(Assessment::NoRule, Duration::ZERO).await;
    });
}

#[tokio::test]
async fn what_need_not_be_live_is_judged_each_time() {
    let judge = Judge::new(Arc::new(Counted::default()));
    let widget = object("Widget", "u", "1");
    assert_eq!([judge.assess(&widget).await.message(), judge.assess(&widget).await.message()], ["1", "2"]);
}

#[tokio::test]
async fn what_is_kept_has_an_end() {
    let judge = Judge::new(Arc::new(Counted::default()));
    for number in 0..=KEPT {
        let _said = judge.verdict(&object("Widget", &format!("u{number}"), "1"));
    }
    assert_eq!(locked(&judge.verdicts).len(), 1);
}
