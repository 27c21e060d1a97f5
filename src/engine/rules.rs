//! By which health rules a session judges: those of the configuration, of the cluster's `argocd-cm`, and of a folder, in this order. Owns the
//! way from there to the judge of an operation; what a rule says is known in `crate::health`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::Value;

use crate::clock::Clock;
use crate::cluster::apply::Spot;
use crate::cluster::connect::connect;
use crate::cluster::{Cluster, Judge, Reporter, Resource, judge, locked};
use crate::health;
use crate::health::script::{Customization, Limits, Scripts};
use crate::manifest::customization::{self, Customizations, Customized};
use crate::model::{Assessment, Gvk, Object, ResourceKey, UnknownKinds};

/// The name that Argo CD reads.
const CONFIG_MAP: &str = "argocd-cm";

/// How many rules that cannot be compiled are told of.
const NAMED: usize = 5;

/// Rules as they were read, and what they were compiled to.
type Compiled = (Vec<Customized>, Arc<Scripts>);

/// Where the health rules of a session come from. Cloning shares what is compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleSources {
    config: Option<Arc<Scripts>>,
    /// The namespace of the `argocd-cm`.
    argocd_cm: Option<String>,
    folder: Option<Arc<Scripts>>,
    unknown_kinds: UnknownKinds,
    /// The rules of the `argocd-cm` that was read last, so that they are compiled again only if they have changed.
    last: Arc<Mutex<Option<Compiled>>>,
}

impl RuleSources {
    /// Takes the rules of the configuration, then those of a folder.
    pub(crate) fn new(config: Option<Scripts>, folder: Option<Scripts>) -> Self {
        Self { config: config.map(Arc::new), folder: folder.map(Arc::new), ..Self::default() }
    }

    /// Says how kinds without a rule are judged.
    pub(crate) fn of_unknown_kinds(self, unknown_kinds: UnknownKinds) -> Self {
        Self { unknown_kinds, ..self }
    }

    /// Reads the `argocd-cm` of a namespace too.
    pub(crate) fn with_argocd_cm(self, namespace: Option<String>) -> Self {
        Self { argocd_cm: namespace, ..self }
    }

    /// Returns the `argocd-cm` that is read.
    pub(super) fn config_map(&self) -> Option<ResourceKey> {
        self.argocd_cm.as_deref().map(|namespace| ResourceKey::new("", "ConfigMap", namespace, CONFIG_MAP))
    }

    /// Reads what the cluster says about kinds. What cannot be read is told in its notes, and stops nothing.
    pub(crate) async fn read(&self, cluster: &Cluster) -> Customizations {
        let Some(namespace) = &self.argocd_cm else { return Customizations::default() };
        let (name, resource) = (format!("{namespace}/{CONFIG_MAP}"), Resource::core("ConfigMap", "configmaps"));
        let spot = Spot { resource: &resource, namespace, name: CONFIG_MAP };
        let only = |note| Customizations { notes: vec![note], ..Customizations::default() };
        match cluster.get(spot, &Reporter::default()).await {
            Ok(Some(object)) => customization::read(&name, &data(&object)),
            Ok(None) => only(format!(
                "the ConfigMap {name} does not exist, so no customizations come from it; \
                 correct `argocd_cm` of the section [health], or leave it out"
            )),
            Err(error) => only(format!(
                "the ConfigMap {name} cannot be read, so no customizations come from it: {error}; \
                 ask for the permission to get it, or leave `argocd_cm` of the section [health] out"
            )),
        }
    }

    /// Returns the rules in force where there is no session, and what to say about them.
    pub(crate) async fn without_session(
        &self,
        kubeconfig: Option<&Path>,
        context: Option<&str>,
        clock: Clock,
    ) -> (health::Rules, Vec<String>) {
        let mut found = match &self.argocd_cm {
            None => Customizations::default(),
            Some(namespace) => match connect(kubeconfig, context, clock).await {
                Ok(connection) => self.read(&Cluster::new(connection.client, clock, judge(health::Rules::default()))).await,
                Err(error) => Customizations {
                    notes: vec![format!("the ConfigMap {namespace}/{CONFIG_MAP} is not asked for customizations: {error}")],
                    ..Customizations::default()
                },
            },
        };
        let rules = self.in_force(&mut found, clock);
        (rules, found.notes)
    }

