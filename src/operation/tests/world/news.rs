//! What the watches of the pretended cluster tell, late or wrongly, and what other hands do between two looks.

use super::{Event, Operation, Thing, VecDeque, World};
use crate::model::ResourceKey;

const FOREIGN: &str = "example.com/backup";

impl World {
    /// From now on the watches are as late as [`World::hear`] says, also with what answers have told already.
    pub(in crate::operation::tests) fn watch_lazily(&mut self) {
        self.unheard.get_or_insert_default();
    }

    /// The oldest news of the watches comes in; returns whether there was any.
    pub(in crate::operation::tests) fn hear(&mut self) -> bool {
        let event = self.unheard.as_mut().and_then(VecDeque::pop_front);
        event.map(|event| self.publish(event)).is_some()
    }

    pub(super) fn tell(&mut self, event: Event) {
        match &mut self.unheard {
            Some(unheard) => unheard.push_back(event),
            None => self.publish(event),
        }
    }

    /// A write is news for the watches too, which nobody hears who is told everything at once.
    pub(super) fn tell_of_write(&mut self, key: &ResourceKey) {
        if let (Some(unheard), Some(thing)) = (&mut self.unheard, self.things.get(key)) {
            unheard.push_back(Event::LiveObserved { key: key.clone(), live: Box::new(thing.live.clone()) });
        }
    }

    /// The program dies and comes back with nothing but what it has published.
    pub(in crate::operation::tests) fn rebuild(&mut self) {
        let mut rebuilt = Operation::start(&self.history[0]).unwrap();
        self.history[1..].iter().for_each(|record| rebuilt.apply(record));
        self.op = rebuilt;
    }

    /// Everything begins anew, and no watch has opened yet.
    pub(in crate::operation::tests) fn close_watches(&mut self) {
        self.history.truncate(1);
        self.rebuild();
    }

    /// The view loses one of the objects that are there.
    pub(in crate::operation::tests) fn lose_one(&mut self, pick: usize) {
        let Some((key, thing)) = self.things.iter().nth(pick % self.things.len().max(1)) else { return };
        let event = Event::LiveGone { key: key.clone(), uid: thing.live.uid.clone() };
        self.publish(event);
    }

    /// A new list shows everything that is there, also what the view has lost.
    pub(in crate::operation::tests) fn find_all(&mut self) {
        let all: Vec<_> = self.things.iter().map(|(key, thing)| (key.clone(), thing.live.clone())).collect();
        for (key, live) in all {
            self.tell(Event::LiveObserved { key, live: Box::new(live) });
        }
    }

    /// Somebody else deletes one of the objects that are there.
    pub(in crate::operation::tests) fn delete_one(&mut self, pick: usize) {
        let Some((key, thing)) = self.things.iter().nth(pick % self.things.len().max(1)) else { return };
        if thing.live.deletion.is_some() {
            return;
        }
        let (key, uid) = (key.clone(), thing.live.uid.clone());
        self.delete(&key, &uid);
        let live = Box::new(self.things[&key].live.clone());
        self.tell(Event::LiveObserved { key, live });
    }

    /// Somebody else puts a finalizer on one of the objects that are there.
    pub(in crate::operation::tests) fn hold_one(&mut self, pick: usize) {
        let count = self.things.len().max(1);
        let Some((key, thing)) = self.things.iter_mut().nth(pick % count) else { return };
        self.serial += 1;
        thing.live.resource_version = self.serial;
        thing.live.finalizers.push(FOREIGN.to_owned());
        let event = Event::LiveObserved { key: key.clone(), live: Box::new(thing.live.clone()) };
        self.tell(event);
    }

    /// And takes all of them off again.
    pub(in crate::operation::tests) fn release_all(&mut self) {
        self.things.values_mut().for_each(|thing| thing.live.finalizers.retain(|name| name != FOREIGN));
    }

    /// Returns whether the operation goes on for ever without saying what it waits for: nothing is out, nothing is news, no time is up.
    pub(in crate::operation::tests) fn is_silent(&self) -> bool {
        let is_idle = self.queue.is_empty() && self.unheard.as_ref().is_none_or(VecDeque::is_empty);
        let is_explained = !self.op.waiting.on.is_empty() || self.op.paused().is_some() || self.op.respite().is_some();
        is_idle && self.op.finished_at().is_none() && !is_explained && self.op.wake_at(self.now).is_none()
    }

    /// Somebody takes the finalizers off an object and deletes it, between two looks.
    pub(in crate::operation::tests) fn take_away(&mut self, short: &str) {
        let key = self.key(short);
        let uid = self.things.remove(&key).unwrap().live.uid;
        self.publish(Event::LiveGone { key, uid });
    }

    /// The same, and the watch has not told it yet.
    pub(in crate::operation::tests) fn take_away_unheard(&mut self, short: &str) {
        let key = self.key(short);
        self.things.remove(&key);
    }

    /// Another app tracks an object.
    pub(in crate::operation::tests) fn belongs_to(&mut self, short: &str, app: &str) {
        let key = self.key(short);
        let thing = self.things.get_mut(&key).unwrap();
        thing.live.app = Some(app.into());
        let live = Box::new(thing.live.clone());
        self.publish(Event::LiveObserved { key, live });
    }

    /// Objects that carry a finalizer of this operation.
    pub(in crate::operation::tests) fn locked(&self) -> Vec<String> {
        let is_mine = |thing: &Thing| thing.live.operation.as_ref() == Some(self.op.id()) && thing.live.has_hook_finalizer();
        self.things.iter().filter(|(_, thing)| is_mine(thing)).map(|(key, _)| key.short()).collect()
    }
}
