//! The configuration: defaults, then the file, then `SYNCWAVE_<SECTION>__<KEY>`, then options (decision 25). Plain data with the
//! origin of every value; knows no terminal and no cluster.

mod apps;
mod file;
mod health;
mod ignore;
mod keys;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::{UnknownKinds, Window};
pub(crate) use apps::{App, app_name};
pub(crate) use file::ConfigError;
use keys::{KEYS, Key};
pub(crate) use keys::{Value, distance, duration};
pub(crate) use values::{ArgocdCm, HookSucceeded, RetryFactor, RetryLimit, TimeLimit};

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// Context of the kubeconfig; `None`: the current one.
    pub(crate) context: Option<String>,
    /// Kubeconfig file; `None`: the one that kubectl would use.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Patterns of contexts whose syncs ask for the app's name (decision 13).
    pub(crate) protected: Vec<String>,
    pub(crate) read_only: bool,
    pub(crate) prune: bool,
    /// Options of every sync (spec R701).
    pub(crate) sync_options: Vec<String>,
    pub(crate) retry_limit: RetryLimit,
    /// Pause before the first retry.
    pub(crate) retry_duration: Duration,
    pub(crate) retry_factor: RetryFactor,
    /// Longest pause; zero: no limit.
    pub(crate) retry_max_duration: Duration,
    /// Of a whole operation.
    pub(crate) timeout: TimeLimit,
    pub(crate) phase_timeout: TimeLimit,
    pub(crate) hook_timeout: TimeLimit,
    /// How long nothing may change before it is said; zero: it is never said.
    pub(crate) stall_after: Duration,
    pub(crate) wave_delay: Duration,
    pub(crate) hook_succeeded: HookSucceeded,
    /// Objects that are as the manifests want them are not sent again.
    pub(crate) skip_unchanged: bool,
    /// Sync windows for all apps, `[[sync.windows]]`.
    pub(crate) windows: Vec<Window>,
    /// How kinds without a health rule are judged.
    pub(crate) unknown_kinds: UnknownKinds,
    /// Folder of Lua health rules.
    pub(crate) lua: Option<PathBuf>,
    /// Where the `argocd-cm` is whose customizations hold too; `None`: none is read.
    pub(crate) argocd_cm: Option<ArgocdCm>,
    /// Lua health rules by kinds, `[health.customizations]`.
    pub(crate) customizations: BTreeMap<String, String>,
    /// Apps by name, `[apps.NAME]`.
    pub(crate) apps: BTreeMap<String, App>,
    /// Glyphs of ASCII only.
    pub(crate) ascii: bool,
    pub(crate) color: bool,
    /// Program that shows a difference outside of the screens; `None`: the one that kubectl would take, or the pager.
    pub(crate) diff_viewer: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            context: None,
            kubeconfig: None,
            protected: vec!["*prod*".to_owned()],
            read_only: false,
            prune: false,
            sync_options: Vec::new(),
            retry_limit: RetryLimit::default(),
            retry_duration: Duration::from_secs(5),
            retry_factor: RetryFactor::default(),
            retry_max_duration: Duration::from_secs(180),
            timeout: TimeLimit::default(),
            phase_timeout: TimeLimit::default(),
            hook_timeout: TimeLimit::default(),
            stall_after: Duration::from_secs(120),
            wave_delay: Duration::ZERO,
            hook_succeeded: HookSucceeded::default(),
            skip_unchanged: true,
            windows: Vec::new(),
            unknown_kinds: UnknownKinds::default(),
            lua: None,
            argocd_cm: None,
            customizations: BTreeMap::new(),
            apps: BTreeMap::new(),
            ascii: false,
            color: true,
            diff_viewer: None,
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Variable(String),
    Option(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Option(name) => f.write_str(name),
        }
    }
}

/// A configuration, where its values come from, and what in its sources had no effect.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// By the path of the key, for example `sync.prune`.
    origins: BTreeMap<String, Origin>,
    /// Sentences about unknown keys.
    pub(crate) notices: Vec<String>,
}

/// Whether a file must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

