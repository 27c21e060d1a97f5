//! Health rules of the file, `[health.customizations]`: one Lua text for each kind, or for the kinds of a pattern (spec R411.2).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::Spanned;
use toml::de::DeValue;

use super::Loaded;
use super::file::{ConfigError, Reading, Told};
use super::keys::{Value, dotted};
use crate::model::Glob;

const PATH: &str = "health.customizations";

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
        Glob::parse(&kinds).map_err(|why| reading.fault(format!("`{key}` names no kinds: {why}"), name.span()))?;
        let DeValue::String(source) = value.get_ref() else {
            return Err(reading.wrong(&key, "it must be Lua between three quotes, \"\"\"", value.span()));
        };
        told.origin(key, reading, name.span().start);
        rules.insert(kinds, source.to_string());
    }
    Ok(rules)
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
        assert!(read(&text).unwrap().config.customizations["example.com/Widget"].ends_with("for the widget\" }\n"), "{text}");
    }

    #[test]
    fn what_is_no_rule_is_shown_with_its_line_and_the_way_out() {
        for (text, words) in [
            ("[health]\ncustomizations = 3\n", "[health.customizations]"),
            ("[health.customizations]\n\"a/B\" = 3\n", "it must be Lua"),
            ("[health.customizations]\n\"a/B\" = { lua = 'x' }\n", "it must be Lua"),
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
