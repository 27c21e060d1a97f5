//! What an `argocd-cm` says about kinds: the keys `resource.customizations.TYPE.GROUP_KIND`, the older map `resource.customizations`, and
//! `resource.compareoptions`.
//! Owns their grammar; what a health script or a list of ignored fields means is known elsewhere. Asks no cluster.

use std::collections::BTreeMap;

use serde_yaml::Value;

/// The older key, whose value is a map; all others begin with it.
const PREFIX: &str = "resource.customizations";

/// The key about all comparisons.
const COMPARE: &str = "resource.compareoptions";

/// Types that have no meaning here: actions are none of ours, and nothing here caches objects or guesses types.
const WITHOUT_EFFECT: [&str; 3] = ["actions", "ignoreResourceUpdates", "knownTypeFields"];

/// What is said about kinds. Of two entries for the same kinds the first one holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Customizations {
    /// Lua sources.
    pub(crate) health: Vec<Customized>,
    /// YAML with `jsonPointers`, `jqPathExpressions` and `managedFieldsManagers`, as it was written.
    pub(crate) ignore_differences: Vec<Customized>,
    /// Where it is written that the rules of aggregated ClusterRoles are not compared, if it is.
    pub(crate) aggregated_roles: Option<String>,
    /// Whole sentences about what cannot be read and therefore has no effect.
    pub(crate) notes: Vec<String>,
}

/// One text about one kind, or about the kinds of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Customized {
    /// `GROUP/KIND`, or `KIND` for the core group; `*` stands for any text in it, which a `/` may be part of. `*/*` comes from `all`: the fields
    /// of every kind, and the health of every kind with a group.
    pub(crate) kinds: String,
    pub(crate) text: String,
    /// Where it stands: `the key resource.customizations.health.example.com_Widget of the ConfigMap argocd/argocd-cm`.
    pub(crate) place: String,
}

/// Reads the data of a ConfigMap; `config_map` names it, for example `argocd/argocd-cm`.
pub(crate) fn read(config_map: &str, data: &BTreeMap<String, String>) -> Customizations {
    let mut reading = Reading { config_map, found: Customizations::default() };
    for (key, text) in data {
        // Without a type and a kind Argo CD reads nothing from a key either.
        if let Some((kind_of, kinds)) = key.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('.')?.split_once('.')) {
            reading.split_key(key, kind_of, kinds, text);
        }
    }
    // A key for one kind beats the map, as in Argo CD.
    if let Some(text) = data.get(PREFIX) {
        reading.map(text);
    }
    if let Some(text) = data.get(COMPARE) {
        reading.compare_options(text);
    }
    reading.found
}

struct Reading<'a> {
    config_map: &'a str,
    found: Customizations,
}

