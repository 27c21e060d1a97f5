//! Everything that an operation sees: one watch for each kind and namespace of the plan, and for pods and Events of those namespaces,
//! opened before the first write and kept until the watches are dropped. Owns the view of live objects; must not decide anything.

mod again;
mod belonging;
mod feed;
mod observer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use belonging::Wanted;

use self::again::{Again, Question};
use self::feed::{Access, Feed, Listed, Sink};
use self::observer::{FeedKey, Item, Observer};
use super::apply::Before;
use super::judge::{self, Judge, Judged, Look, Open};
use super::live::completed;
use super::ownership::Snapshot;
use super::{Cluster, Outbox, Resource, locked};
use crate::model::{Assessment, Gvk, Live, Object, ResourceKey};
use crate::operation::Event;

/// After this time it is said what holds the beginning of a sync.
const SAID_AFTER: SignedDuration = SignedDuration::from_secs(10);
/// A list that comes later is taken when it comes.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(5);

/// What to watch.
#[derive(Clone, Debug)]
pub(crate) struct Watching {
    pub(crate) wanted: Vec<Wanted>,
    /// When the operation began to watch, by our clock.
    pub(crate) started_at: Timestamp,
}

/// The open watches. Dropping the last clone closes them.
#[derive(Clone)]
pub(crate) struct Watches(Arc<Inner>);

struct Inner {
    cluster: Cluster,
    wanted: Vec<Wanted>,
    view: Arc<View>,
    feeds: Mutex<Feeds>,
}

type Opened = watch::Receiver<Option<Access>>;

#[derive(Default)]
struct Feeds {
    opened: BTreeMap<FeedKey, Opened>,
    tasks: JoinSet<()>,
}

/// What is known, and where facts go. The lock is held while facts are queued, so that they leave in the order in which they were seen.
struct View {
    observer: Mutex<Observer>,
    judge: Judge,
    again: Again,
    outbox: Arc<Outbox>,
    /// Troubles that were told and are not over.
    told: Mutex<BTreeSet<String>>,
    /// Since when nothing has been heard of the server, if that was told.
    lost: Mutex<Option<Timestamp>>,
    /// Kinds that are polled, as far as it was told.
    polled: Mutex<BTreeSet<String>>,
}

impl View {
    fn tell(&self, look: impl FnOnce(&mut Observer) -> Vec<Event>) {
        let mut observer = locked(&self.observer);
        let events = look(&mut observer);
        if !events.is_empty() {
            self.outbox.extend(events);
        }
    }

    /// Says how kinds are followed that came after the watches were opened.
    fn tell_late(&self, key: &FeedKey, opened: &Opened) {
        if *opened.borrow() != Some(Access::Polled) {
            return;
        }
        let mut polled = locked(&self.polled);
        if polled.insert(key.gvk.kind.to_string()) {
            self.outbox.push(Event::WatchesOpened { polled: polled.iter().cloned().collect() });
        }
    }
}

impl Watches {
    /// Opens watches for everything whose kind is known. `WatchesOpened` follows when every first list has been told.
    pub(crate) fn open(cluster: &Cluster, watching: Watching, outbox: Arc<Outbox>) -> Self {
        let observer = Mutex::new(Observer::new(watching.wanted.clone(), watching.started_at));
        let judge = cluster.judge().clone();
        let view = Arc::new(View {
            observer,
            judge,
            again: Again::new(),
            outbox: outbox.clone(),
            told: Mutex::default(),
            lost: Mutex::default(),
            polled: Mutex::default(),
        });
        let inner = Inner { cluster: cluster.clone(), wanted: watching.wanted, view, feeds: Mutex::default() };
        let watches = Self(Arc::new(inner));
        let kinds: BTreeSet<&Gvk> = watches.0.wanted.iter().map(|wanted| &wanted.gvk).collect();
        for resource in kinds.into_iter().filter_map(|gvk| cluster.known_resource(gvk)) {
            watches.open_kind(&resource);
        }
        for namespace in watches.namespaces() {
            watches.open_feed(&Resource::core("Pod", "pods"), &namespace);
            watches.open_feed(&Resource::core("Event", "events"), &namespace);
        }
        watches.tell_when_open(outbox);
        locked(&watches.0.feeds).tasks.spawn(again::ask(watches.0.view.clone()));
        watches
    }

    /// Opens the watches of a kind that has appeared meanwhile, and waits for its first list.
    pub(crate) async fn kind_appeared(&self, resource: &Resource) {
        self.wait_until_open(self.open_kind(resource)).await;
    }