    /// Returns the rules in force with those of the cluster. What is no rule goes to the notes.
    pub(crate) fn in_force(&self, of_cluster: &mut Customizations, clock: Clock) -> health::Rules {
        let found = if of_cluster.health.is_empty() { None } else { Some(self.compiled(of_cluster, clock)) };
        let scripts: Vec<Arc<Scripts>> = [self.config.clone(), found, self.folder.clone()].into_iter().flatten().collect();
        let mut broken: Vec<String> = scripts.iter().flat_map(|scripts| scripts.broken()).collect();
        let more = broken.len().saturating_sub(NAMED);
        broken.truncate(NAMED);
        of_cluster.notes.extend(broken);
        of_cluster
            .notes
            .extend((more > 0).then(|| format!("{more} more health rules cannot be compiled; correct the first ones to see them")));
        scripts.into_iter().fold(health::Rules::default().of_unknown_kinds(self.unknown_kinds), health::Rules::with)
    }

    fn compiled(&self, of_cluster: &mut Customizations, clock: Clock) -> Arc<Scripts> {
        let mut last = locked(&self.last);
        let mut rules = Vec::new();
        for rule in &of_cluster.health {
            match Customization::new(&rule.kinds, rule.text.as_str(), format!("{CONFIG_MAP}: {}", rule.kinds)) {
                Ok(customization) => rules.push(customization.at(&rule.place)),
                Err(why) => {
                    let note = format!("{} names no kinds: {why}; its rule has no effect; correct the pattern", rule.place);
                    of_cluster.notes.push(note);
                }
            }
        }
        match &*last {
            Some((known, scripts)) if *known == of_cluster.health => scripts.clone(),
            Some(_) | None => {
                let scripts = Arc::new(Scripts::new(rules, limits(clock)));
                *last = Some((of_cluster.health.clone(), scripts.clone()));
                scripts
            }
        }
    }
}

/// Makes rules of the configuration: from kinds to Lua. `place` says where the rule of some kinds is written.
///
/// # Errors
/// The sentence about kinds that are no pattern.
pub(crate) fn of_config(rules: &BTreeMap<String, String>, place: impl Fn(&str) -> String, clock: Clock) -> Result<Option<Scripts>, String> {
    let made = rules.iter().map(|(kinds, source)| {
        let rule = Customization::new(kinds, source.as_str(), format!("config: {kinds}"))?;
        Ok(rule.at(place(kinds)))
    });
    let made = made.collect::<Result<Vec<_>, String>>()?;
    Ok((!made.is_empty()).then(|| Scripts::new(made, limits(clock))))
}

/// Returns the limits of scripts. How long one takes is measured on the machine's clock; what time of day it is, another one may say.
pub(crate) fn limits(clock: Clock) -> Limits {
    let machine = Clock::real();
    let began = machine.now();
    let stopwatch = move || Duration::try_from(machine.now().duration_since(began)).unwrap_or_default();
    Limits::new(Arc::new(stopwatch), Arc::new(move || Timestamp::as_second(clock.now())))
}

/// Returns a judge that has seen nothing yet.
pub(super) fn judge(rules: health::Rules) -> Judge {
    Judge::new(Arc::new(InForce(rules)))
}

/// Returns the health of objects that need not be live, in their order, within the time that a sync would give each of them. What a rule
/// may fail for is limited for each kind: what comes after that is said not to be judged.
pub(crate) async fn assessed<'a>(rules: health::Rules, objects: impl Iterator<Item = &'a Object>) -> Vec<Assessment> {
    let judge = &Judge::of_command(Arc::new(InForce(rules)));
    futures::stream::iter(objects).map(|object| judge.assess(object)).buffered(judge::AT_ONCE).collect().await
}

/// Rules as the cluster's judge asks them.
#[derive(Debug)]
struct InForce(health::Rules);

impl judge::Rules for InForce {
    fn assess(&self, object: &Object) -> Assessment {
        self.0.assess(object)
    }

    fn observed(&self, object: &Object) -> (Option<i64>, Option<i64>) {
        health::observed(object)
    }

