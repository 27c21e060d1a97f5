//! Following without a watch: reads again and again where a kind may be listed only, and asks for each object by its name where not
//! even that. Owns what is said of what stays unseen; knows no streams, and decides nothing about pauses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Access, Feed, Listed, POLL, Sink, TELL_AFTER, Trouble};
use crate::cluster::apply::Spot;
use crate::cluster::retry::is_transient;
use crate::cluster::wire::{CallError, with_query};

/// How long after a watch that did not open it is tried again, while lists are answered.
const RETRY: Duration = Duration::from_secs(20);
/// How many objects a warning names.
const NAMED: usize = 5;

/// What is known of a watch that does not open.
#[derive(Default)]
pub(super) struct StandIn {
    is_told: bool,
    /// It seemed to open, so it is not trusted at once a second time.
    has_opened: bool,
}

impl<S: Sink> Feed<S> {
    pub(super) async fn poll_list(&self) {
        self.sink.opened(Access::Polled);
        let mut trouble = Trouble::with("read");
        loop {
            self.cluster.clock().sleep(POLL).await;
            match self.list().await {
                Ok((listed, _)) => {
                    trouble.failures = 0;
                    self.sink.works();
                    self.sink.replaced(listed).await;
                }
                Err(error) => self.pause(&mut trouble, &error).await,
            }
        }
    }

    /// Stands in for a watch that does not open, until it does: reads the kind again and again, and tries the watch beside that. Often it
    /// opens at once, because the server had only been away.
    pub(super) async fn stand_in(&self, error: &CallError, state: &mut StandIn) {
        let clock = self.cluster.clock();
        let opened = self.when_it_opens(state.has_opened);
        tokio::pin!(opened);
        loop {
            tokio::select! {
                biased;
                () = &mut opened => break,
                () = clock.sleep(POLL) => {}
            }
            self.tell_standing_in(error, state);
            // What else is wrong is found by the list that follows.
            let Ok((listed, _)) = self.list().await else { return };
            self.sink.replaced(listed).await;
        }
        state.has_opened = true;
    }

    /// Comes back when a watch begins to be answered; what it brings is left to the one that follows.
    async fn when_it_opens(&self, is_patient: bool) {
        let query = [("watch", "true"), ("timeoutSeconds", "1")];
        if is_patient {
            self.cluster.clock().sleep(RETRY).await;
        }
        while self.cluster.wire.stream(&with_query(&self.path(), &query)).await.is_err() {
            self.cluster.clock().sleep(RETRY).await;
        }
    }

    fn tell_standing_in(&self, error: &CallError, state: &mut StandIn) {
        self.sink.opened(Access::Watched);
        if !std::mem::replace(&mut state.is_told, true) {
            self.sink.trouble(format!("{} cannot be watched: {error}; reading them every {} s instead", self.title(), POLL.as_secs()));
        }
    }

    /// Asks for each object by its name: the least that a plan needs to be allowed.
    pub(super) async fn poll_names(&self, why: Option<CallError>) {
        if let Some(text) = why.filter(|_| !self.was_blind).and_then(|error| self.what_stays_hidden(&error)) {
            self.sink.trouble(text);
        }
        if self.sink.names().is_empty() {
            return self.sink.opened(Access::Blind);
        }
        let mut told = BTreeSet::new();
        let mut failures = 0;
        loop {
            let as_of = self.sink.newest();
            let (mut items, mut unread) = (Vec::new(), BTreeMap::new());
            for name in self.sink.names() {
                let spot = Spot { resource: &self.resource, namespace: &self.namespace, name: &name };
                match self.hearing(self.cluster.wire.get(&spot.path()).await) {
                    Ok(item) => items.push(item),
                    Err(error) if error.is_not_found() => {}
                    Err(error) => drop(unread.insert(name, error)),
                }
            }
            failures = if unread.is_empty() { 0 } else { failures + 1 };
            self.tell_unread(&unread, failures >= TELL_AFTER, &mut told);
            self.sink.replaced(Listed { items, as_of, unread: unread.into_keys().collect() }).await;
            self.sink.opened(Access::Polled);
            self.cluster.clock().sleep(POLL).await;
        }
    }

    /// Returns what nobody will see because a kind may not be listed.
    fn what_stays_hidden(&self, error: &CallError) -> Option<String> {
        let what = match (&*self.resource.gvk.group, &*self.resource.gvk.kind) {
            ("", "Pod") => "neither the pods of hooks nor their logs can be shown",
            ("", "Event") => "what the cluster reports about objects cannot be shown",
            _ if self.sink.names().is_empty() => "nothing of them is seen",
            _ => return None,
        };
        Some(format!("{} cannot be listed, so {what}: {error}", self.title()))
    }

    /// Says once of each object that it cannot be read. What goes away by itself is said only if it does not.
    fn tell_unread(&self, unread: &BTreeMap<Arc<str>, CallError>, lasts: bool, told: &mut BTreeSet<Arc<str>>) {
        let is_news = |name: &Arc<str>, error: &CallError| (lasts || !is_transient(error)) && !told.contains(name);
        let news: Vec<(Arc<str>, &CallError)> =
            unread.iter().filter(|(name, error)| is_news(name, error)).map(|(name, error)| (name.clone(), error)).collect();
        let Some((_, error)) = news.first() else { return };
        let names: Vec<&str> = news.iter().take(NAMED).map(|(name, _)| &**name).collect();
        let more = if news.len() > NAMED { format!(" and {} more", news.len() - NAMED) } else { String::new() };
        self.sink.trouble(format!("{} cannot be read ({}{more}), so their state is not known: {error}", self.title(), names.join(", ")));
        told.extend(news.into_iter().map(|(name, _)| name));
    }
}
