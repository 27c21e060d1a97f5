//! A frame as an SVG, with the colours of a dark terminal.

use std::fmt::Write as _;

use jiff::Timestamp;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::Rehearsal;
use crate::operation::LogLine;
use crate::tui::app::Msg;

/// Width and height of a cell.
const CELL: (usize, usize) = (9, 19);

impl Rehearsal {
    /// Takes log lines.
    pub(crate) fn lines(&mut self, mut lines: Vec<LogLine>) {
        self.app.update(Msg::Lines(&mut lines));
    }

    /// Draws a frame at a time and returns it as a picture.
    pub(crate) fn picture(&mut self, now: Timestamp) -> String {
        self.now = now;
        self.frame();
        svg(&self.buffer)
    }
}

fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) = (usize::from(area.width) * CELL.0 + 20, usize::from(area.height) * CELL.1 + 20);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"ui-monospace,Menlo,Consolas,monospace\" font-size=\"15\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n"
    );
    for row in 0..area.height {
        for (column, cells) in runs(buffer, row) {
            text += &run(column, row, &cells);
        }
    }
    text + "</svg>\n"
}

/// Returns the neighbours of a row that look the same, with the column of the first.
fn runs(buffer: &Buffer, row: u16) -> Vec<(u16, Vec<&Cell>)> {
    let mut runs: Vec<(u16, Vec<&Cell>)> = Vec::new();
    for column in 0..buffer.area.width {
        let Some(cell) = buffer.cell((column, row)) else { continue };
        match runs.last_mut() {
            Some((_, cells)) if cells.last().is_some_and(|last| last.style() == cell.style()) => cells.push(cell),
            Some(_) | None => runs.push((column, vec![cell])),
        }
    }
    runs
}

fn run(column: u16, row: u16, cells: &[&Cell]) -> String {
    let Some(first) = cells.first() else { return String::new() };
    let words: String = cells.iter().map(|cell| cell.symbol()).collect();
    let reversed = first.modifier.contains(Modifier::REVERSED);
    let (x, y) = (usize::from(column) * CELL.0 + 10, usize::from(row) * CELL.1 + 10);
    let width = cells.len() * CELL.0;
    let mut text = String::new();
    let ground = if reversed { Some(colour(first.fg).unwrap_or("#d7dae0")) } else { colour(first.bg) };
    // Writing into a string cannot fail.
    if let Some(ground) = ground {
        _ = writeln!(text, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{ground}\"/>", CELL.1);
    }
    if words.trim().is_empty() {
        return text;
    }
    let ink = if reversed { "#16181d" } else { colour(first.fg).unwrap_or("#d7dae0") };
    let bold = if first.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let dim = if first.modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    let words = words.trim_end();
    let width = words.chars().count() * CELL.0;
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let base = y + CELL.1 - 5;
    _ = writeln!(text, "<text x=\"{x}\" y=\"{base}\" textLength=\"{width}\" fill=\"{ink}\"{bold}{dim}>{words}</text>");
    text
}

fn colour(colour: Color) -> Option<&'static str> {
    Some(match colour {
        Color::Reset | Color::Rgb(..) | Color::Indexed(_) => return None,
        Color::Black => "#16181d",
        Color::Red | Color::LightRed => "#f7768e",
        Color::Green | Color::LightGreen => "#9ece6a",
        Color::Yellow | Color::LightYellow => "#e0af68",
        Color::Blue | Color::LightBlue => "#7aa2f7",
        Color::Magenta | Color::LightMagenta => "#bb9af7",
        Color::Cyan | Color::LightCyan => "#7dcfff",
        Color::Gray | Color::White => "#d7dae0",
        Color::DarkGray => "#6b7280",
    })
}