/// Reads the file, then the variables.
///
/// # Errors
/// The file cannot be read or is no TOML, or a known key has a value that it cannot have.
pub(crate) fn load(path: &Path, presence: Presence, variables: impl IntoIterator<Item = (String, String)>) -> Result<Loaded, ConfigError> {
    let mut loaded = Loaded::default();
    match std::fs::read_to_string(path) {
        Ok(text) => loaded.read_file(path, &text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && presence == Presence::Optional => {}
        Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
    }
    let mut variables: Vec<(String, String)> = variables.into_iter().collect();
    variables.sort();
    for (name, text) in variables {
        loaded.read_variable(&name, &text)?;
    }
    Ok(loaded)
}

impl Loaded {
    /// Sets a value by an option of the command line.
    pub(crate) fn override_with(&mut self, option: &'static str, section: &str, name: &str, value: Value) {
        let key = Key::find(section, name).expect("options override keys that exist");
        key.set(&mut self.config, value).expect("the command line has checked the value");
        self.origins.insert(keys::dotted(&[key.section, key.name]), Origin::Option(option));
    }

    /// Returns where the value of a key comes from.
    pub(crate) fn origin(&self, section: &str, name: &str) -> Origin {
        self.origins.get(&keys::dotted(&[section, name])).cloned().unwrap_or(Origin::Default)
    }

    /// Returns the configuration as TOML, with origins as comments if asked for.
    pub(crate) fn show(&self, origins: bool) -> String {
        let comment = |path: &str| if origins { format!("  # {}", self.origin("", path)) } else { String::new() };
        let mut lines = Vec::new();
        for (at, key) in KEYS.iter().enumerate() {
            if at == 0 || KEYS[at - 1].section != key.section {
                lines.push(format!("{}[{}]", if at == 0 { "" } else { "\n" }, key.section));
            }
            let line = match (key.field)(&self.config).value() {
                Some(value) => format!("{} = {value}", key.name),
                None => format!("# {} is not set", key.name),
            };
            lines.push(line + &comment(&keys::dotted(&[key.section, key.name])));
        }
        lines.join("\n") + "\n" + &health::show(&self.config.customizations, &comment) + &apps::show(&self.config, &comment)
    }

    fn read_variable(&mut self, variable: &str, text: &str) -> Result<(), ConfigError> {
        let Some((section, name)) = variable.strip_prefix("SYNCWAVE_").and_then(|rest| rest.split_once("__")) else { return Ok(()) };
        let (section, name) = (section.to_lowercase(), name.to_lowercase());
        let Some(key) = Key::find(&section, &name) else {
            let why = match (section.as_str(), name.as_str()) {
                ("apps", _) | ("sync", "windows") | ("health", "customizations") => {
                    "apps, windows and customizations are read from the file only".to_owned()
                }
                _ => keys::no_such_key(&KEYS, "", &section, &name),
            };
            self.notices.push(format!("the variable {variable} has no effect: {why}"));
            return Ok(());
        };
        key.kind().parse(text).and_then(|value| key.set(&mut self.config, value)).map_err(|why| ConfigError::Variable {
            name: variable.to_owned(),
            value: text.to_owned(),
            why,
        })?;
        self.origins.insert(keys::dotted(&[key.section, key.name]), Origin::Variable(variable.to_owned()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str) -> Loaded {
        let mut loaded = Loaded::default();
        loaded.read_file(Path::new("config.toml"), text).unwrap();
        loaded
    }

    fn refused(text: &str) -> String {
        let mut loaded = Loaded::default();
        let error = loaded.read_file(Path::new("config.toml"), text).unwrap_err();
        crate::failure::Failure::diagnostic(&error).to_string()
    }

    #[test]
    fn the_file_beats_defaults_variables_beat_the_file_and_options_beat_all() {
        let mut loaded = loaded("[cluster]\ncontext = \"file\"\n[sync]\nwave_delay = \"2s\"\n[safety]\nread_only = true\n");
        loaded.read_variable("SYNCWAVE_CLUSTER__CONTEXT", "variable").unwrap();
        loaded.read_variable("SYNCWAVE_SAFETY__PROTECTED", "live-*, *prod*").unwrap();
        loaded.override_with("--context", "cluster", "context", Value::Text("option".into()));
        assert_eq!(
            loaded.config,
            Config {
                context: Some("option".into()),
                wave_delay: Duration::from_secs(2),
                read_only: true,
                protected: vec!["live-*".into(), "*prod*".into()],
                ..Config::default()
            }
        );
        assert_eq!(loaded.origin("cluster", "context"), Origin::Option("--context"));
        assert_eq!(loaded.origin("sync", "wave_delay").to_string(), "config.toml:4");
        assert_eq!(loaded.origin("ui", "color"), Origin::Default);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_has_no_effect() {
        let loaded = loaded("[ui]\nascci = true\n\n[nonsense]\na = 1\n");
        assert_eq!(loaded.config, Config::default());
        assert_eq!(loaded.notices.len(), 2, "{:?}", loaded.notices);
        assert!(loaded.notices[0].contains("config.toml:2") && loaded.notices[0].contains("did you mean `ui.ascii`"));
        assert!(loaded.notices[1].contains("config.toml:4") && loaded.notices[1].contains("nonsense"));
    }

    #[test]
    fn a_variable_without_two_underscores_is_no_configuration_and_an_unknown_one_is_named() {
        let mut loaded = Loaded::default();
        for name in ["SYNCWAVE_E2E_KUBECONFIG", "HOME", "SYNCWAVE_UI__COLOUR"] {
            loaded.read_variable(name, "x").unwrap();
        }
        assert_eq!(loaded.notices.len(), 1);
        assert!(loaded.notices[0].contains("SYNCWAVE_UI__COLOUR"));
        assert_eq!(loaded.config, Config::default());
    }

    #[test]
    fn a_wrong_value_is_shown_with_its_line_and_a_caret() {
        for (text, words) in [
            ("[safety]\nread_only = \"yes\"\n", ["safety.read_only", "true or false", "config.toml:2"]),
            ("[sync]\nwave_delay = 2\n", ["sync.wave_delay", "2s", "config.toml:2"]),
            ("[safety]\nprotected = [1]\n", ["safety.protected", "list of texts", "config.toml:2"]),
            ("[sync]\nwave_delay = \"soon\"\n", ["sync.wave_delay", "unit", "config.toml:2"]),
            ("cluster = 1\n", ["cluster", "section", "config.toml:1"]),
            ("[ui\n", ["config.toml:1", "TOML", "["]),
        ] {
            let said = refused(text);
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let first = loaded("[cluster]\ncontext = \"a\\\"b\"\n[sync]\nwave_delay = \"1m30s\"\nprune = true\n");
        let second = loaded(&first.show(true));
        assert_eq!(first.config, second.config);
        assert!(first.show(true).contains("prune = true  # config.toml:5"), "{}", first.show(true));
    }

    #[test]
    fn a_missing_file_is_an_error_only_if_it_was_asked_for() {
        let path = Path::new("/nonexistent/config.toml");
        assert!(load(path, Presence::Optional, []).is_ok());
        let error = load(path, Presence::Required, []).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/config.toml"));
    }

    #[test]
    fn the_example_file_shows_every_key_with_its_default() {
        let text = include_str!("../config.example.toml");
        let uncommented: String = text.lines().filter_map(uncomment).collect();
        let loaded = loaded(&uncommented);
        assert_eq!(loaded.notices, [""; 0]);
        let plain = Config { windows: Vec::new(), customizations: BTreeMap::new(), apps: BTreeMap::new(), ..loaded.config.clone() };
        let expected = Config {
            context: Some("my-context".into()),
            kubeconfig: Some("~/.kube/config".into()),
            lua: Some("rules/".into()),
            argocd_cm: Some(ArgocdCm("argocd".into())),
            diff_viewer: Some("delta --side-by-side".into()),
            ..Config::default()
        };
        assert_eq!(plain, expected);
        let paths = KEYS
            .iter()
            .map(|key| keys::dotted(&[key.section, key.name]))
            .chain(keys::APP_KEYS.iter().map(|key| keys::dotted(&["apps.shop", key.section, key.name])))
            .chain(keys::WINDOW_KEYS.iter().map(|key| keys::dotted(&["sync.windows[0]", key.name])))
            .chain(keys::IGNORE_KEYS.iter().map(|key| keys::dotted(&["apps.shop.ignore_differences[0]", key.name])))
            .chain(["apps.shop.windows[0].kind".to_owned()]);
        let missing: Vec<String> = paths.filter(|path| loaded.origin("", path) == Origin::Default).collect();
        assert_eq!(missing, [""; 0]);
    }

    /// `# key = value` is a commented key, `# Words` is prose.
    fn uncomment(line: &str) -> Option<String> {
        let rest = line.strip_prefix("# ").unwrap_or(line);
        let is_key =
            rest.split_once(" = ").is_some_and(|(name, _)| name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'));
        (is_key || rest.starts_with('[')).then(|| format!("{rest}\n"))
    }
}