    /// Watches more objects, of whatever kind, and waits for the first lists.
    pub(crate) async fn follow(&self, wanted: Vec<Wanted>) {
        let keys = wanted.iter().filter_map(|one| {
            let resource = self.0.cluster.known_resource(&one.gvk)?;
            let namespace: Arc<str> = if resource.is_namespaced { one.key.namespace.clone() } else { "".into() };
            Some((resource, namespace))
        });
        let places: BTreeSet<(Resource, Arc<str>)> = keys.collect();
        locked(&self.0.view.observer).want(wanted);
        let feeds = places.iter().map(|(resource, namespace)| self.open_feed(resource, namespace)).collect();
        let clock = self.0.cluster.clock();
        tokio::select! {
            biased;
            () = self.wait_until_open(feeds) => {}
            () = clock.sleep(FOLLOWED_WITHIN) => tracing::warn!("the first lists of what was found are late"),
        }
    }

    async fn wait_until_open(&self, feeds: Vec<(FeedKey, Opened)>) {
        for (key, mut opened) in feeds {
            // The sender lives as long as its task; without it there is nothing to wait for.
            let _ended = opened.wait_for(Option::is_some).await.is_err();
            self.0.view.tell_late(&key, &opened);
        }
    }

    /// Notes that this operation created a hook.
    pub(crate) fn hook_created(&self, key: &ResourceKey, uid: &str) {
        self.0.view.tell(|observer| observer.created(key, uid));
    }

    /// Returns whether this operation created a hook.
    pub(crate) fn has_created(&self, key: &ResourceKey, uid: &str) -> bool {
        locked(&self.0.view.observer).has_created(key, uid)
    }

    /// Notes what a write returned, and what is to be known of it.
    pub(crate) fn written(&self, key: &ResourceKey, object: &Object, live: &Live) {
        locked(&self.0.view.observer).written(key, object, live);
    }

    /// Notes whether there is an open question about the health of an object that has just been noted as written.
    pub(crate) fn ask_again(&self, key: &ResourceKey, object: &Object, open: Option<Open>) {
        self.0.view.again.note(key, open.map(|open| (object.clone(), open)));
    }

    /// Returns what is known of an object before it is written.
    pub(crate) fn before(&self, key: &ResourceKey, resource: &Resource) -> Before {
        let namespace: Arc<str> = if resource.is_namespaced { key.namespace.clone() } else { "".into() };
        let feed = FeedKey { gvk: resource.gvk.clone(), namespace };
        locked(&self.0.view.observer).before(key, &[feed])
    }

    /// Returns the object of which this is the snapshot, if nothing newer has been seen.
    pub(crate) fn live_as(&self, key: &ResourceKey, snapshot: &Snapshot) -> Option<Live> {
        locked(&self.0.view.observer).live_as(key, snapshot)
    }

    /// Returns the live object as it was last seen.
    pub(crate) fn snapshot(&self, key: &ResourceKey) -> Option<Snapshot> {
        match locked(&self.0.view.observer).before(key, &[]) {
            Before::Present(snapshot) => Some(snapshot),
            Before::Absent | Before::Unknown => None,
        }
    }

    fn namespaces(&self) -> BTreeSet<Arc<str>> {
        let is_namespaced = |wanted: &&Wanted| self.0.cluster.known_resource(&wanted.gvk).is_none_or(|resource| resource.is_namespaced);
        let namespaces = self.0.wanted.iter().filter(is_namespaced).map(|wanted| wanted.key.namespace.clone());
        namespaces.filter(|namespace| !namespace.is_empty()).collect()
    }

    fn open_kind(&self, resource: &Resource) -> Vec<(FeedKey, Opened)> {
        let of_kind = self.0.wanted.iter().filter(|wanted| wanted.gvk == resource.gvk);
        let namespaces: BTreeSet<Arc<str>> =
            of_kind.map(|wanted| if resource.is_namespaced { wanted.key.namespace.clone() } else { "".into() }).collect();
        namespaces.iter().map(|namespace| self.open_feed(resource, namespace)).collect()
    }

