//! What is read, what is refused, and how both look to a person.

mod errors;
mod objects;
mod scalars;
mod sources;
mod tools;

use super::{Loaded, ManifestError, parse};

/// Loads a text that is fine.
fn loaded(text: &str) -> Loaded {
    parse(text, "app.yaml").unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the sentence with which a text is refused.
fn refused(text: &str) -> String {
    parse(text, "app.yaml").expect_err("this must be refused").to_string()
}

/// Renders an error as the terminal shows it, without colours.
fn rendered(error: &ManifestError) -> String {
    let mut page = String::new();
    let theme = miette::GraphicalTheme::unicode_nocolor();
    let handler = miette::GraphicalReportHandler::new_themed(theme).with_links(false).with_width(120);
    handler.render_report(&mut page, error).unwrap();
    page
}
