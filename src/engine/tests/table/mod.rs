//! The table of whole operations, played by a session on the embedded cluster: requests, watches, answers, pods, and virtual time. Which objects
//! were made in which order is asked of the cluster, too.

mod cast;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::stage::{LONG, Stage};
use crate::engine::rules::{RuleSources, of_config};
use crate::engine::session::{Answer, Ask};
use crate::model::{OperationPhase, ResourceKey, annotation};
use crate::operation::tests::spec::{Fate, resource};
use crate::operation::tests::table::{self, Act, Played, Rows, Scenario, When};
use crate::operation::{Event, Request, StepOutcome};
use crate::plan::{Kind, NewNamespace};
use crate::sim::{DeleteOptions, Outcome, Store};

struct Player<'a> {
    row: &'a Scenario,
    stage: Stage,
    /// What the cluster had seen when the operation began.
    revision: u64,
}

/// A cluster as the row finds it: what the app has comes from an earlier sync, what hooks have left comes from somebody.
async fn prepare(row: &Scenario) -> Player<'_> {
    let rules = cast::scripted(row);
    let setup = &row.setup;
    let earlier: Vec<_> = setup.candidates.iter().chain(&setup.unmodified).collect();
    let mut stage = Stage::of_story(&cast::story(row), &cast::manifests(earlier.iter().copied(), &rules), |opening| {
        opening.app = "shop".into();
        opening.revision = Some("0123456789abcdef".into());
        opening.rules = RuleSources::new(of_config(&rules, str::to_owned, opening.clock).unwrap(), None);
    });
    if !earlier.is_empty() {
        assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded, "the earlier sync: {:#?}", stage.tail());
    }
    for spec in &setup.leftovers {
        let mut object = cast::manifest(spec, &rules);
        object["metadata"]["namespace"] = "shop".into();
        stage.sim.store().create("somebody", object).unwrap();
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    for (short, finalizer) in &setup.held {
        change(row, stage.sim.store(), short, |object| match object["metadata"]["finalizers"].as_array_mut() {
            Some(list) => list.push((*finalizer).into()),
            None => object["metadata"]["finalizers"] = json!([finalizer]),
        });
    }
    for key in setup.leaving.iter().map(|short| cast::find(row, short).key()) {
        stage.sim.store().delete(&key.group, &cast::plural(&key), &key.namespace, &key.name, &DeleteOptions::default()).unwrap();
    }
    if let NewNamespace::Unclear(error) = &setup.new_namespace {
        stage.fault("get", "namespaces", Outcome::Status { code: 500, reason: "InternalError", message: error.clone() });
    }
    // A target without any manifest is refused; one that is skipped has no task (T3).
    let nothing = resource("ConfigMap", "nothing").hooked("Skip");
    stage.write(&cast::manifests(setup.specs.iter().chain(setup.specs.is_empty().then_some(&nothing)), &rules));
    let faults = row.refusals.iter().map(|refusal| cast::fault(row, refusal, true));
    faults.chain(cast::refused(row)).for_each(|rule| stage.sim.faults().add(rule));
    let revision = stage.sim.store().revision().update();
    for spec in cast::all(row).filter(|spec| matches!(spec.fate, Fate::Vanishes(_))) {
        let Fate::Vanishes(after) = spec.fate else { continue };
        stage.tasks.spawn(vanish(stage.sim.store().clone(), spec.key(), Duration::from_secs(after.into())));
    }
    Player { row, stage, revision }
}

fn change(row: &Scenario, store: &Store, short: &str, change: impl FnOnce(&mut Value)) {
    let key = cast::find(row, short).key();
    store.update("somebody", &key.group, &cast::plural(&key), &key.namespace, &key.name, change).unwrap();
}

fn take_away(store: &Store, key: &ResourceKey) {
    let plural = cast::plural(key);
    let freed =
        store.update("somebody", &key.group, &plural, &key.namespace, &key.name, |object| object["metadata"]["finalizers"] = json!([]));
    if freed.is_ok() {
        // What was in deletion has gone with its last finalizer.
        let _gone = store.delete(&key.group, &plural, &key.namespace, &key.name, &DeleteOptions::default());
    }
}

/// Somebody takes an object away so long after it was made.
async fn vanish(store: Store, key: ResourceKey, after: Duration) {
    while store.get(&key.group, &cast::plural(&key), &key.namespace, &key.name).is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(after).await;
    take_away(&store, &key);
}

