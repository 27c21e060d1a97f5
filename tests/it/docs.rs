//! What the pages at the top level say is true: commands of the README exist, versions agree, the example file is complete.

use crate::support::{App, root};

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the lines of the README's blocks that are commands of the program.
fn commands(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line.starts_with("```sh");
        } else if inside && line.starts_with("syncwave") {
            found.push(line.split(" #").next().unwrap_or(line).trim().to_owned());
        }
    }
    found
}

#[test]
fn every_command_of_the_readme_exists_with_its_options() {
    let readme = read("README.md");
    let commands = commands(&readme);
    assert!(commands.len() >= 5, "the README shows commands: {commands:?}");
    for command in commands {
        let line = command.trim_start_matches("syncwave").split('|').next().unwrap_or_default().to_owned();
        let done = App::new(&line).argument("--help").run();
        assert_eq!(done.code, Some(0), "{command}: {}", done.err);
    }
}

#[test]
fn every_option_of_the_program_stands_in_the_readme() {
    let readme = read("README.md");
    for command in ["sync", "plan", "demo"] {
        let help = App::new(command).argument("--help").run().out;
        for word in help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2) {
            let option = word.trim_end_matches([',', ';', '.']);
            assert!(option == "--help" || readme.contains(option), "README.md does not name {option} of `{command}`");
        }
    }
}

#[test]
fn the_two_commands_stand_in_the_readme() {
    let readme = read("README.md");
    for command in ["cargo run -- demo", "cargo test"] {
        assert!(readme.contains(command), "{command}");
    }
}

#[test]
fn the_change_log_has_the_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("CHANGELOG.md").contains(&format!("## {version}")), "CHANGELOG.md has no section for {version}");
}

#[test]
fn the_example_configuration_is_read_without_complaint() {
    let done = App::new("config show --config config.toml").file("config.toml", read("config.example.toml")).run();
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{done:?}");
    let defaults = App::new("config show").run();
    assert_eq!(done.out, defaults.out, "a file of comments changes nothing");
}

#[test]
fn pictures_in_the_readme_exist() {
    let readme = read("README.md");
    for part in readme.split("](").skip(1) {
        let link = part.split(')').next().unwrap_or_default();
        let is_file = !link.contains("://") && !link.starts_with('#') && !link.is_empty();
        assert!(!is_file || root().join(link).exists(), "README.md points to {link}, which does not exist");
    }
}
