//! Health rules of the file, `[health.customizations]`: one Lua text for each kind, or for the kinds of a pattern (spec R411.2). Reads the
//! texts and compiles none.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Loaded;
use super::file::{ConfigError, Reading, Told};
use super::keys::{Value, dotted};
use crate::model::Glob;

const PATH: &str = "health.customizations";
/// The key of the Lua in the table of a rule, as Argo CD calls it.
const LUA: &str = "health.lua";
/// What changes nothing: every library that a rule may use is always open.
const OPEN_LIBS: [&str; 4] = ["use_open_libs", "useOpenLibs", "health.lua.use_open_libs", "health.lua.useOpenLibs"];

impl Loaded {
    /// Returns where the rule of some kinds is written, for people.
    pub(crate) fn place_of_rule(&self, kinds: &str) -> String {
        let path = dotted(&[PATH, &quoted(kinds)]);
        format!("`{path}` ({})", self.origin("", &path))
    }
}

/// Reads the table of rules: from `group/Kind`, or `Kind` for the core group, to Lua, or to a table as Argo CD has it.
pub(super) fn read(
    reading: &Reading<'_>,
    value: &Spanned<DeValue<'_>>,
    told: &mut Told<'_>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let DeValue::Table(table) = value.get_ref() else {
        let why = format!("rules are a table with the header [{PATH}], and lines such as \"group/Kind\" = \"\"\"Lua\"\"\"");
        return Err(reading.wrong(PATH, &why, value.span()));
    };
    let mut rules = BTreeMap::new();
    for (name, value) in reading.in_order(table) {
        let kinds = name.get_ref().to_string();
        let key = dotted(&[PATH, &quoted(&kinds)]);
        checked(&kinds).map_err(|why| reading.fault(format!("`{key}` names no kinds: {why}"), name.span()))?;
        let source = match value.get_ref() {
            DeValue::String(source) => source.to_string(),
            DeValue::Table(table) => of_table(reading, &key, (table, name.span()), told)?,
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) => {
                let why = format!("it must be Lua between three quotes, \"\"\", or a table with \"{LUA}\"");
                return Err(reading.wrong(&key, &why, value.span()));
            }
        };
        told.origin(key, reading, name.span().start);
        rules.insert(kinds, source);
    }
    Ok(rules)
}

fn checked(kinds: &str) -> Result<(), String> {
    if let Some((group, kind)) = kinds.rsplit_once('_').filter(|(group, kind)| !group.contains('/') && !kind.starts_with('/')) {
        // So it is spelt in an argocd-cm, whose keys cannot hold a `/`. No group and no kind has a `_` in its name.
        let own = [group, kind].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        return Err(format!("here it is written \"{own}\""));
    }
    // So a wildcard is spelt in a folder of rules, where one without a group has no `/`.
    let parts = kinds.split('/').filter(|part| !part.is_empty()).map(|part| if part == "_" { "*" } else { part });
    let own = parts.collect::<Vec<_>>().join("/");
    if !own.is_empty() && own != kinds {
        return Err(format!("here it is written \"{own}\""));
    }
    Glob::parse(kinds).map(|_| ())
}