impl Player<'_> {
    async fn start(&mut self) {
        let mut request = self.row.setup.request.clone();
        if self.row.setup.new_namespace != NewNamespace::No {
            request.options = request.options.switched("CreateNamespace=true", true);
        }
        if !self.row.setup.unmodified.is_empty() {
            request.options = request.options.switched("ApplyOutOfSyncOnly=true", true);
        }
        let ask = match self.row.setup.kind {
            Kind::Sync => Ask::Sync { request },
            Kind::Delete => Ask::Delete { request },
        };
        self.stage.ask(ask).await;
        match self.stage.answer().await {
            Answer::Started { .. } => {}
            other => panic!("{other:?}"),
        }
        // What is still told of an earlier sync is none of its business.
        self.stage.until(|event| matches!(event, Event::OperationStarted { .. })).await;
        self.stage.records.drain(..self.stage.records.len() - 1);
    }

    async fn until_told(&mut self, text: &str) {
        let told = async {
            loop {
                self.stage.take(|_| true).await;
                if self.stage.operation.as_ref().is_some_and(|operation| table::is_told(text, operation.message())) {
                    return;
                }
            }
        };
        if tokio::time::timeout(LONG, told).await.is_err() {
            panic!("it never said {text:?}: {:#?}", self.stage.tail());
        }
    }

    /// Returns how many facts there were.
    async fn until(&mut self, when: When) -> usize {
        let is_end = |event: &Event| matches!(event, Event::OperationFinished { .. });
        match when {
            When::Told(text) => self.until_told(text).await,
            When::After(seconds) => {
                let _over = tokio::time::timeout(Duration::from_secs(seconds), self.stage.take(is_end)).await;
            }
            When::Ended => self.stage.until(is_end).await,
        }
        let count = self.stage.records.len();
        if matches!(when, When::Ended) {
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        count
    }

    async fn perform(&mut self, act: &Act) {
        let by = || "olga".to_owned();
        let store = self.stage.sim.store().clone();
        match act {
            Act::Terminate => self.stage.ask(Ask::Terminate { by: by() }).await,
            Act::Approve => {
                let keys = self.stage.operation.as_ref().unwrap().unconfirmed();
                self.stage.ask(Ask::Approve { keys, by: by() }).await;
            }
            Act::Delete(short) => {
                let key = cast::find(self.row, short).key();
                store.delete(&key.group, &cast::plural(&key), &key.namespace, &key.name, &DeleteOptions::default()).unwrap();
            }
            Act::Free(short) => change(self.row, &store, short, |object| object["metadata"]["finalizers"] = json!([])),
            Act::Becomes(short, fate) => change(self.row, &store, short, cast::says(short, self.row, fate)),
            Act::Refuse(refusal) => self.stage.sim.faults().add(cast::fault(self.row, refusal, false)),
            Act::Relent => self.stage.sim.faults().clear(),
        }
    }

    /// Kinds of the row, with an example of each.
    fn kinds(&self) -> BTreeMap<(String, String), ResourceKey> {
        let mut kinds: BTreeMap<(String, String), ResourceKey> =
            cast::all(self.row).map(|spec| ((spec.key().group.to_string(), cast::plural(&spec.key())), spec.key())).collect();
        if self.row.setup.new_namespace == NewNamespace::Yes {
            kinds.insert((String::new(), "namespaces".to_owned()), ResourceKey::new("", "Namespace", "", "shop"));
        }
        kinds
    }

    /// Objects of the row's kinds that nobody else has made, by key.
    fn left(&self) -> BTreeMap<ResourceKey, Value> {
        let mut left = BTreeMap::new();
        for ((group, plural), example) in self.kinds() {
            for object in self.stage.sim.store().list(&group, &plural, None) {
                let name = object["metadata"]["name"].as_str().unwrap();
                let is_other = object["metadata"]["ownerReferences"].as_array().is_some_and(|owners| !owners.is_empty())
                    || ["kube-root-ca.crt", "default"].contains(&name)
                    || name.starts_with("kube-");
                if !is_other {
                    left.insert(ResourceKey::new(&group, &example.kind, &example.namespace, name), Value::clone(&object));
                }
            }
        }
        left
    }

    /// What the cluster has created since the operation began, in order.
    fn made(&self) -> Vec<String> {
        let kinds = self.kinds();
        let changes = self.stage.sim.store().changes_since(self.revision).unwrap();
        let made = changes.iter().filter(|change| change.before.is_none()).filter_map(|change| {
            let example = kinds.get(&(change.gr.group.to_string(), change.gr.plural.to_string()))?;
            let is_owned = change.after.as_ref()?["metadata"]["ownerReferences"].is_array();
            (!is_owned && !change.name.starts_with("kube-")).then(|| format!("{}/{}", example.kind, change.name))
        });
        made.collect()
    }

    /// Every creation that a fact tells of has happened, in that order, and no other one.
    fn check_creations(&self) {
        let mut begun: Vec<(String, bool)> = Vec::new();
        for record in &self.stage.records {
            match &record.event {
                Event::StepStarted { task, step: crate::operation::Step::Apply } => begun.push((task.key.short(), false)),
                Event::StepFinished { task, step: crate::operation::Step::Apply, outcome: StepOutcome::Done { message, .. } } => {
                    let short = task.key.short();
                    let own = begun.iter_mut().rev().find(|(name, _)| *name == short).unwrap();
                    own.1 = message.ends_with(" created");
                }
                _ => {}
            }
        }
        let told: Vec<String> = begun.into_iter().filter(|(_, is_made)| *is_made).map(|(short, _)| short).collect();
        assert_eq!(self.made(), told, "creations, as the cluster and as the facts have it");
    }
}

async fn play(row: &Scenario) {
    let mut player = prepare(row).await;
    player.start().await;
    let mut moments = Vec::new();
    for point in &row.points {
        moments.push(player.until(point.when).await);
        for act in &point.acts {
            player.perform(act).await;
        }
    }
    player.check_creations();
    let left = player.left();
    let is_locked = |object: &Value| {
        let finalizers = object["metadata"]["finalizers"].as_array().into_iter().flatten();
        finalizers.filter_map(Value::as_str).any(annotation::is_hook_finalizer)
    };
    let locked: BTreeSet<String> = left.iter().filter(|(_, object)| is_locked(object)).map(|(key, _)| key.short()).collect();
    row.check(&Played {
        records: player.stage.records.iter().map(|record| (**record).clone()).collect(),
        moments,
        left: left.keys().map(ResourceKey::short).collect(),
        locked: locked.into_iter().collect(),
    });
    if player.stage.operation.as_ref().is_some_and(|operation| operation.finished_at().is_none()) {
        player.perform(&Act::Terminate).await;
        player.until(When::Ended).await;
    }
    player.stage.close().await;
}

macro_rules! played {
    ($($file:ident: $($name:ident),+;)+) => {
        $($(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                for row in &table::$file::$name().rows() {
                    play(row).await;
                }
            }
        )+)+
    };
}
table::each_row!(played);
