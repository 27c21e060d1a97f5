//! Ignored differences of an app: `[[apps.NAME.ignore_differences]]`. What a rule selects is found in `plan::ignore`.

use std::fmt::Write as _;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::apps::line;
use super::file::{At, ConfigError, Reading, Told};
use super::keys::{IGNORE_KEYS, dotted};
use crate::model::{IgnoreRule, RuleText};

impl super::Config {
    /// Returns the rules of an app. They hold for whatever is synced under its name, as its windows do.
    pub(crate) fn ignored_by(&self, app: &str) -> &[IgnoreRule] {
        self.apps.get(app).map(|app| app.ignore_differences.as_slice()).unwrap_or_default()
    }
}

/// Reads an array of rules. A rule that cannot be used is an error, so none is ever left out in silence.
pub(super) fn read_rules(
    reading: &Reading<'_>,
    path: &str,
    value: &Spanned<DeValue<'_>>,
    told: &mut Told<'_>,
) -> Result<Vec<IgnoreRule>, ConfigError> {
    let path = dotted(&[path, "ignore_differences"]);
    let wrong = |span| reading.wrong(&path, &format!("ignored differences are tables, each with the header [[{path}]]"), span);
    let DeValue::Array(items) = value.get_ref() else { return Err(wrong(value.span())) };
    let mut rules = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let DeValue::Table(table) = item.get_ref() else { return Err(wrong(item.span())) };
        rules.push(read_rule(reading, &format!("{path}[{number}]"), (table, item.span()), told)?);
    }
    Ok(rules)
}

fn read_rule(
    reading: &Reading<'_>,
    own: &str,
    (table, span): (&DeTable<'_>, Range<usize>),
    told: &mut Told<'_>,
) -> Result<IgnoreRule, ConfigError> {
    let mut text = RuleText::default();
    for (name, value) in reading.in_order(table) {
        // Copied from an Application, where the names are in camelCase.
        let name = Spanned::new(name.span(), snake(name.get_ref()).into());
        reading.entry(&IGNORE_KEYS, &mut text, At { path: own, section: "" }, (&name, value), told)?;
    }
    told.origin(own.to_owned(), reading, span.start);
    text.read(own).map_err(|fault| {
        let of_field = table.iter().find(|(name, _)| snake(name.get_ref()) == fault.field);
        match of_field {
            Some((_, value)) => reading.wrong(&dotted(&[own, fault.field]), &fault.why, value.span()),
            None => reading.fault(format!("`{own}`: {}", fault.why), span.clone()),
        }
    })
}

/// Returns a name in the configuration's spelling.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// Writes rules as TOML.
pub(super) fn show(text: &mut String, (path, header): (&str, &str), rules: &[IgnoreRule], origin: &dyn Fn(&str) -> String) {
    for (number, rule) in rules.iter().enumerate() {
        let own = format!("{path}.ignore_differences[{number}]");
        let _infallible = writeln!(text, "\n[[{header}.ignore_differences]]{}", origin(&own));
        text.extend(
            IGNORE_KEYS.iter().filter_map(|key| line(key, rule.text(), &own, &|_| String::new())).filter(|line| !line.ends_with("= []\n")),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Loaded;
    use crate::failure::Failure;
    use crate::model::ResourceKey;

    fn loaded(text: &str) -> Loaded {
        let mut loaded = Loaded::default();
        let text = format!("[apps.shop]\nsource = \"a\"\n{text}");
        loaded.read_file(Path::new("config.toml"), &text).unwrap_or_else(|error| panic!("{}", Failure::diagnostic(&error)));
        loaded
    }

    fn refused(text: &str) -> String {
        let text = format!("[apps.shop]\nsource = \"a\"\n{text}");
        Failure::diagnostic(&Loaded::default().read_file(Path::new("config.toml"), &text).unwrap_err()).to_string()
    }

    const RULE: &str = "[[apps.shop.ignore_differences]]\n";

    #[test]
    fn r722_rules_are_read_in_both_spellings_and_shown_in_ours() {
        let loaded = loaded(&format!(
            "{RULE}group = \"apps\"\nkind = \"Deployment\"\nname = \"web\"\nnamespace = \"shop\"\njson_pointers = [\"/spec/replicas\"]\n\
             {RULE}kind = \"*\"\njqPathExpressions = [\".metadata.annotations[\\\"a/b\\\"]\"]\nmanagedFieldsManagers = [\"hpa\"]\n"
        ));
        assert_eq!(loaded.notices, [""; 0]);
        let rules = &loaded.config.apps["shop"].ignore_differences;
        assert_eq!((rules.len(), &*rules[1].origin), (2, "apps.shop.ignore_differences[1]"));
        assert!(rules[0].matches(&ResourceKey::new("apps", "Deployment", "shop", "web")) && rules[1].managers() == ["hpa"]);
        assert_eq!(loaded.origin("apps.shop.ignore_differences[0]", "json_pointers").to_string(), "config.toml:8");
        let shown = loaded.show(true);
        assert!(shown.contains("[[apps.shop.ignore_differences]]  # config.toml:3\ngroup = \"apps\"\n"), "{shown}");
        let mut again = Loaded::default();
        again.read_file(Path::new("config.toml"), &shown).unwrap();
        assert_eq!(again.config, loaded.config);
    }

    #[test]
    fn a_rule_that_cannot_be_used_is_shown_with_its_line_and_a_caret() {
        for (text, words) in [
            ("ignore_differences = 1\n".to_owned(), ["apps.shop.ignore_differences", "[[apps.shop.ignore_differences]]", "config.toml:3"]),
            (
                "ignore_differences = [1]\n".to_owned(),
                ["apps.shop.ignore_differences", "[[apps.shop.ignore_differences]]", "config.toml:3"],
            ),
            (RULE.to_owned(), ["apps.shop.ignore_differences[0]", "`*` for every kind", "config.toml:3"]),
            (format!("{RULE}kind = \"*\"\n"), ["apps.shop.ignore_differences[0]", "ignores nothing", "config.toml:3"]),
            (format!("{RULE}kind = \"*\"\njson_pointers = [\"spec\"]\n"), ["[0].json_pointers", "write /spec", "config.toml:5"]),
            (format!("{RULE}kind = \"*\"\njsonPointers = [\"/~\"]\n"), ["[0].json_pointers", "~0", "config.toml:5"]),
            (format!("{RULE}kind = \"*\"\njq_path_expressions = [\".a = 1\"]\n"), ["[0].jq_path_expressions", "`.a = 1`", "config.toml:5"]),
            (format!("{RULE}kind = \"[\"\njson_pointers = [\"/a\"]\n"), ["[0].kind", "without its end", "config.toml:4"]),
            (format!("{RULE}kind = 1\n"), ["[0].kind", "text in quotes", "config.toml:4"]),
            (format!("{RULE}kind = \"*\"\njson_pointers = \"/a\"\n"), ["[0].json_pointers", "list of texts", "config.toml:5"]),
        ] {
            let said = refused(&text);
            assert!(words.iter().all(|word| said.contains(word)) && said.contains("here"), "{text}\n{said}");
        }
    }

    #[test]
    fn a_key_that_does_not_exist_is_named_with_its_line() {
        let loaded = loaded(&format!("{RULE}kind = \"*\"\njson_pointer = []\njsonPointers = [\"/a\"]\n"));
        let said = "config.toml:5: there is no key `apps.shop.ignore_differences[0].json_pointer`; did you mean";
        assert!(loaded.notices[0].starts_with(said), "{:?}", loaded.notices);
    }
}