/// Reads the table of one rule; `"health.lua"` is understood with and without its quotes.
fn of_table(
    reading: &Reading<'_>,
    own: &str,
    (table, span): (&DeTable<'_>, Range<usize>),
    told: &mut Told<'_>,
) -> Result<String, ConfigError> {
    let mut source = None;
    for (name, (start, value)) in flat(reading, table, "") {
        let path = dotted(&[own, &name]);
        match value.get_ref() {
            DeValue::String(_) if name == LUA && source.is_some() => {
                return Err(reading.wrong(&path, "it stands here twice, with and without quotes; leave one of them", value.span()));
            }
            DeValue::String(text) if name == LUA => source = Some(text.to_string()),
            _ if name == LUA => return Err(reading.wrong(&path, "it must be Lua between three quotes, \"\"\"", value.span())),
            DeValue::Boolean(_) if OPEN_LIBS.contains(&name.as_str()) => {}
            _ if OPEN_LIBS.contains(&name.as_str()) => return Err(reading.wrong(&path, "it must be true or false", value.span())),
            _ => told.notices.push(format!("{}: {}; the line has no effect", reading.place(start), no_such_key(&path, &name))),
        }
    }
    source.ok_or_else(|| reading.fault(format!("`{own}` has no \"{LUA}\", which is the rule; write it, or leave the table out"), span))
}

fn no_such_key(path: &str, name: &str) -> String {
    let way_out = match name.split('.').next().unwrap_or_default() {
        "ignoreDifferences" | "ignore_differences" => {
            "ignored differences are those of an app, [[apps.NAME.ignore_differences]]".to_owned()
        }
        _ => format!("the keys of a rule are \"{LUA}\" and {}", OPEN_LIBS[0]),
    };
    format!("there is no key `{path}`; {way_out}")
}

/// A key of a table or of a table in it, with dots between; where it begins, and its value.
type Flat<'a, 'i> = (String, (usize, &'a Spanned<DeValue<'i>>));

/// Returns the keys of a table and of the tables in it, so that `health.lua = ""` is the same as `"health.lua" = ""`.
fn flat<'a, 'i>(reading: &Reading<'_>, table: &'a DeTable<'i>, path: &str) -> Vec<Flat<'a, 'i>> {
    let entry = |(name, value): (&'a Spanned<Cow<'i, str>>, &'a Spanned<DeValue<'i>>)| {
        let path = dotted(&[path, name.get_ref()]);
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => flat(reading, inner, &path),
            _ => vec![(path, (name.span().start, value))],
        }
    };
    reading.in_order(table).into_iter().flat_map(entry).collect()
}

/// Writes the table of rules as TOML. `origin` makes the comment after a line, from the path of the key.
pub(super) fn show(rules: &BTreeMap<String, String>, origin: &dyn Fn(&str) -> String) -> String {
    let mut text = if rules.is_empty() { String::new() } else { format!("\n[{PATH}]\n") };
    for (kinds, source) in rules {
        let name = quoted(kinds);
        let _infallible = writeln!(text, "{name} = {}{}", Value::Text(source.clone()), origin(&dotted(&[PATH, &name])));
    }
    text
}

