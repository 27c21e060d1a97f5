//! A program of the person's choice that shows a difference instead of the screens: which one it is, and what it is given, in a private
//! folder. Gets only text that is masked and cleaned already; knows neither the terminal nor what runs meanwhile.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::scratch::Scratch;

/// The variable that kubectl reads too.
const EXTERNAL_DIFF: &str = "KUBECTL_EXTERNAL_DIFF";
/// What shows a text where nobody has said anything else.
const PAGER: &str = "less";
/// Longest name of a file, without its end.
const NAME: usize = 80;

/// A difference as a viewer gets it. Secrets are masked, and nothing in it controls a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Showing {
    /// What it is about, for the names of files.
    pub(crate) name: String,
    /// Both sides as YAML; one that there is not is empty.
    pub(crate) live: String,
    pub(crate) target: String,
    /// Both in one text.
    pub(crate) unified: String,
}

/// A program and its first arguments, split at spaces: no shell reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Viewer {
    words: Vec<String>,
    /// It gets one text instead of two files.
    is_pager: bool,
}

impl Viewer {
    /// Chooses the configured program, else the one that kubectl would take, else the pager.
    pub(crate) fn choose(configured: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let both = configured.map(words).into_iter().chain(variable(EXTERNAL_DIFF).as_deref().map(words)).find(|words| !words.is_empty());
        if let Some(words) = both {
            return Self { words, is_pager: false };
        }
        let pager = variable("PAGER").as_deref().map(words).filter(|words| !words.is_empty());
        Self { words: pager.unwrap_or_else(|| vec![PAGER.to_owned()]), is_pager: true }
    }

    /// Returns the name of the program.
    pub(crate) fn program(&self) -> &str {
        self.words.first().map_or(PAGER, String::as_str)
    }

    /// Writes what the program is given into a folder.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub(crate) fn prepare(&self, showing: &Showing) -> io::Result<Prepared> {
        let folder = Scratch::new(&std::env::temp_dir(), "syncwave-diff")?;
        let write = |name: &str, text: &str| written(folder.path(), name, text);
        let name = file_name(&showing.name);
        let files = if self.is_pager {
            vec![write(&format!("{name}.diff"), &showing.unified)?]
        } else {
            vec![write(&format!("live-{name}.yaml"), &showing.live)?, write(&format!("target-{name}.yaml"), &showing.target)?]
        };
        let first = self.words.iter().skip(1).map(Into::into);
        let arguments = first.chain(files.into_iter().map(PathBuf::into_os_string)).collect();
        Ok(Prepared { arguments, _folder: folder })
    }

    /// Returns why the program did not start, and what to do.
    pub(crate) fn absent(&self, error: &io::Error) -> String {
        let program = self.program();
        let way = "set [ui] diff_viewer, KUBECTL_EXTERNAL_DIFF or PAGER to one that is installed";
        match error.kind() {
            io::ErrorKind::NotFound => format!("there is no program `{program}` to show it: {way}"),
            _ => format!("`{program}` cannot be started ({error}): {way}"),
        }
    }
}

/// What a viewer is started with; its files go with it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) arguments: Vec<std::ffi::OsString>,
    _folder: Scratch,
}

fn written(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let path = folder.join(name);
    std::fs::File::create_new(&path)?.write_all(text.as_bytes())?;
    Ok(path)
}

fn file_name(name: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-') { letter.to_ascii_lowercase() } else { '-' };
    name.chars().take(NAME).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(configured: Option<&str>, variables: &[(&str, &str)]) -> Viewer {
        Viewer::choose(configured, |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn showing() -> Showing {
        let text = |text: &str| text.to_owned();
        Showing { name: text("Secret/a b/../ü"), live: text("a: 1\n"), target: text("a: 2\n"), unified: text("-a: 1\n+a: 2\n") }
    }

    #[test]
    fn the_configured_program_beats_kubectls_which_beats_the_pager() {
        let both = |words: &[&str]| Viewer { words: words.iter().map(|word| (*word).to_owned()).collect(), is_pager: false };
        let variables = [("KUBECTL_EXTERNAL_DIFF", "dyff  between"), ("PAGER", "most")];
        assert_eq!(viewer(Some("delta --side-by-side"), &variables), both(&["delta", "--side-by-side"]));
        assert_eq!(viewer(None, &variables), both(&["dyff", "between"]));
        assert_eq!(viewer(Some("  "), &variables), both(&["dyff", "between"]));
        assert_eq!(viewer(None, &variables[1..]), Viewer { words: vec!["most".to_owned()], is_pager: true });
        assert_eq!(viewer(None, &[("PAGER", " ")]), Viewer { words: vec!["less".to_owned()], is_pager: true });
    }

    #[test]
    fn a_viewer_gets_two_files_and_a_pager_one_text_and_they_are_gone_afterwards() {
        let prepared = viewer(Some("delta -n"), &[]).prepare(&showing()).unwrap();
        let [option, live, target] = &prepared.arguments[..] else { panic!("{prepared:?}") };
        assert_eq!(option, "-n");
        assert_eq!(std::fs::read_to_string(live).unwrap(), "a: 1\n");
        assert_eq!(std::fs::read_to_string(target).unwrap(), "a: 2\n");
        let file = Path::new(live).to_owned();
        assert_eq!(file.file_name().unwrap(), "live-secret-a-b-..--.yaml");
        let pager = viewer(None, &[]).prepare(&showing()).unwrap();
        let [text] = &pager.arguments[..] else { panic!("{pager:?}") };
        assert_eq!(std::fs::read_to_string(text).unwrap(), "-a: 1\n+a: 2\n");
        drop(prepared);
        assert!(!file.exists() && !file.parent().unwrap().exists());
        assert!(Path::new(text).exists(), "each has a folder of its own");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_what_a_viewer_is_given() {
        use std::os::unix::fs::PermissionsExt as _;
        let prepared = viewer(None, &[]).prepare(&showing()).unwrap();
        let folder = Path::new(&prepared.arguments[0]).parent().unwrap();
        assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_missing_program_is_named_with_the_way_out() {
        let said = viewer(Some("nothing-here"), &[]).absent(&io::ErrorKind::NotFound.into());
        assert_eq!(
            said,
            "there is no program `nothing-here` to show it: set [ui] diff_viewer, KUBECTL_EXTERNAL_DIFF or PAGER to one that is installed"
        );
    }
}