impl Reading<'_> {
    fn note(&mut self, key: &str, problem: &str, way_out: &str) {
        let sentence = format!("{problem} (key {key} of the ConfigMap {}), so it has no effect; {way_out}", self.config_map);
        self.found.notes.push(sentence);
    }

    fn customized(&self, key: &str, kinds: String, text: &str) -> Customized {
        Customized { kinds, text: text.to_owned(), place: format!("the key {key} of the ConfigMap {}", self.config_map) }
    }

    fn split_key(&mut self, key: &str, kind_of: &str, kinds: &str, text: &str) {
        let way_out = format!("write {PREFIX}.{kind_of}.GROUP_KIND, or .KIND for the core group");
        let Some(kinds) = pattern(kinds) else { return self.note(key, "a customization names no kind", &way_out) };
        match kind_of {
            "health" => {
                let rule = self.customized(key, kinds, text);
                self.found.health.push(rule);
            }
            "ignoreDifferences" => {
                let ignored = self.customized(key, kinds, text);
                self.found.ignore_differences.push(ignored);
            }
            // Every library that a rule may use is always open here.
            "useOpenLibs" if is_flag(text) => {}
            "useOpenLibs" => self.note(key, "useOpenLibs is neither true nor false", "write \"true\", or leave the key out"),
            _ if WITHOUT_EFFECT.contains(&kind_of) => {}
            _ => {
                let problem = format!("there is no customization of the type {kind_of}");
                self.note(
                    key,
                    &problem,
                    "the types are health, useOpenLibs, ignoreDifferences, ignoreResourceUpdates, actions, knownTypeFields",
                );
            }
        }
    }

    fn map(&mut self, text: &str) {
        let way_out = "write a map of GROUP/KIND to health.lua, ignoreDifferences and so on, or keys of their own for each kind";
        let map = match serde_yaml::from_str(text) {
            Ok(Value::Mapping(map)) => map,
            Ok(Value::Null) => return,
            Ok(_) => return self.note(PREFIX, "the customizations are no map", way_out),
            Err(error) => return self.note(PREFIX, &format!("the customizations cannot be read as YAML: {error}"), way_out),
        };
        for (kinds, fields) in &map {
            match (kinds, fields) {
                (Value::String(kinds), Value::Mapping(fields)) if !kinds.trim().is_empty() => self.entry(kinds, fields),
                (_, Value::Null) => {}
                (kinds, _) => {
                    let problem = format!("the customization of {} is no map with the name of a kind", shown(kinds));
                    self.note(PREFIX, &problem, way_out);
                }
            }
        }
    }

    fn compare_options(&mut self, text: &str) {
        let way_out = "write a map, for example ignoreAggregatedRoles: true";
        let map = match serde_yaml::from_str(text) {
            Ok(Value::Mapping(map)) => map,
            Ok(Value::Null) => return,
            Ok(_) => return self.note(COMPARE, "the options of comparisons are no map", way_out),
            Err(error) => return self.note(COMPARE, &format!("the options of comparisons cannot be read as YAML: {error}"), way_out),
        };
        for (name, value) in &map {
            match (name.as_str().unwrap_or_default(), value) {
                ("ignoreAggregatedRoles", Value::Bool(is_wanted)) => {
                    let place = format!("ignoreAggregatedRoles in the key {COMPARE} of the ConfigMap {}", self.config_map);
                    self.found.aggregated_roles = is_wanted.then_some(place);
                }
                // Nothing here is refreshed by what a controller changes.
                ("ignoreDifferencesOnResourceUpdates", Value::Bool(_)) | (_, Value::Null) => {}
                ("ignoreAggregatedRoles" | "ignoreDifferencesOnResourceUpdates", _) => {
                    self.note(COMPARE, &format!("{} is neither true nor false", shown(name)), "write true, or leave it out");
                }
                ("ignoreResourceStatusField", Value::String(which)) if which == "all" => {}
                ("ignoreResourceStatusField", _) => {
                    let problem = format!("ignoreResourceStatusField is {}, but a status is never sent, so none is compared", shown(value));
                    self.note(COMPARE, &problem, "leave it out, or write `all`");
                }
                _ => {
                    let names = "ignoreAggregatedRoles, ignoreResourceStatusField, ignoreDifferencesOnResourceUpdates";
                    self.note(COMPARE, &format!("there is no option {}", shown(name)), &format!("the names are {names}"));
                }
            }
        }
    }

    fn entry(&mut self, kinds: &str, fields: &serde_yaml::Mapping) {
        for (field, value) in fields {
            let field = field.as_str().unwrap_or_default();
            match (field, value) {
                (_, Value::Null) => {}
                ("health.lua", Value::String(text)) => {
                    let rule = self.customized(PREFIX, kinds.to_owned(), text);
                    self.found.health.push(rule);
                }
                ("ignoreDifferences", Value::String(text)) => {
                    let ignored = self.customized(PREFIX, kinds.to_owned(), text);
                    self.found.ignore_differences.push(ignored);
                }
                ("health.lua.useOpenLibs", Value::Bool(_)) => {}
                _ if WITHOUT_EFFECT.contains(&field) => {}
                ("health.lua" | "ignoreDifferences", _) => {
                    self.note(PREFIX, &format!("{field} of {} is no text", quoted(kinds)), "begin it with `|` and put its lines below");
                }
                ("health.lua.useOpenLibs", _) => {
                    self.note(PREFIX, &format!("{field} of {} is neither true nor false", quoted(kinds)), "write true, or leave it out");
                }
                _ => {
                    let problem = format!("there is no customization {} (of {})", quoted(field), quoted(kinds));
                    self.note(PREFIX, &problem, "the names are health.lua, health.lua.useOpenLibs, ignoreDifferences, ignoreResourceUpdates, actions, knownTypeFields");
                }
            }
        }
    }
}

