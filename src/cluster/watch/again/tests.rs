use std::collections::BTreeSet;
use std::sync::mpsc::Sender;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{advance, sleep};

use super::super::feed::{Listed, Sink as _};
use super::super::observer::{FeedKey, Observer};
use super::super::{FeedSink, Wanted};
use super::*;
use crate::cluster::Outbox;
use crate::cluster::fake::{self, Scripted};
use crate::cluster::judge::Judge;
use crate::model::{Assessment, Gvk, Health, HealthStatus};
use crate::operation::Event;

/// The watch of the Widgets a to f on a machine with one thread.
struct Scene {
    _asker: JoinSet<()>,
    view: Arc<View>,
    sink: Arc<FeedSink>,
    rules: Arc<Scripted>,
    answers: Sender<Assessment>,
    outbox: Arc<Outbox>,
}

const SECOND: Duration = Duration::from_secs(1);

fn key(name: &str) -> ResourceKey {
    ResourceKey::new("example.com", "Widget", "shop", name)
}

fn widget(name: &str, version: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": format!("u-{name}"), "resourceVersion": version}})
}

fn late() -> Assessment {
    Assessment::Error("it did not end within 1 s".to_owned())
}

fn healthy() -> Assessment {
    Assessment::Known(Health { status: HealthStatus::Healthy, message: String::new(), rule: "r".to_owned() })
}

impl Scene {
    fn open() -> Self {
        let (rules, answers) = Scripted::new();
        let gvk = Gvk::new("example.com/v1", "Widget");
        let wanted = ["a", "b", "c", "d", "e", "f"].map(|name| Wanted { key: key(name), gvk: gvk.clone(), hook: name == "f" });
        let outbox = Arc::new(Outbox::default());
        let view = Arc::new(View {
            observer: Mutex::new(Observer::new(wanted.to_vec(), fake::epoch())),
            judge: Judge::new(rules.clone()).with_threads(1),
            again: Again::new(),
            outbox: outbox.clone(),
            told: Mutex::default(),
            lost: Mutex::default(),
            polled: Mutex::default(),
        });
        let key = FeedKey { gvk, namespace: "shop".into() };
        let sink = Arc::new(FeedSink { key, view: view.clone(), opened: watch::channel(None).0 });
        let asker = begun(ask(view.clone()));
        Self { _asker: asker, view, sink, rules, answers, outbox }
    }

    fn lists(&self, names: &[&str], version: &str) -> JoinSet<()> {
        let listed = Listed { items: names.iter().map(|name| widget(name, version)).collect(), as_of: 100, unread: BTreeSet::new() };
        let sink = self.sink.clone();
        begun(async move { sink.replaced(listed).await })
    }

    fn changes(&self, name: &str, version: &str) -> JoinSet<()> {
        let (sink, item) = (self.sink.clone(), widget(name, version));
        begun(async move { sink.changed(item).await })
    }

    /// Has the rule answer a run that has begun or will.
    async fn answers(&self, run: usize, answer: Assessment, after: Duration) {
        while self.runs() < run {
            tokio::task::yield_now().await;
        }
        pass(after).await;
        self.answers.send(answer).unwrap();
    }

    /// The same of the last run for now, and waits until what came of it is known.
    async fn ends(&self, run: usize, answer: Assessment, after: Duration) {
        self.answers(run, answer, after).await;
        // The clock does not go on by itself while a rule runs.
        sleep(Duration::from_millis(1)).await;
    }

    fn runs(&self) -> usize {
        self.rules.runs()
    }

    /// Names and assessments of what was told since.
    fn told(&self) -> Vec<(String, Assessment)> {
        let told = |event| match event {
            Event::LiveObserved { key, live } => Some((key.name.to_string(), live.assessment)),
            _ => None,
        };
        self.outbox.drain().into_iter().filter_map(told).collect()
    }

    fn waits(&self) -> Vec<String> {
        locked(&self.view.again.waiting).keys().map(|key| key.name.to_string()).collect()
    }
}

fn begun(task: impl Future<Output = ()> + Send + 'static) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(task);
    tasks
}