    fn may_take_long(&self, gvk: &Gvk) -> bool {
        self.0.has_script(gvk)
    }
}

fn data(config_map: &Object) -> BTreeMap<String, String> {
    let entries = config_map.wire().get("data").and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::fake;
    use crate::model::{Assessment, HealthStatus};

    fn clock() -> Clock {
        Clock::starting_at(fake::epoch(), 1.0)
    }

    fn rules(of: &[(&str, &str)]) -> Option<Scripts> {
        let rules = of.iter().map(|(kinds, said)| ((*kinds).to_owned(), format!("return {{ status = 'Healthy', message = '{said}' }}")));
        of_config(&rules.collect(), str::to_owned, clock()).unwrap()
    }

    fn folder(of: &[(&str, &str)]) -> Option<Scripts> {
        let made = of.iter().map(|(kinds, said)| {
            Customization::new(kinds, format!("return {{ status = 'Healthy', message = '{said}' }}"), format!("{kinds}/health.lua"))
                .unwrap()
        });
        Some(Scripts::new(made.collect(), limits(clock())))
    }

    fn served(data: serde_json::Value) -> Cluster {
        fake::cluster(move |asked| {
            assert_eq!((&*asked.method, &*asked.path), ("GET", "/api/v1/namespaces/argocd/configmaps/argocd-cm"));
            fake::json_answer(200, &json!({"metadata": {"name": "argocd-cm"}, "data": data}))
        })
    }

    fn widget(kind: &str) -> Object {
        Object::new(json!({"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "w"}}))
    }

    fn decided(rules: &health::Rules, object: &Object) -> (String, String) {
        match rules.assess(object) {
            Assessment::Known(health) => (health.rule, health.message),
            other @ (Assessment::NoRule | Assessment::Error(_)) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn r411_the_configuration_comes_first_then_the_cluster_then_the_folder_then_the_table() {
        let sources =
            RuleSources::new(rules(&[("example.com/A", "config")]), folder(&[("example.com/*", "folder"), ("example.com/B", "folder")]))
                .with_argocd_cm(Some("argocd".to_owned()));
        let key = |kind: &str| format!("resource.customizations.health.example.com_{kind}");
        let said = "return { status = 'Healthy', message = 'cluster' }";
        let cluster = served(json!({key("A"): said, key("_"): said}));
        let mut found = sources.read(&cluster).await;
        let rules = sources.in_force(&mut found, clock());
        assert_eq!(found.notes, [""; 0]);
        let decided = |object: &Object| decided(&rules, object).0;
        assert_eq!(decided(&widget("A")), "config: example.com/A");
        assert_eq!(decided(&widget("B")), "argocd-cm: example.com/*", "a pattern of the cluster beats a name of the folder, as in Argo CD");
        let service = Object::new(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "w"}}));
        assert_eq!(decided(&service), "Service");
        let without = sources.clone().with_argocd_cm(None);
        let rules = without.in_force(&mut without.read(&cluster).await, clock());
        assert_eq!(super::tests::decided(&rules, &widget("B")).0, "example.com/B/health.lua");
    }

    #[tokio::test]
    async fn rules_of_the_cluster_are_compiled_again_only_if_they_have_changed() {
        let sources = RuleSources::default().with_argocd_cm(Some("argocd".to_owned()));
        let compiled = async |text: &str| {
            let mut found = sources.read(&served(json!({"resource.customizations.health.example.com_A": text}))).await;
            let rules = sources.in_force(&mut found, clock());
            (decided(&rules, &widget("A")).1, locked(&sources.last).as_ref().map(|(_, scripts)| Arc::as_ptr(scripts)))
        };
        let first = compiled("return { status = 'Healthy', message = 'one' }").await;
        assert_eq!(compiled("return { status = 'Healthy', message = 'one' }").await, first);
        assert_eq!(compiled("return { status = 'Healthy', message = 'two' }").await.0, "two");
    }

    #[tokio::test(start_paused = true)]
    async fn an_argocd_cm_that_cannot_be_had_is_told_with_its_name_and_a_way_out_and_stops_nothing() {
        let sources = RuleSources::new(rules(&[("example.com/A", "config")]), None).with_argocd_cm(Some("argocd".to_owned()));
        for (code, reason, words) in [
            (
                403,
                "Forbidden",
                "the ConfigMap argocd/argocd-cm cannot be read, so no customizations come from it: no; ask for the permission",
            ),
            (404, "NotFound", "the ConfigMap argocd/argocd-cm does not exist, so no customizations come from it; correct `argocd_cm`"),
            (500, "InternalError", "the ConfigMap argocd/argocd-cm cannot be read"),
        ] {
            let cluster = fake::cluster(move |_| fake::status(code, reason, "no"));
            let mut found = sources.read(&cluster).await;
            let rules = sources.in_force(&mut found, clock());
            assert!(found.notes.len() == 1 && found.notes[0].starts_with(words), "{:?}", found.notes);
            assert_eq!(decided(&rules, &widget("A")).0, "config: example.com/A");
        }
        let cluster = fake::cluster(|_| fake::json_answer(200, &json!({"data": ["not a map"]})));
        assert_eq!(sources.read(&cluster).await, Customizations::default());
    }

    #[tokio::test]
    async fn what_cannot_be_compiled_is_told_before_any_object_is_judged_with_its_place_and_line_and_what_follows() {
        let broken = "local a = 1\nif a then\nreturn {status = 'Healthy'}";
        let config = [("example.com/A".to_owned(), broken.to_owned()), ("example.com/B".to_owned(), "return {}".to_owned())].into();
        let config = of_config(&config, |kinds| format!("`{kinds}` of config.toml:7"), clock()).unwrap();
        let file =
            Customization::new("example.com/*", "goto nowhere", "example.com/_/health.lua").unwrap().at("`rules/example.com/_/health.lua`");
        let folder = Scripts::new(vec![file], limits(clock()));
        let sources = RuleSources::new(config, Some(folder)).with_argocd_cm(Some("argocd".to_owned()));
        let cluster = served(json!({"resource.customizations.health.example.com_C": "return return"}));
        let mut found = sources.read(&cluster).await;
        let rules = sources.in_force(&mut found, clock());
        let places = [
            "the health rule of `example.com/A` of config.toml:7 (its line 3) cannot be compiled: ",
            "the health rule of the key resource.customizations.health.example.com_C of the ConfigMap argocd/argocd-cm (its line 1) cannot be",
            "the health rule of `rules/example.com/_/health.lua` (its line 1) cannot be compiled: ",
        ];
        let end = "; until it is corrected, a hook of its kinds ends with this error, and a resource is waited for";
        assert_eq!(found.notes.len(), places.len(), "{:?}", found.notes);
        assert!(found.notes.iter().zip(places).all(|(note, place)| note.starts_with(place) && note.ends_with(end)), "{:?}", found.notes);
        assert!(matches!(rules.assess(&widget("A")), Assessment::Error(_)), "it is in force all the same: nothing else judges its kinds");
    }

    #[test]
    fn of_many_rules_that_cannot_be_compiled_the_first_are_named_and_the_rest_counted() {
        let many = (0..20).map(|at| (format!("example.com/K{at:02}"), "return return".to_owned())).collect();
        let mut found = Customizations::default();
        let _rules = RuleSources::new(of_config(&many, str::to_owned, clock()).unwrap(), None).in_force(&mut found, clock());
        assert_eq!((found.notes.len(), found.notes[5].starts_with("15 more health rules cannot be compiled")), (6, true));
    }

    #[tokio::test]
    async fn a_pattern_of_the_cluster_that_is_none_is_told_and_the_other_rules_hold() {
        let sources = RuleSources::default().with_argocd_cm(Some("argocd".to_owned()));
        let map = "'example.com/[A': {health.lua: 'return {}'}\nexample.com/A: {health.lua: \"return {status = 'Degraded'}\"}\n";
        let mut found = sources.read(&served(json!({"resource.customizations": map}))).await;
        let rules = sources.in_force(&mut found, clock());
        assert!(
            found.notes.len() == 1
                && found.notes[0].starts_with("the key resource.customizations of the ConfigMap argocd/argocd-cm names no kinds")
        );
        assert_eq!(rules.assess(&widget("A")).status(), Some(HealthStatus::Degraded));
        assert_eq!(rules.assess(&widget("B")), Assessment::NoRule);
    }
}
