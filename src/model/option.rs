//! Options of a whole operation (spec R701): exact strings, as a resource's annotation has them too. Knows what each is called and what
//! values it takes; who honours it is not its business.

use serde::Serialize;

/// Options as they were given, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Options(Vec<String>);

/// What happens to what a deleted object owns (spec R719).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) enum Propagation {
    /// What it owns goes first, then the object.
    #[default]
    Foreground,
    /// The object goes at once, what it owns later.
    Background,
    /// What it owns stays.
    Orphan,
}

impl Propagation {
    /// Returns the word of the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Foreground => "Foreground",
            Self::Background => "Background",
            Self::Orphan => "Orphan",
        }
    }
}

/// Every option that has an effect on an operation, and the values that it may have (spec R727).
const KNOWN: [(&str, &[&str]); 13] = [
    ("Prune", &["true", "false", "confirm"]),
    // For the deletion of the app alone (spec R705).
    ("Delete", &["true", "false", "confirm"]),
    ("PruneLast", &["true"]),
    ("PrunePropagationPolicy", &["foreground", "background", "orphan"]),
    ("Validate", &["false"]),
    ("Replace", &["true"]),
    ("ServerSideApply", &["true"]),
    ("ClientSideApplyMigration", &["false"]),
    ("SkipDryRunOnMissingResource", &["true"]),
    ("ApplyOutOfSyncOnly", &["true"]),
    ("CreateNamespace", &["true"]),
    ("FailOnSharedResource", &["true"]),
    ("RespectIgnoreDifferences", &["true"]),
];

impl Options {
    /// Takes options as they are.
    pub(crate) fn new(items: impl IntoIterator<Item = String>) -> Self {
        Self(items.into_iter().collect())
    }

    /// Returns the items, in order.
    pub(crate) fn items(&self) -> &[String] {
        &self.0
    }

    /// Returns whether exactly this text is among them (spec R702).
    pub(crate) fn has(&self, option: &str) -> bool {
        self.0.iter().any(|item| item == option)
    }

    /// Returns the value of the first item of this name (spec R104, R702).
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|item| item.strip_prefix(name)?.strip_prefix('='))
    }

    /// Returns the same options with this one, or without it.
    pub(crate) fn switched(&self, option: &str, is_on: bool) -> Self {
        let mut items = self.0.clone();
        match (self.has(option), is_on) {
            (false, true) => items.push(option.to_owned()),
            (true, false) => items.retain(|item| item != option),
            (true, true) | (false, false) => {}
        }
        Self(items)
    }

    /// Returns how deletions spread: of several, background beats foreground beats orphan (spec R719).
    pub(crate) fn propagation(&self) -> Propagation {
        let asks = |word: &str| self.has(&format!("PrunePropagationPolicy={word}"));
        if asks("background") {
            Propagation::Background
        } else if asks("foreground") || !asks("orphan") {
            Propagation::Foreground
        } else {
            Propagation::Orphan
        }
    }

    /// Returns, for each item without effect, a sentence that says so and what would have one. Unknown options are ignored, as in
    /// Argo CD (spec R702), but not in silence.
    pub(crate) fn concerns(&self) -> Vec<String> {
        self.0.iter().filter_map(|item| concern(item)).collect()
    }
}

fn concern(item: &str) -> Option<String> {
    let (name, value) = item.split_once('=').unwrap_or((item, ""));
    let Some((known, values)) = KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())) else {
        return Some(format!("the sync option `{item}` is not known and has no effect"));
    };
    if *known == name && values.contains(&value) {
        return None;
    }
    let right: Vec<String> = values.iter().map(|value| format!("{known}={value}")).collect();
    Some(format!("the sync option `{item}` has no effect; write {}", right.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(items: &[&str]) -> Options {
        Options::new(items.iter().map(|item| (*item).to_owned()))
    }

    #[test]
    fn r702_an_option_is_an_exact_text_and_its_value_that_of_the_first_item() {
        let given = options(&["Prune=false", "Prune=confirm", "prunelast=true"]);
        assert_eq!(given.value("Prune"), Some("false"));
        assert!(given.has("Prune=confirm") && !given.has("PruneLast=true"));
        assert_eq!(options(&["Prune"]).value("Prune"), None);
    }

    #[test]
    fn t78_r719_of_several_propagations_background_beats_foreground_beats_orphan() {
        for (items, expected) in [
            (&[][..], Propagation::Foreground),
            (&["PrunePropagationPolicy=background"], Propagation::Background),
            (&["PrunePropagationPolicy=foreground", "PrunePropagationPolicy=background"], Propagation::Background),
            (&["PrunePropagationPolicy=orphan", "PrunePropagationPolicy=foreground"], Propagation::Foreground),
            (&["PrunePropagationPolicy=orphan"], Propagation::Orphan),
            (&["PrunePropagationPolicy=Orphan"], Propagation::Foreground),
        ] {
            assert_eq!(options(items).propagation(), expected, "{items:?}");
        }
    }

    #[test]
    fn t199_an_option_without_effect_is_named_with_what_would_have_one() {
        let said = options(&["PruneLast=True", "nonsense", "CreateNamespace=true", " replace=true"]).concerns();
        assert_eq!(
            said,
            [
                "the sync option `PruneLast=True` has no effect; write PruneLast=true",
                "the sync option `nonsense` is not known and has no effect",
                "the sync option ` replace=true` has no effect; write Replace=true",
            ]
        );
    }
}