    fn open_feed(&self, resource: &Resource, namespace: &Arc<str>) -> (FeedKey, Opened) {
        let key = FeedKey { gvk: resource.gvk.clone(), namespace: namespace.clone() };
        let mut feeds = locked(&self.0.feeds);
        let known = feeds.opened.get(&key).cloned();
        // One that could not be followed because no name was known has ended; now there may be one to ask for.
        let was_blind = known.as_ref().is_some_and(|opened| *opened.borrow() == Some(Access::Blind));
        let has_names = || !locked(&self.0.view.observer).names(&key).is_empty();
        if let Some(opened) = known.filter(|_| !was_blind || !has_names()) {
            return (key, opened);
        }
        let (sender, opened) = watch::channel(None);
        let sink = FeedSink { key: key.clone(), view: self.0.view.clone(), opened: sender };
        let (cluster, resource, namespace) = (self.0.cluster.clone(), resource.clone(), namespace.clone());
        feeds.tasks.spawn(Feed { cluster, resource, namespace, sink, was_blind }.run());
        feeds.opened.insert(key.clone(), opened.clone());
        (key, opened)
    }

    fn tell_when_open(&self, outbox: Arc<Outbox>) {
        let mut feeds = locked(&self.0.feeds);
        // Events only explain; a server that keeps them elsewhere, and has lost that, must not hold a sync.
        let is_needed = |key: &FeedKey| *key.gvk.kind != *"Event" || self.0.wanted.iter().any(|wanted| wanted.gvk == key.gvk);
        let opened: Vec<(FeedKey, Opened)> =
            feeds.opened.iter().filter(|(key, _)| is_needed(key)).map(|(key, opened)| (key.clone(), opened.clone())).collect();
        let clock = self.0.cluster.clock();
        let late = clock.now().checked_add(SAID_AFTER).unwrap_or(Timestamp::MAX);
        let view = self.0.view.clone();
        feeds.tasks.spawn(async move {
            let mut is_said = false;
            for (key, mut opened) in opened {
                if !is_said {
                    tokio::select! {
                        biased;
                        _ = opened.wait_for(Option::is_some) => {}
                        () = clock.sleep_until(late) => {
                            is_said = true;
                            let text = format!("nothing begins before the {} objects have been read; a terminate ends the wait", key.gvk.kind);
                            outbox.push(Event::Warned { task: None, text });
                        }
                    }
                }
                let access = opened.wait_for(Option::is_some).await.ok().and_then(|access| *access);
                if access == Some(Access::Polled) {
                    locked(&view.polled).insert(key.gvk.kind.to_string());
                }
            }
            let polled = locked(&view.polled).clone();
            outbox.push(Event::WatchesOpened { polled: polled.into_iter().collect() });
        });
    }
}

struct FeedSink {
    key: FeedKey,
    view: Arc<View>,
    opened: watch::Sender<Option<Access>>,
}

impl FeedSink {
    /// Judges what is news before the view is locked: only this feed waits for a slow rule.
    async fn judged(&self, item: Value, look: Look) -> (Item, Option<Noted>) {
        let object = completed(item, &self.key.gvk);
        let (key, is_own_hook) = {
            let observer = locked(&self.view.observer);
            let Some(key) = observer.news(&object) else { return (Item { object, live: None }, None) };
            let is_own_hook = observer.has_created(&key, object.text(&["metadata", "uid"]));
            (key, is_own_hook)
        };
        // A hook ends by what is said of it, so it is never left out.
        let rest = self.view.again.rest(&key).filter(|_| !is_own_hook);
        let Judged { live, open } = match rest {
            Some(why) => Judged { live: self.view.judge.known(&object, Assessment::Error(why)), open: Some(Open::LeftOut) },
            None => self.view.judge.judged(&object, if is_own_hook { Look::One } else { look }).await,
        };
        let noted = (key, open.map(|open| (object.clone(), open)));
        (Item { object, live: Some(Box::new(live)) }, Some(noted))
    }

    fn note(&self, noted: impl IntoIterator<Item = Noted>) {
        noted.into_iter().for_each(|(key, question)| self.view.again.note(&key, question));
    }
}

/// Whose news was judged, and whether there is an open question.
type Noted = (ResourceKey, Option<Question>);

impl Sink for FeedSink {
    async fn replaced(&self, listed: Listed) {
        let items: Vec<_> = listed.items.into_iter().map(|item| self.judged(item, Look::Many)).collect();
        let items: Vec<_> = futures::stream::iter(items).buffered(judge::AT_ONCE).collect().await;
        let (items, noted): (Vec<Item>, Vec<Option<Noted>>) = items.into_iter().unzip();
        let listed = Listed { items, as_of: listed.as_of, unread: listed.unread };
        self.view.tell(|observer| observer.replaced(&self.key, listed));
        self.note(noted.into_iter().flatten());
    }

    async fn changed(&self, item: Value) {
        let (item, noted) = self.judged(item, Look::One).await;
        self.view.tell(|observer| observer.changed(&self.key, item));
        self.note(noted);
    }

