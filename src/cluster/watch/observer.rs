//! Folds what lists and watches bring into facts: only about objects of the plan, their pods, and Events about them. Pure, so that no
//! order of arrival can lose anything: a pod that comes before its hook's uid is known waits until it is.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use super::super::apply::Before;
use super::super::live::{self, ClusterEvent, Pod, text};
use super::super::ownership::Snapshot;
use super::belonging::{Belonging, Belongs, Wanted};
use super::feed::Listed;
use crate::model::{Gvk, Live, Object, Occurrence, PodView, ResourceKey};
use crate::operation::Event;

/// How many Events wait for their pod to become known.
const HELD: usize = 1_000;

/// A list or watch: a kind in a namespace (empty: everywhere).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FeedKey {
    pub(super) gvk: Gvk,
    pub(super) namespace: Arc<str>,
}

/// Everything that has been seen.
pub(super) struct Observer {
    /// In a first list that comes late, Events before this are old news. The server's stamps have whole seconds.
    since: Timestamp,
    /// Whether this operation has written anything; until then, every Event of a first list is old news.
    has_written: bool,
    belonging: Belonging,
    objects: BTreeMap<ResourceKey, Seen>,
    pods: BTreeMap<Arc<str>, Pod>,
    shown: BTreeMap<Arc<str>, ResourceKey>,
    held: VecDeque<ClusterEvent>,
    events: HashMap<String, String>,
    listed: BTreeSet<FeedKey>,
}

#[derive(Debug)]
struct Seen {
    uid: Arc<str>,
    version: String,
    snapshot: Snapshot,
    live: Box<Live>,
}

/// One object of a list or a watch.
pub(super) struct Item {
    pub(super) object: Object,
    /// What is to be known of it, if it was news.
    pub(super) live: Option<Box<Live>>,
}

impl Seen {
    fn is_of(&self, uid: &str, version: &str) -> bool {
        *self.uid == *uid && self.version == version && !version.is_empty()
    }

    /// Returns whether another version is news; of versions that say nothing, each one is.
    fn precedes(&self, uid: &str, version: &str) -> bool {
        number(&self.version) <= number(version) && !self.is_of(uid, version)
    }
}

impl Observer {
    pub(super) fn new(wanted: Vec<Wanted>, started_at: Timestamp) -> Self {
        let since = started_at.checked_sub(1.second()).unwrap_or(started_at);
        Self {
            since,
            has_written: false,
            belonging: Belonging::new(wanted),
            objects: BTreeMap::new(),
            pods: BTreeMap::new(),
            shown: BTreeMap::new(),
            held: VecDeque::new(),
            events: HashMap::new(),
            listed: BTreeSet::new(),
        }
    }

    /// What is seen of these counts from now on.
    pub(super) fn want(&mut self, wanted: Vec<Wanted>) {
        wanted.into_iter().for_each(|one| self.belonging.want(one));
    }

    /// Returns the names that are wanted of a feed.
    pub(super) fn names(&self, feed: &FeedKey) -> Vec<Arc<str>> {
        self.belonging.names(&feed.gvk, &feed.namespace)
    }

    /// Returns the newest revision of anything that is known.
    pub(super) fn newest(&self) -> u64 {
        self.objects.values().map(|seen| number(&seen.version)).max().unwrap_or_default()
    }

    /// Takes a whole list: what it does not hold any more is gone, unless it was written after the list was made.
    pub(super) fn replaced(&mut self, feed: &FeedKey, listed: Listed<Item>) -> Vec<Event> {
        let mut events = self.vanished(feed, &listed);
        let is_first = !self.listed.contains(feed);
        for item in listed.items {
            events.extend(self.took(feed, item, is_first));
        }
        self.listed.insert(feed.clone());
        events
    }