fn quoted(kinds: &str) -> String {
    Value::Text(kinds.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{ArgocdCm, Loaded};
    use crate::failure::Failure;
    use crate::model::UnknownKinds;

    fn read(text: &str) -> Result<Loaded, String> {
        let mut loaded = Loaded::default();
        let read = loaded.read_file(Path::new("config.toml"), text).map_err(|error| Failure::diagnostic(&error).to_string());
        read.map(|()| loaded)
    }

    const RULES: &str = "[health]\nunknown_kinds = \"none\"\nargocd_cm = \"argocd\"\nlua = \"rules/\"\n\n[health.customizations]\n\
                         \"example.com/Widget\" = \"\"\"\nhs = { status = \"Healthy\" }\nreturn hs\n\"\"\"\nConfigMap = 'return nil'\n\"*.example.com/*\" = 'return {}'\n";

    #[test]
    fn rules_stand_in_a_table_from_kinds_to_lua_and_what_is_shown_can_be_read_again() {
        let loaded = read(RULES).unwrap();
        let config = &loaded.config;
        assert_eq!(loaded.notices, [""; 0]);
        assert_eq!((config.unknown_kinds, config.argocd_cm.clone()), (UnknownKinds::None, Some(ArgocdCm("argocd".to_owned()))));
        assert_eq!(config.lua.as_deref(), Some(Path::new("rules/")));
        assert_eq!(config.customizations["example.com/Widget"], "hs = { status = \"Healthy\" }\nreturn hs\n");
        assert_eq!(config.customizations.keys().collect::<Vec<_>>(), ["*.example.com/*", "ConfigMap", "example.com/Widget"]);
        let shown = loaded.show(true);
        assert!(shown.contains("\"ConfigMap\" = \"return nil\"  # config.toml:11"), "{shown}");
        assert_eq!(read(&shown).unwrap().config, *config);
    }

    #[test]
    fn the_rule_of_the_example_file_can_be_read() {
        let example = include_str!("../../config.example.toml");
        let rule = example.lines().skip_while(|line| *line != "# [health.customizations]").take_while(|line| !line.is_empty());
        let text: String = rule.map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        let loaded = read(&text).unwrap();
        let rules = &loaded.config.customizations;
        assert!(rules["example.com/Widget"].ends_with("for the widget\" }\n"), "{text}");
        assert_eq!(
            (loaded.notices.len(), rules["example.com/Gadget"].as_str()),
            (0, "return { status = \"Healthy\", message = \"\" }"),
            "{text}"
        );
    }

    #[test]
    fn a_rule_may_be_a_table_as_argo_cd_has_it() {
        for text in [
            "[health.customizations.\"a.b/C\"]\n\"health.lua\" = 'return 1'\nuse_open_libs = true\n",
            "[health.customizations.\"a.b/C\"]\nhealth.lua = 'return 1'\nuseOpenLibs = false\n",
            "[health.customizations]\n\"a.b/C\" = { \"health.lua\" = 'return 1', \"health.lua.useOpenLibs\" = true }\n",
            "[health.customizations.\"a.b/C\".health]\nlua = 'return 1'\n",
            "[health.customizations]\n\"a.b/C\".\"health.lua\" = 'return 1'\n",
        ] {
            let loaded = read(text).unwrap();
            assert_eq!((loaded.config.customizations["a.b/C"].as_str(), loaded.notices.len()), ("return 1", 0), "{text}");
            assert_eq!(read(&loaded.show(true)).unwrap().config, loaded.config);
            assert!(loaded.place_of_rule("a.b/C").starts_with("`health.customizations.\"a.b/C\"` (config.toml:"), "{text}");
        }
        let loaded =
            read("[health.customizations.\"a/B\"]\nhealth.lua = ''\nheath = 1\nignoreDifferences.jsonPointers = []\nx = {}\n").unwrap();
        let path = "health.customizations.\"a/B\"";
        assert_eq!(
            loaded.notices,
            [
                format!(
                    "config.toml:3: there is no key `{path}.heath`; the keys of a rule are \"health.lua\" and use_open_libs; the line has no effect"
                ),
                format!(
                    "config.toml:4: there is no key `{path}.ignoreDifferences.jsonPointers`; ignored differences are those of an app, [[apps.NAME.ignore_differences]]; the line has no effect"
                ),
                format!(
                    "config.toml:5: there is no key `{path}.x`; the keys of a rule are \"health.lua\" and use_open_libs; the line has no effect"
                ),
            ]
        );
    }

    #[test]
    fn what_is_no_rule_is_shown_with_its_line_and_the_way_out() {
        for (text, words) in [
            ("[health]\ncustomizations = 3\n", "[health.customizations]"),
            ("[health.customizations]\n\"a/B\" = 3\n", "it must be Lua"),
            ("[health.customizations]\n\"a/B\" = []\n", "or a table with \"health.lua\""),
            ("[health.customizations]\n\"a/B\" = { lua = 'x' }\n", "has no \"health.lua\""),
            ("[health.customizations]\n\"a/B\" = {}\n", "has no \"health.lua\""),
            ("[health.customizations.\"a/B\"]\nhealth.lua = 3\n", "`health.customizations.\"a/B\".health.lua` cannot have this value"),
            ("[health.customizations.\"a/B\"]\nhealth.lua = {}\n", "it must be Lua"),
            ("[health.customizations.\"a/B\"]\nhealth.lua = ''\nuse_open_libs = 'yes'\n", "it must be true or false"),
            ("[health.customizations]\n\"example.com_Widget\" = 'x'\n", "here it is written \"example.com/Widget\""),
            ("[health.customizations]\n\"_/Widget\" = 'x'\n", "here it is written \"*/Widget\""),
            ("[health.customizations]\n\"/Widget\" = 'x'\n", "here it is written \"Widget\""),
            ("[health.customizations.\"a/B\"]\nhealth.lua = '1'\n\"health.lua\" = '2'\n", "it stands here twice"),
            ("[health.customizations]\n\"\" = 'x'\n", "names no kinds"),
            ("[health.customizations]\n\"a/[B\" = 'x'\n", "names no kinds"),
            ("[health]\nunknown_kinds = \"some\"\n", "\"conditions\" or \"none\""),
            ("[health]\nargocd_cm = true\n", "a text in quotes"),
            ("[health]\nargocd_cm = \"\"\n", "name of a namespace"),
        ] {
            let said = read(text).map(|loaded| format!("{:?}", loaded.config)).unwrap_err();
            assert!(said.contains(words) && said.contains("config.toml:"), "{said}");
        }
    }
}