    fn deleted(&self, item: Value) {
        self.view.tell(|observer| observer.deleted(&self.key, item));
    }

    fn opened(&self, how: Access) {
        self.opened.send_if_modified(|known| known.replace(how) != Some(how));
    }

    fn trouble(&self, text: String) {
        if locked(&self.view.told).insert(text.clone()) {
            self.view.outbox.push(Event::Warned { task: None, text });
        }
    }

    fn works(&self) {
        locked(&self.view.told).clear();
        self.heard();
    }

    fn lost(&self, since: Timestamp) {
        let mut lost = locked(&self.view.lost);
        if lost.is_none() {
            *lost = Some(since);
            self.view.outbox.push(Event::ClusterLost { since });
        }
    }

    fn heard(&self) {
        if let Some(since) = locked(&self.view.lost).take() {
            self.view.outbox.push(Event::ClusterBack { since });
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        locked(&self.view.observer).names(&self.key)
    }

    fn newest(&self) -> u64 {
        locked(&self.view.observer).newest()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::cluster::fake::{self, Asked, FakeResponse};
    use crate::model::Assessment;

    fn discovery(kind: &str, plural: &str) -> FakeResponse {
        let item = json!({"name": plural, "kind": kind, "namespaced": true, "verbs": ["list", "watch"]});
        fake::json_answer(200, &json!({"resources": [item]}))
    }

    fn serve(asked: Asked) -> FakeResponse {
        let last = asked.path.rsplit('/').next().unwrap_or_default();
        match (last, asked.query.contains("watch=true")) {
            ("v1", _) => discovery("Secret", "secrets"),
            ("secrets", true) => fake::status(403, "Forbidden", "no"),
            (_, true) => http::Response::new(fake::chunks(vec![(1_000_000_000, Err("never"))])),
            (name, false) => {
                let items =
                    if name == "secrets" { json!([{"metadata": {"name": "s", "namespace": "shop", "uid": "u"}}]) } else { json!([]) };
                fake::json_answer(200, &json!({"items": items, "metadata": {"resourceVersion": "5"}}))
            }
        }
    }

    /// Silence is worse than failure.
    #[tokio::test(start_paused = true)]
    async fn what_holds_the_beginning_is_said_and_events_do_not_hold_it() {
        let open = async |broken: &'static str| {
            let cluster = fake::cluster(move |asked| {
                let is_broken = asked.path.rsplit('/').next() == Some(broken);
                if is_broken { fake::status(500, "InternalError", "etcd is gone") } else { serve(asked) }
            });
            let gvk = Gvk::new("v1", "Secret");
            cluster.discover(&[gvk.clone()].into()).await;
            let outbox = Arc::new(Outbox::default());
            let wanted = vec![Wanted { key: ResourceKey::new("", "Secret", "shop", "s"), gvk, hook: true }];
            let _watches = Watches::open(&cluster, Watching { wanted, started_at: fake::epoch() }, outbox.clone());
            tokio::time::sleep(Duration::from_secs(60)).await;
            outbox.drain()
        };
        let is_open = |events: &[Event]| events.iter().any(|event| matches!(event, Event::WatchesOpened { .. }));
        assert!(is_open(&open("events").await));
        let events = open("secrets").await;
        let sentence = "nothing begins before the Secret objects have been read; a terminate ends the wait";
        assert!(!is_open(&events) && events.contains(&Event::Warned { task: None, text: sentence.to_owned() }), "{events:?}");
    }

    /// A rule that ends when the test lets it.
    #[derive(Debug)]
    struct Slow(Mutex<std::sync::mpsc::Receiver<()>>);

    impl crate::cluster::judge::Rules for Slow {
        fn assess(&self, object: &Object) -> Assessment {
            if *object.gvk().kind == *"Secret" {
                locked(&self.0).recv().unwrap();
            }
            Assessment::NoRule
        }

        fn observed(&self, _object: &Object) -> (Option<i64>, Option<i64>) {
            (None, None)
        }

        fn may_take_long(&self, gvk: &Gvk) -> bool {
            *gvk.kind == *"Secret"
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_rule_holds_only_the_kind_that_it_judges() {
        let (finish, wait) = std::sync::mpsc::channel();
        let cluster = fake::cluster(serve).with_judge(Judge::new(Arc::new(Slow(Mutex::new(wait)))));
        let gvk = Gvk::new("v1", "Secret");
        cluster.discover(&[gvk.clone()].into()).await;
        let outbox = Arc::new(Outbox::default());
        let wanted = vec![Wanted { key: ResourceKey::new("", "Secret", "shop", "s"), gvk, hook: true }];
        let watches = Watches::open(&cluster, Watching { wanted, started_at: fake::epoch() }, outbox.clone());
        let pods = FeedKey { gvk: Gvk::new("v1", "Pod"), namespace: "shop".into() };
        let secrets = FeedKey { gvk: Gvk::new("v1", "Secret"), namespace: "shop".into() };
        let mut opened = locked(&watches.0.feeds).opened[&pods].clone();
        opened.wait_for(Option::is_some).await.unwrap();
        assert_eq!((*locked(&watches.0.feeds).opened[&secrets].borrow(), outbox.drain()), (None, vec![]));
        finish.send(()).unwrap();
        outbox.arrived().await;
        assert!(matches!(&outbox.drain()[0], Event::LiveObserved { key, .. } if *key.name == *"s"));
    }

    #[tokio::test(start_paused = true)]
    async fn watches_are_open_when_every_first_list_has_been_told_and_name_what_is_polled() {
        let cluster = fake::cluster(serve);
        let gvk = Gvk::new("v1", "Secret");
        cluster.discover(&[gvk.clone()].into()).await;
        let outbox = Arc::new(Outbox::default());
        let key = ResourceKey::new("", "Secret", "shop", "s");
        let wanted = vec![Wanted { key: key.clone(), gvk: gvk.clone(), hook: false }];
        let watches = Watches::open(&cluster, Watching { wanted, started_at: fake::epoch() }, outbox.clone());
        let mut events = Vec::new();
        while !events.iter().any(|event| matches!(event, Event::WatchesOpened { .. })) {
            tokio::time::timeout(Duration::from_secs(5), outbox.arrived()).await.unwrap();
            events.extend(outbox.drain());
        }
        assert!(matches!(&events[0], Event::LiveObserved { key, .. } if *key.name == *"s"), "{events:?}");
        assert_eq!(events[1], Event::WatchesOpened { polled: vec!["Secret".into()] });
        let resource = cluster.known_resource(&gvk).unwrap();
        assert!(matches!(watches.before(&key, &resource), Before::Present(_)));
        assert_eq!(watches.before(&ResourceKey::new("", "Secret", "shop", "t"), &resource), Before::Absent);
    }

    /// Pods may be read by name, and nothing else may be done with them.
    fn serve_locked_pods(asked: &Asked) -> FakeResponse {
        let pod = json!({"metadata": {"name": "found", "namespace": "shop", "uid": "p", "resourceVersion": "7"}});
        match asked.path.as_str() {
            "/api/v1" => fake::json_answer(
                200,
                &json!({"resources": [
                    {"name": "secrets", "kind": "Secret", "namespaced": true, "verbs": ["list", "watch"]},
                    {"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["list", "watch"]},
                ]}),
            ),
            "/api/v1/namespaces/shop/pods/found" => fake::json_answer(200, &pod),
            "/api/v1/namespaces/shop/pods" => fake::status(403, "Forbidden", "pods is forbidden"),
            _ => serve(asked.clone()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn decision_4_what_is_found_of_a_kind_that_may_not_be_listed_is_polled_by_name_and_that_is_said() {
        let cluster = fake::cluster(|asked| serve_locked_pods(&asked));
        let gvk = Gvk::new("v1", "Secret");
        cluster.discover(&[gvk.clone(), Gvk::new("v1", "Pod")].into()).await;
        let outbox = Arc::new(Outbox::default());
        let wanted = vec![Wanted { key: ResourceKey::new("", "Secret", "shop", "s"), gvk, hook: false }];
        let watches = Watches::open(&cluster, Watching { wanted, started_at: fake::epoch() }, outbox.clone());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(outbox.drain().contains(&Event::WatchesOpened { polled: vec!["Secret".into()] }), "nobody asks for a Pod yet");
        let found = ResourceKey::new("", "Pod", "shop", "found");
        watches.follow(vec![Wanted { key: found.clone(), gvk: Gvk::new("v1", "Pod"), hook: false }]).await;
        let events = outbox.drain();
        assert!(matches!(&events[0], Event::LiveObserved { key, .. } if *key == found), "{events:?}");
        assert!(events.contains(&Event::WatchesOpened { polled: vec!["Pod".into(), "Secret".into()] }), "{events:?}");
        assert!(!events.iter().any(|event| matches!(event, Event::Warned { .. })), "what stays hidden was said already: {events:?}");
    }
}