    fn vanished(&mut self, feed: &FeedKey, listed: &Listed<Item>) -> Vec<Event> {
        let present: BTreeSet<&str> = listed.items.iter().map(|item| item.object.text(&["metadata", "uid"])).collect();
        let is_shown = |name: &Arc<str>, version: &str| number(version) <= listed.as_of && !listed.unread.contains(name);
        let in_feed = |group: &str, kind: &str, namespace: &str| {
            group == &*feed.gvk.group && kind == &*feed.gvk.kind && (feed.namespace.is_empty() || namespace == &*feed.namespace)
        };
        let gone: Vec<(ResourceKey, Arc<str>)> = self
            .objects
            .iter()
            .filter(|(key, seen)| in_feed(&key.group, &key.kind, &key.namespace) && is_shown(&key.name, &seen.version))
            .filter(|(_, seen)| !present.contains(&*seen.uid))
            .map(|(key, seen)| (key.clone(), seen.uid.clone()))
            .collect();
        let mut events: Vec<Event> = gone.into_iter().filter_map(|(key, uid)| self.object_gone(key, &uid)).collect();
        let pods: Vec<Arc<str>> = self
            .pods
            .values()
            .filter(|pod| in_feed("", "Pod", &pod.namespace) && !present.contains(&*pod.uid))
            .map(|pod| pod.uid.clone())
            .collect();
        events.extend(pods.into_iter().filter_map(|uid| self.pod_gone(&uid)));
        events
    }

    /// Takes one object as it is now.
    pub(super) fn changed(&mut self, feed: &FeedKey, item: Item) -> Vec<Event> {
        self.took(feed, item, false)
    }

    fn took(&mut self, feed: &FeedKey, item: Item, is_first: bool) -> Vec<Event> {
        let key = self.key_of(&item.object);
        // Pods and Events may matter although the plan does not name them.
        let more = match (&*feed.gvk.group, &*feed.gvk.kind) {
            ("", "Pod") => self.pod_changed(item.object.wire()),
            ("", "Event") => self.event_came(item.object.wire(), is_first).into_iter().collect(),
            _ => Vec::new(),
        };
        let mut events = key.map(|key| self.object_changed(key, item)).unwrap_or_default();
        events.extend(more);
        events
    }

    /// Takes the last state of an object that is gone.
    pub(super) fn deleted(&mut self, feed: &FeedKey, item: Value) -> Vec<Event> {
        let object = live::completed(item, &feed.gvk);
        let uid: Arc<str> = object.text(&["metadata", "uid"]).into();
        let mut events = Vec::new();
        if let Some(key) = self.key_of(&object) {
            events.extend(self.object_gone(key, &uid));
        }
        if (&*feed.gvk.group, &*feed.gvk.kind) == ("", "Pod") {
            events.extend(self.pod_gone(&uid));
        }
        events
    }

    /// Notes that this operation created a hook; its pods and Events that came before count from now on.
    pub(super) fn created(&mut self, key: &ResourceKey, uid: &str) -> Vec<Event> {
        self.has_written = true;
        self.belonging.note_created(key, uid);
        let waiting: Vec<Pod> = self.pods.values().filter(|pod| !self.shown.contains_key(&pod.uid)).cloned().collect();
        let mut events: Vec<Event> = waiting.into_iter().filter_map(|pod| self.show(pod)).collect();
        events.extend(self.release_held());
        events
    }

    /// Returns whether this operation created a hook.
    pub(super) fn has_created(&self, key: &ResourceKey, uid: &str) -> bool {
        self.belonging.has_created(key, uid)
    }

    /// Notes what a write returned, so that the next one compares with it although the watch may lag behind.
    pub(super) fn written(&mut self, key: &ResourceKey, object: &Object, live: &Live) {
        self.has_written = true;
        let value = object.wire();
        let version = text(&value["metadata"]["resourceVersion"]);
        if self.objects.get(key).is_none_or(|seen| number(&seen.version) <= number(version)) {
            let uid = text(&value["metadata"]["uid"]).into();
            let seen = Seen { uid, version: version.to_owned(), snapshot: Snapshot::of(value), live: Box::new(live.clone()) };
            self.objects.insert(key.clone(), seen);
        }
    }