/// Reads `GROUP_KIND`, `KIND` or `all`. A `_` at the place of a name, or of a part of a group, stands for `*`, which no key can hold; Argo CD
/// knows that in folders only. It is never ambiguous: no group and no kind has a `_` in its name.
fn pattern(text: &str) -> Option<String> {
    if text == "all" {
        return Some("*/*".to_owned());
    }
    let (group, kind) = match text.strip_suffix("__") {
        Some(group) => (group, "_"),
        None => text.rsplit_once('_').unwrap_or(("", text)),
    };
    let (group, kind) = (group.replace('_', "*"), kind.replace('_', "*"));
    let is_kind = !kind.is_empty() && kind.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '*');
    match (is_kind, group.is_empty()) {
        (false, _) => None,
        (true, true) => Some(kind),
        (true, false) => Some(format!("{group}/{kind}")),
    }
}

/// Flags as Go reads them.
fn is_flag(text: &str) -> bool {
    ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"].contains(&text)
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        _ => serde_yaml::to_string(value).map_or_else(|_| "something else".to_owned(), |text| quoted(text.trim())),
    }
}

fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(80).collect();
    format!("`{cut}{}`", if cut.len() < text.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&str, &str)]) -> Customizations {
        read("argocd/argocd-cm", &entries.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect())
    }

    fn short(found: &[Customized]) -> Vec<(&str, &str)> {
        found.iter().map(|one| (&*one.kinds, &*one.text)).collect()
    }

    #[test]
    fn a_key_for_one_kind_names_group_and_kind() {
        for (name, kinds) in [
            ("example.com_Widget", "example.com/Widget"),
            ("ConfigMap", "ConfigMap"),
            ("_Pod", "Pod"),
            ("all", "*/*"),
            ("_.example.com_Widget", "*.example.com/Widget"),
            ("example.com__", "example.com/*"),
            ("_.example.com__", "*.example.com/*"),
            ("__Widget", "*/Widget"),
            ("___", "*/*"),
        ] {
            let found = of(&[(&format!("resource.customizations.health.{name}"), "return {}")]);
            assert_eq!((short(&found.health), found.notes), (vec![(kinds, "return {}")], vec![]), "{name}");
        }
        let found = of(&[("resource.customizations.ignoreDifferences.all", "jsonPointers: [/spec/replicas]")]);
        assert_eq!(short(&found.ignore_differences), [("*/*", "jsonPointers: [/spec/replicas]")]);
        assert_eq!(
            found.ignore_differences[0].place,
            "the key resource.customizations.ignoreDifferences.all of the ConfigMap argocd/argocd-cm"
        );
    }

    #[test]
    fn the_older_map_is_read_and_a_key_for_one_kind_comes_before_it() {
        let map = "
'*.example.com/*':
  health.lua: |
    return { status = 'Healthy' }
  health.lua.useOpenLibs: true
ConfigMap:
  ignoreDifferences: |
    jsonPointers:
    - /data/stamp
  actions: |
    discovery.lua: return {}
  knownTypeFields: [{field: spec, type: core/v1/PodSpec}]
example.com/Widget:
  health.lua: return {}
Empty:
";
        let found = of(&[
            ("resource.customizations", map),
            ("resource.customizations.health.example.com_Widget", "return nil"),
            ("resource.customizations.useOpenLibs.example.com_Widget", "true"),
            ("resource.customizations.actions.example.com_Widget", "discovery.lua: x"),
            ("admin.enabled", "true"),
        ]);
        assert_eq!(
            short(&found.health),
            [
                ("example.com/Widget", "return nil"),
                ("*.example.com/*", "return { status = 'Healthy' }\n"),
                ("example.com/Widget", "return {}")
            ]
        );
        assert_eq!(short(&found.ignore_differences), [("ConfigMap", "jsonPointers:\n- /data/stamp\n")]);
        assert_eq!(found.notes, [""; 0]);
    }

    #[test]
    fn options_of_comparisons_are_read_or_said_to_have_no_effect() {
        let place = "ignoreAggregatedRoles in the key resource.compareoptions of the ConfigMap argocd/argocd-cm";
        let usual = "ignoreAggregatedRoles: true\nignoreResourceStatusField: all\nignoreDifferencesOnResourceUpdates: true\n";
        for (text, aggregated, words) in [
            (usual, Some(place), ""),
            ("ignoreAggregatedRoles: false\n", None, ""),
            ("", None, ""),
            ("ignoreAggregatedRoles:\n", None, ""),
            ("ignoreAggregatedRoles: 'yes'\n", None, "`ignoreAggregatedRoles` is neither true nor false"),
            ("ignoreAggregatedRoles: true\nignoreResourceStatusField: crd\n", Some(place), "ignoreResourceStatusField is `crd`, but"),
            ("ignoreResourceStatusField: [x]\n", None, "ignoreResourceStatusField is `- x`, but"),
            ("ignoreAggregateRoles: true\n", None, "there is no option `ignoreAggregateRoles`"),
            ("3: true\n", None, "there is no option `3`"),
            ("- a\n", None, "are no map"),
            ("a: [", None, "cannot be read as YAML"),
        ] {
            let found = of(&[(COMPARE, text)]);
            assert_eq!(found.aggregated_roles.as_deref(), aggregated, "{text}");
            assert_eq!(found.notes.len(), usize::from(!words.is_empty()), "{text}: {:?}", found.notes);
            let is_told =
                |note: &String| note.contains(words) && note.contains("(key resource.compareoptions of the ConfigMap argocd/argocd-cm)");
            assert!(found.notes.iter().all(is_told), "{:?}", found.notes);
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_the_key_and_a_way_out() {
        for (key, text, words) in [
            ("resource.customizations.health.example.com_", "x", "names no kind (key resource.customizations.health.example.com_ of"),
            ("resource.customizations.health.example.com/Widget", "x", "write resource.customizations.health.GROUP_KIND"),
            ("resource.customizations.healt.example.com_Widget", "x", "no customization of the type healt "),
            ("resource.customizations.useOpenLibs.Widget", "yes", "useOpenLibs is neither true nor false"),
            ("resource.customizations", "a: [", "cannot be read as YAML"),
            ("resource.customizations", "- a\n- b\n", "the customizations are no map"),
            ("resource.customizations", "just text", "the customizations are no map"),
            ("resource.customizations", "3: {health.lua: x}", "the customization of `3` is no map"),
            ("resource.customizations", "Widget: text", "the customization of `Widget` is no map"),
            ("resource.customizations", "Widget: {health.lua: {a: b}}", "health.lua of `Widget` is no text"),
            ("resource.customizations", "Widget: {ignoreDifferences: {jsonPointers: [/a]}}", "ignoreDifferences of `Widget` is no text"),
            ("resource.customizations", "Widget: {health.lua.useOpenLibs: 'yes'}", "neither true nor false"),
            ("resource.customizations", "Widget: {heath.lua: x}", "there is no customization `heath.lua` (of `Widget`)"),
        ] {
            let found = of(&[(key, text)]);
            assert_eq!((found.health.len(), found.ignore_differences.len(), found.notes.len()), (0, 0, 1), "{key}: {text}: {found:?}");
            let note = &found.notes[0];
            assert!(note.contains(words) && note.contains("argocd/argocd-cm") && note.contains("so it has no effect; "), "{note}");
        }
        assert_eq!(of(&[("resource.customizations", ""), ("resource.customizations.health", "x")]), Customizations::default());
    }

    #[test]
    fn what_is_deep_or_refers_to_itself_ends_with_a_note() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
        for text in [deep.as_str(), bomb, "\u{0}", "a: b: c"] {
            let found = of(&[("resource.customizations", text)]);
            assert!(found.health.is_empty() && !found.notes.is_empty(), "{found:?}");
        }
    }
}
