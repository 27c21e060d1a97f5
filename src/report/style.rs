//! Marks and colours of printed lines. A mark never stands without a word beside it; colours come only with a terminal.

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Start,
    Working,
    Waiting,
    Good,
    Bad,
    Note,
    Warning,
    Stop,
    Log,
}

/// How marks are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) colour: bool,
    pub(crate) ascii: bool,
}

impl Style {
    /// Returns the mark with its colour.
    pub(crate) fn mark(self, mark: Mark) -> String {
        let (glyph, ascii, colour) = match mark {
            Mark::Start => ("▸", ">", 36),
            Mark::Working => ("●", "*", 36),
            Mark::Waiting => ("…", ".", 33),
            Mark::Good => ("✓", "+", 32),
            Mark::Bad => ("✗", "x", 31),
            Mark::Note => ("·", "-", 90),
            Mark::Warning => ("!", "!", 33),
            Mark::Stop => ("■", "#", 33),
            Mark::Log => (" ", " ", 0),
        };
        self.paint(if self.ascii { ascii } else { glyph }, colour)
    }

    /// Returns text in the colour of a mark.
    pub(crate) fn paint(self, text: &str, colour: u8) -> String {
        if self.colour && colour > 0 { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