    /// Returns what is known of an object before it is written.
    pub(super) fn before(&self, key: &ResourceKey, feeds: &[FeedKey]) -> Before {
        match self.objects.get(key) {
            Some(seen) => Before::Present(seen.snapshot.clone()),
            None if feeds.iter().any(|feed| self.listed.contains(feed)) => Before::Absent,
            None => Before::Unknown,
        }
    }

    /// Returns the object of which this is the snapshot, if nothing newer has been seen.
    pub(super) fn live_as(&self, key: &ResourceKey, snapshot: &Snapshot) -> Option<Live> {
        let seen = self.objects.get(key).filter(|seen| seen.version == snapshot.resource_version && *seen.uid == *snapshot.uid)?;
        Some((*seen.live).clone())
    }

    /// Returns whose news an object is, if it has to be judged: it counts, and is not as it was last seen.
    pub(super) fn news(&self, object: &Object) -> Option<ResourceKey> {
        let key = self.key_of(object)?;
        let (uid, version) = (object.text(&["metadata", "uid"]), object.text(&["metadata", "resourceVersion"]));
        self.objects.get(&key).is_none_or(|seen| seen.precedes(uid, version)).then_some(key)
    }

    /// Returns whether nothing newer of an object has been seen.
    pub(super) fn is_as_seen(&self, key: &ResourceKey, object: &Object) -> bool {
        let (uid, version) = (object.text(&["metadata", "uid"]), object.text(&["metadata", "resourceVersion"]));
        self.objects.get(key).is_some_and(|seen| seen.is_of(uid, version))
    }

    /// Takes what is known of an object that was judged once more, if nothing newer has been seen. The same verdict is no news.
    pub(super) fn judged_again(&mut self, key: &ResourceKey, object: &Object, live: Live) -> Vec<Event> {
        let is_as_seen = self.is_as_seen(key, object);
        let Some(seen) = self.objects.get_mut(key).filter(|seen| is_as_seen && seen.live.assessment != live.assessment) else {
            return Vec::new();
        };
        *seen.live = live;
        vec![Event::LiveObserved { key: key.clone(), live: seen.live.clone() }]
    }

    fn key_of(&self, object: &Object) -> Option<ResourceKey> {
        let (gvk, place) = (object.gvk(), |field| object.text(&["metadata", field]));
        self.belonging.key(&gvk.group, &gvk.kind, place("namespace"), place("name"))
    }

    fn object_changed(&mut self, key: ResourceKey, Item { object, live }: Item) -> Vec<Event> {
        let uid: Arc<str> = object.text(&["metadata", "uid"]).into();
        let version = object.text(&["metadata", "resourceVersion"]).to_owned();
        let mut events = Vec::new();
        match self.objects.get(&key) {
            Some(seen) if seen.is_of(&uid, &version) => return vec![Event::LiveObserved { live: seen.live.clone(), key }],
            // Our own write has been here already, and what comes now is older, be it of this object or of the one before it.
            Some(seen) if !seen.precedes(&uid, &version) => return events,
            Some(seen) if seen.uid != uid => {
                let gone = seen.uid.clone();
                events.extend(self.object_gone(key.clone(), &gone));
            }
            Some(_) | None => {}
        }
        // It was not judged because it did not count a moment ago. Whoever makes it count reads it then.
        let Some(live) = live else { return events };
        self.objects.insert(key.clone(), Seen { uid, version, snapshot: Snapshot::of(object.wire()), live: live.clone() });
        events.push(Event::LiveObserved { key, live });
        events
    }

    fn object_gone(&mut self, key: ResourceKey, uid: &Arc<str>) -> Option<Event> {
        if self.objects.get(&key).is_some_and(|seen| seen.uid == *uid) {
            self.objects.remove(&key);
        }
        Some(Event::LiveGone { key, uid: uid.clone() })
    }

    fn pod_changed(&mut self, item: &Value) -> Vec<Event> {
        let pod = live::pod(item);
        if self.belonging.of_pod(&pod) == Belongs::Nobody {
            return Vec::new();
        }
        if self.pods.get(&pod.uid) == Some(&pod) {
            return Vec::new();
        }
        self.pods.insert(pod.uid.clone(), pod.clone());
        let is_new = !self.shown.contains_key(&pod.uid);
        let mut events: Vec<Event> = self.show(pod).into_iter().collect();
        if is_new && !events.is_empty() {
            events.extend(self.release_held());
        }
        events
    }

