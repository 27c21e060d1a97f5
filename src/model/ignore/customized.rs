//! Rules from Argo CD's system-level customisations: YAML with `jsonPointers`, `jqPathExpressions` and `managedFieldsManagers`. Reads the
//! text alone; what a rule selects is found in `plan::ignore`.

use serde_yaml::Value;

use super::{IgnoreRule, RuleText};

/// Reads the ignored differences of some kinds. `kinds` is `GROUP/KIND`, or `KIND` for the core group, with `*` as in patterns; `place` is
/// where the text stands, for sentences: `the key … of the ConfigMap …`. `None`: it says nothing.
///
/// # Errors
/// A whole sentence that names the place and the way out; then nothing of the text counts.
pub(crate) fn read_customized(kinds: &str, text: &str, place: &str) -> Result<Option<IgnoreRule>, String> {
    let refuse = |why: String| format!("the ignored differences of {kinds} cannot be used ({place}): {why}; the rule is left out");
    let (group, kind) = kinds.rsplit_once('/').unwrap_or(("", kinds));
    let mut rule = RuleText { group: group.to_owned(), kind: kind.to_owned(), ..RuleText::default() };
    let fields = match serde_yaml::from_str(text) {
        Ok(Value::Mapping(fields)) => fields,
        Ok(Value::Null) => return Ok(None),
        Ok(_) => return Err(refuse("it is no map; write jsonPointers: [/spec/replicas]".to_owned())),
        Err(error) => return Err(refuse(format!("it is not YAML: {error}"))),
    };
    for (name, value) in &fields {
        let slot = match name.as_str() {
            Some("jsonPointers") => &mut rule.json_pointers,
            Some("jqPathExpressions") => &mut rule.jq_path_expressions,
            Some("managedFieldsManagers") => &mut rule.managed_fields_managers,
            _ => {
                let why = "it has a field that is not known; the fields are jsonPointers, jqPathExpressions and managedFieldsManagers";
                return Err(refuse(why.to_owned()));
            }
        };
        *slot = texts(value).ok_or_else(|| refuse(format!("{} is no list of texts", name.as_str().unwrap_or_default())))?;
    }
    if rule.json_pointers.is_empty() && rule.jq_path_expressions.is_empty() && rule.managed_fields_managers.is_empty() {
        return Ok(None);
    }
    rule.read(place).map(Some).map_err(|fault| refuse(format!("{}{}", camel(fault.field), fault.why)))
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Sequence(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

/// Returns a field in Argo CD's spelling, with a colon.
fn camel(field: &str) -> String {
    let mut name = String::new();
    let mut is_start = false;
    for letter in field.chars() {
        if is_start {
            name.push(letter.to_ascii_uppercase());
        } else if letter != '_' {
            name.push(letter);
        }
        is_start = letter == '_';
    }
    if name.is_empty() { name } else { format!("{name}: ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceKey;

    const PLACE: &str = "the key resource.customizations.ignoreDifferences.x of the ConfigMap argocd/argocd-cm";

    #[test]
    fn r722_a_text_of_argocd_cm_becomes_one_rule_for_its_kinds() {
        let text =
            "jsonPointers:\n- /spec/replicas\njqPathExpressions:\n- '.webhooks[]?.clientConfig.caBundle'\nmanagedFieldsManagers: [hpa]\n";
        let rule = read_customized("apps/Deployment", text, PLACE).unwrap().unwrap();
        assert_eq!((rule.pointers.len(), rule.expressions.len(), rule.managers(), &*rule.origin), (1, 1, &["hpa".to_owned()][..], PLACE));
        for (kinds, group, kind, matches) in [
            ("apps/Deployment", "apps", "Deployment", true),
            ("apps/Deployment", "", "Deployment", false),
            ("*/*", "", "Service", true),
            ("*/*", "apps", "Deployment", true),
            ("Service", "", "Service", true),
            ("Service", "serving.knative.dev", "Service", false),
            ("*.example.com/*", "a.example.com", "Widget", true),
        ] {
            let rule = read_customized(kinds, text, PLACE).unwrap().unwrap();
            assert_eq!(rule.matches(&ResourceKey::new(group, kind, "shop", "x")), matches, "{kinds} {group}/{kind}");
        }
        for nothing in ["", "jsonPointers: []", "jsonPointers:"] {
            assert_eq!(read_customized("Service", nothing, PLACE), Ok(None), "{nothing}");
        }
    }

    #[test]
    fn a_text_of_argocd_cm_that_cannot_be_read_is_left_out_as_a_whole_and_its_key_named() {
        for (text, word) in [
            ("- /spec", "no map"),
            ("jsonPointers: /spec", "no list"),
            ("jsonPointers: [1]", "no list"),
            ("jsonPointers: [/spec, spec]", "jsonPointers: `spec`: a pointer begins with `/`"),
            ("jqPathExpressions: ['.spec = 1']", "jqPathExpressions: `.spec = 1`"),
            ("managedFieldsManagers: ['']", "managedFieldsManagers"),
            ("json_pointers: [/spec]", "not known"),
            ("a: [", "not YAML"),
        ] {
            let said = read_customized("apps/Deployment", text, PLACE).unwrap_err();
            assert!(said.contains(PLACE) && said.contains("apps/Deployment") && said.contains(word), "{said}");
        }
    }
}
