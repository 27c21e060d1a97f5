//! The stories that the program brings along, compiled in: for each its script and its manifests. A new folder of `assets/demo` is
//! added to the table here; a test finds the one that was forgotten. Knows nothing of how a story is played.

use crate::manifest::Source;

/// The story that plays when none is named and nobody can choose.
pub(crate) const FIRST: &str = "web-shop";

/// A story of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shipped {
    pub(crate) name: &'static str,
    /// Text of `story.yaml`, and the path that messages give it.
    pub(crate) script: (&'static str, &'static str),
    /// Path and text of each manifest.
    pub(crate) manifests: &'static [(&'static str, &'static str)],
}

macro_rules! story {
    ($name:literal: $($file:literal),+) => {
        Shipped {
            name: $name,
            script: (concat!("assets/demo/", $name, "/story.yaml"), include_str!(concat!("../assets/demo/", $name, "/story.yaml"))),
            manifests: &[$((
                concat!("assets/demo/", $name, "/manifests/", $file),
                include_str!(concat!("../assets/demo/", $name, "/manifests/", $file)),
            )),+],
        }
    };
}

/// Every story, in the order of the gallery.
pub(crate) const STORIES: [Shipped; 6] = [
    story!("web-shop": "hooks.yaml", "web.yaml"),
    story!("blue-green": "app.yaml"),
    story!("notify": "app.yaml", "chat.yaml", "mail.yaml"),
    story!("presync-fail": "app.yaml"),
    story!("flaky": "app.yaml"),
    story!("endless": "app.yaml"),
];

/// The cluster of `--embedded` without a story: everything succeeds after a moment.
pub(crate) const PLAIN_CLUSTER: (&str, &str) = (
    "embedded",
    "apiVersion: sim/v1\nkind: Scenario\nmetadata: {name: embedded}\nabout: A cluster without a story.\n\
     clock: {start: 2026-03-01T09:00:00Z}\n",
);

impl Shipped {
    /// Returns the story of this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        STORIES.iter().find(|story| story.name == name)
    }

    /// Returns the manifests as a source.
    pub(crate) fn source(&'static self) -> Source {
        Source::Memory { name: self.name, files: self.manifests }
    }
}

/// Returns the names of all stories, for sentences.
pub(crate) fn names() -> String {
    STORIES.map(|story| story.name).join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn files(folder: &Path) -> BTreeSet<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn every_story_and_every_manifest_of_the_folder_is_in_the_table() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
        assert_eq!(files(&folder), STORIES.iter().map(|story| story.name.to_owned()).collect());
        for story in &STORIES {
            let named = story.manifests.iter().map(|(path, _)| path.rsplit('/').next().unwrap().to_owned()).collect();
            assert_eq!(files(&folder.join(story.name).join("manifests")), named, "{}", story.name);
        }
    }

    #[tokio::test]
    async fn every_story_has_manifests_with_places() {
        for story in &STORIES {
            let loaded = crate::manifest::load(&story.source(), &Default::default()).await.unwrap();
            assert!(!loaded.manifests.is_empty(), "{}", story.name);
            assert!(loaded.manifests.iter().all(|manifest| manifest.origin.file.starts_with("assets/demo/")), "{}", story.name);
        }
    }

    #[test]
    fn the_first_story_is_the_one_that_plays_by_itself() {
        assert_eq!(STORIES[0].name, FIRST);
    }
}