    fn show(&mut self, pod: Pod) -> Option<Event> {
        let Belongs::To(owner) = self.belonging.of_pod(&pod) else { return None };
        self.shown.insert(pod.uid.clone(), owner.clone());
        Some(Event::PodObserved { pod: view(pod, owner) })
    }

    fn pod_gone(&mut self, uid: &Arc<str>) -> Option<Event> {
        let pod = self.pods.remove(uid)?;
        self.shown.get(uid)?;
        Some(Event::PodGone { namespace: pod.namespace, name: pod.name, uid: uid.clone() })
    }

    /// What comes after a first list is news whatever its time says: the clocks of this machine and of the cluster need not agree.
    fn event_came(&mut self, item: &Value, is_first: bool) -> Option<Event> {
        let metadata = &item["metadata"];
        let version = text(&metadata["resourceVersion"]).to_owned();
        if self.events.insert(text(&metadata["uid"]).to_owned(), version.clone()) == Some(version) {
            return None;
        }
        let event = live::event(item);
        if is_first && (!self.has_written || event.at.is_some_and(|at| at < self.since)) {
            return None;
        }
        match self.owner_of_event(&event) {
            Belongs::To(owner) => Some(occurred(event, owner)),
            Belongs::Unclear => {
                self.held.push_back(event);
                if self.held.len() > HELD {
                    self.held.pop_front();
                }
                None
            }
            Belongs::Nobody => None,
        }
    }

    fn owner_of_event(&self, event: &ClusterEvent) -> Belongs {
        if let Some(owner) = self.shown.get(&event.about.uid) {
            return Belongs::To(owner.clone());
        }
        match self.belonging.of(&event.namespace, &event.about) {
            // The pod may come on its own watch a moment later.
            Belongs::Nobody if (&*event.about.group, &*event.about.kind) == ("", "Pod") => Belongs::Unclear,
            found => found,
        }
    }

    fn release_held(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for event in std::mem::take(&mut self.held) {
            match self.owner_of_event(&event) {
                Belongs::To(owner) => events.push(occurred(event, owner)),
                Belongs::Unclear => self.held.push_back(event),
                Belongs::Nobody => {}
            }
        }
        events
    }
}

fn number(version: &str) -> u64 {
    version.parse().unwrap_or_default()
}

fn view(pod: Pod, owner: ResourceKey) -> PodView {
    PodView {
        namespace: pod.namespace,
        name: pod.name,
        uid: pod.uid,
        owner,
        phase: pod.phase,
        created: pod.created,
        deleting: pod.deleting,
        unscheduled: pod.unscheduled,
        containers: pod.containers,
    }
}