/// Lets everything run that can, then time pass.
async fn pass(time: Duration) {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    advance(time).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn said(name: &str, assessment: Assessment) -> (String, Assessment) {
    (name.to_owned(), assessment)
}

#[tokio::test(start_paused = true)]
async fn what_a_first_look_left_out_is_judged_by_itself_afterwards() {
    let scene = Scene::open();
    let look = scene.lists(&["a", "b", "c", "d", "e"], "5");
    for run in 1..=3 {
        scene.answers(run, late(), SECOND).await;
    }
    look.join_all().await;
    let told = scene.told();
    assert_eq!(told[..3], ["a", "b", "c"].map(|name| said(name, late())));
    assert!(told[3..].iter().all(|(_, why)| why.message().starts_with("left out for now: the health rule of Widget")), "{told:?}");
    pass(SECOND * 2).await;
    scene.answers(4, healthy(), Duration::ZERO).await;
    scene.ends(5, late(), SECOND).await;
    assert_eq!(scene.told(), [said("d", healthy()), said("e", late())]);
    assert_eq!(scene.waits(), ["a", "b", "c", "e"]);
}

/// No further news of it may ever come.
#[tokio::test(start_paused = true)]
async fn an_object_that_met_the_limit_of_time_is_asked_about_after_30_s_until_it_has_a_verdict_and_less_and_less_often() {
    let scene = Scene::open();
    let change = scene.changes("a", "5");
    scene.answers(1, late(), SECOND).await;
    change.join_all().await;
    assert_eq!(scene.told(), [said("a", late())]);
    pass(SECOND * 29).await;
    assert_eq!(scene.runs(), 1);
    pass(SECOND * 2).await;
    scene.ends(2, late(), SECOND).await;
    assert_eq!(scene.told(), [], "the same again is no news");
    pass(SECOND * 58).await;
    assert_eq!(scene.runs(), 2);
    pass(SECOND * 3).await;
    scene.ends(3, healthy(), Duration::ZERO).await;
    assert_eq!((scene.told(), scene.waits()), (vec![said("a", healthy())], vec![]));
    pass(SECOND * 1_000).await;
    assert_eq!(scene.runs(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_write_met_the_limit_of_time_is_asked_about_too() {
    let scene = Scene::open();
    let object = crate::cluster::live::completed(widget("a", "5"), &Gvk::new("example.com/v1", "Widget"));
    let live = scene.view.judge.known(&object, late());
    locked(&scene.view.observer).written(&key("a"), &object, &live);
    scene.view.again.note(&key("a"), Some((object, Open::Late)));
    scene.changes("a", "5").join_all().await;
    assert_eq!((scene.told(), scene.runs()), (vec![said("a", late())], 0), "its own write is no news");
    pass(SECOND * 31).await;
    scene.ends(1, healthy(), Duration::ZERO).await;
    assert_eq!(scene.told(), [said("a", healthy())]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_of_this_operation_is_never_left_out() {
    let scene = Scene::open();
    scene.view.tell(|observer| observer.created(&key("f"), "u-f"));
    let look = scene.lists(&["a", "b", "c", "d", "f"], "5");
    for run in 1..=3 {
        scene.answers(run, late(), SECOND).await;
    }
    scene.answers(4, healthy(), Duration::ZERO).await;
    look.join_all().await;
    assert_eq!(scene.told().last(), Some(&said("f", healthy())));
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_or_gone_meanwhile_is_not_asked_about_as_it_was() {
    let scene = Scene::open();
    for (run, name) in [(1, "a"), (2, "b")] {
        let change = scene.changes(name, "5");
        scene.answers(run, late(), SECOND).await;
        change.join_all().await;
    }
    let change = scene.changes("a", "6");
    scene.ends(3, healthy(), Duration::ZERO).await;
    change.join_all().await;
    scene.sink.deleted(widget("b", "7"));
    assert_eq!(scene.waits(), ["b"]);
    pass(SECOND * 31).await;
    assert_eq!((scene.waits(), scene.runs()), (vec![], 3));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_keeps_meeting_the_limit_holds_its_watch_no_more_and_is_asked_about_as_it_is_then() {
    let scene = Scene::open();
    for (run, version) in [(1, "5"), (2, "6")] {
        let change = scene.changes("a", version);
        scene.answers(run, late(), SECOND).await;
        change.join_all().await;
    }
    scene.told();
    for version in 7..50 {
        scene.changes("a", &version.to_string()).join_all().await;
        pass(SECOND / 10).await;
    }
    assert_eq!(scene.runs(), 2);
    let sentence = "left out for now: the health rule of Widget met its limit of time 2 times in a row for this object, so that it is asked \
                    again within 30 s; let it do less";
    assert!(scene.told().iter().all(|(_, why)| why.message() == sentence));
    pass(SECOND * 27).await;
    scene.ends(3, healthy(), Duration::ZERO).await;
    assert_eq!(scene.told(), [said("a", healthy())]);
}