fn occurred(event: ClusterEvent, owner: ResourceKey) -> Event {
    let about = ResourceKey { group: event.about.group, kind: event.about.kind, namespace: event.namespace, name: event.about.name };
    Event::Occurred {
        occurrence: Occurrence {
            about,
            owner,
            warning: event.warning,
            reason: event.reason,
            message: event.message,
            count: event.count,
            at: event.at,
        },
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use serde_json::json;

    use super::*;
    use crate::cluster::fake;

    fn feed(version: &str, kind: &str) -> FeedKey {
        FeedKey { gvk: Gvk::new(version, kind), namespace: "shop".into() }
    }

    fn job_key() -> ResourceKey {
        ResourceKey::new("batch", "Job", "shop", "migrate")
    }

    fn observer() -> Observer {
        let job = Wanted { key: job_key(), gvk: Gvk::new("batch/v1", "Job"), hook: true };
        let config = Wanted { key: ResourceKey::new("", "ConfigMap", "shop", "a"), gvk: Gvk::new("v1", "ConfigMap"), hook: false };
        Observer::new(vec![job, config], fake::epoch())
    }

    /// Like the watch, judges whatever comes.
    fn item(feed: &FeedKey, value: Value) -> Item {
        let object = live::completed(value, &feed.gvk);
        let live = fake::judge().live(&object).now_or_never().expect("native rules answer at once");
        Item { object, live: Some(Box::new(live)) }
    }

    fn listed(feed: &FeedKey, items: Vec<Value>, as_of: u64) -> Listed<Item> {
        Listed { items: items.into_iter().map(|value| item(feed, value)).collect(), as_of, unread: BTreeSet::new() }
    }

    fn object(name: &str, uid: &str, version: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": version}})
    }

    fn pod(uid: &str, job: &str, phase: &str) -> Value {
        let owner = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "migrate", "uid": job, "controller": true}]);
        json!({"metadata": {"name": format!("migrate-{uid}"), "namespace": "shop", "uid": uid, "ownerReferences": owner}, "status": {"phase": phase}})
    }

    fn pod_event(uid: &str, pod: &str, at: &str) -> Value {
        json!({"metadata": {"uid": uid, "resourceVersion": "1"}, "lastTimestamp": at, "reason": "Started", "message": "m",
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": format!("migrate-{pod}"), "uid": pod}})
    }

    fn names(events: &[Event]) -> Vec<&'static str> {
        let name = |event: &Event| match event {
            Event::LiveObserved { .. } => "seen",
            Event::LiveGone { .. } => "gone",
            Event::PodObserved { .. } => "pod",
            Event::PodGone { .. } => "pod gone",
            Event::Occurred { .. } => "event",
            _ => "other",
        };
        events.iter().map(name).collect()
    }

    #[test]
    fn only_objects_of_the_plan_are_seen_and_a_new_list_tells_what_is_gone() {
        let mut observer = observer();
        let configs = feed("v1", "ConfigMap");
        assert_eq!(observer.before(&ResourceKey::new("", "ConfigMap", "shop", "a"), std::slice::from_ref(&configs)), Before::Unknown);
        assert_eq!(
            names(&observer.replaced(&configs, listed(&configs, vec![object("a", "u1", "5"), object("other", "u2", "6")], 100))),
            ["seen"]
        );
        assert!(matches!(
            observer.before(&ResourceKey::new("", "ConfigMap", "shop", "a"), std::slice::from_ref(&configs)),
            Before::Present(_)
        ));
        assert_eq!(
            names(&observer.changed(&configs, item(&configs, object("a", "u3", "9")))),
            ["gone", "seen"],
            "another object of the same name"
        );
        assert_eq!(names(&observer.replaced(&configs, listed(&configs, vec![], 100))), ["gone"]);
        assert_eq!(observer.before(&ResourceKey::new("", "ConfigMap", "shop", "a"), &[configs]), Before::Absent);
    }

    #[test]
    fn what_is_older_than_our_own_write_is_not_told() {
        let mut observer = observer();
        let configs = feed("v1", "ConfigMap");
        let key = ResourceKey::new("", "ConfigMap", "shop", "a");
        let written = Object::new(object("a", "u1", "8"));
        let live = item(&configs, written.wire().clone()).live.unwrap();
        observer.written(&key, &written, &live);
        assert!(observer.changed(&configs, item(&configs, object("a", "u1", "7"))).is_empty());
        assert_eq!(names(&observer.changed(&configs, item(&configs, object("a", "u1", "8")))), ["seen"]);
    }

    #[test]
    fn a_list_that_is_older_than_a_write_takes_nothing_back() {
        let mut observer = observer();
        let configs = feed("v1", "ConfigMap");
        let key = ResourceKey::new("", "ConfigMap", "shop", "a");
        observer.replaced(&configs, listed(&configs, vec![object("a", "u1", "5")], 5));
        let Item { object: written, live } = item(&configs, object("a", "u2", "8"));
        observer.written(&key, &written, &live.unwrap());
        assert!(observer.replaced(&configs, listed(&configs, vec![object("a", "u1", "5")], 7)).is_empty());
        assert!(observer.replaced(&configs, listed(&configs, vec![], 7)).is_empty());
        assert!(observer.changed(&configs, item(&configs, object("a", "u1", "6"))).is_empty(), "late news of the object before");
        let Before::Present(snapshot) = observer.before(&key, &[]) else { panic!("it is there") };
        assert_eq!((snapshot.uid.as_str(), observer.newest()), ("u2", 8));
        let unread = Listed { items: vec![], as_of: 9, unread: [Arc::from("a")].into() };
        assert!(observer.replaced(&configs, unread).is_empty(), "what could not be read is not gone");
        assert_eq!(names(&observer.replaced(&configs, listed(&configs, vec![], 8))), ["gone"]);
    }

    #[test]
    fn a_pod_and_its_events_that_come_before_the_hooks_uid_is_known_are_told_as_soon_as_it_is() {
        let mut observer = observer();
        let (pods, events) = (feed("v1", "Pod"), feed("v1", "Event"));
        assert!(observer.changed(&events, item(&events, pod_event("e1", "p1", "2026-03-01T09:00:01Z"))).is_empty());
        assert!(observer.changed(&pods, item(&pods, pod("p0", "old", "Failed"))).is_empty(), "a pod of an earlier Job of this name");
        assert!(observer.changed(&pods, item(&pods, pod("p1", "new", "Pending"))).is_empty());
        assert_eq!(names(&observer.created(&job_key(), "new")), ["pod", "event"]);
        assert_eq!(names(&observer.changed(&pods, item(&pods, pod("p1", "new", "Running")))), ["pod"]);
        assert!(observer.changed(&pods, item(&pods, pod("p1", "new", "Running"))).is_empty(), "nothing changed");
        assert_eq!(names(&observer.changed(&events, item(&events, pod_event("e2", "p1", "2026-03-01T09:00:02Z")))), ["event"]);
        assert_eq!(names(&observer.replaced(&pods, listed(&pods, vec![], 100))), ["pod gone"], "only of pods that were told");
    }

    fn about(uid: &str, version: &str, at: &str) -> Value {
        json!({"metadata": {"uid": uid, "resourceVersion": version}, "lastTimestamp": at,
            "involvedObject": {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "a", "uid": "u"}})
    }

    #[test]
    fn events_are_told_once_and_not_if_they_were_there_before_the_operation() {
        let mut observer = observer();
        let events = feed("v1", "Event");
        let first = listed(&events, vec![about("e0", "1", "2026-03-01T08:59:58Z"), about("e1", "1", "2026-03-01T09:00:01Z")], 100);
        assert!(observer.replaced(&events, first).is_empty(), "nothing has been written, so none of them is about that");
        let again = listed(&events, vec![about("e1", "1", "2026-03-01T09:00:01Z"), about("e2", "3", "2026-03-01T09:00:02Z")], 101);
        assert_eq!(names(&observer.replaced(&events, again)), ["event"], "the one that is new");
        assert!(observer.changed(&events, item(&events, about("e2", "3", "2026-03-01T09:00:02Z"))).is_empty());
        let later = item(&events, about("e0", "4", "2026-03-01T09:00:05Z"));
        assert_eq!(names(&observer.changed(&events, later)), ["event"], "it happened again");
    }

    #[test]
    fn of_a_first_list_of_events_that_comes_late_what_is_older_than_the_operation_is_not_told() {
        let mut observer = observer();
        let events = feed("v1", "Event");
        observer.created(&job_key(), "new");
        let late = listed(&events, vec![about("e0", "1", "2026-03-01T08:59:58Z"), about("e1", "1", "2026-03-01T09:00:01Z")], 100);
        assert_eq!(names(&observer.replaced(&events, late)), ["event"]);
    }

    /// A machine that has slept may be minutes ahead of the cluster.
    #[test]
    fn an_event_that_comes_after_the_first_list_counts_whatever_the_clocks_say() {
        let mut observer = observer();
        let events = feed("v1", "Event");
        assert!(observer.replaced(&events, listed(&events, vec![], 100)).is_empty());
        let slow = item(&events, about("e0", "101", "2026-03-01T08:57:00Z"));
        assert_eq!(names(&observer.changed(&events, slow)), ["event"]);
    }
}
