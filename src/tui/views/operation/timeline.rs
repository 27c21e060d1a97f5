//! The time line of large screens: when each task, or each wave if there are many, ran since the operation started. Entries are made
//! when facts arrive; drawing turns times into columns.

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::operation::Operation;
use crate::operation::timeline::Stage;
use crate::operation::verdict::short_time;
use crate::tui::board::Board;
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::theme::{Role, glyph, stage_role};

/// Columns of the names.
const NAMES: u16 = 39;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    stage: Stage,
    label: String,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

/// Makes the bars: one for each task if they fit into `rows`, else one for each wave, around what runs now.
pub(super) fn bars(board: &Board, rows: usize) -> Vec<Bar> {
    let bars = if board.tasks() <= rows { of_tasks(board) } else { of_waves(board, rows) };
    let current = bars.iter().position(|bar| matches!(bar.stage, Stage::Running | Stage::Failed | Stage::Waiting)).unwrap_or(0);
    let from = current.saturating_sub(rows / 2).min(bars.len().saturating_sub(rows));
    bars.into_iter().skip(from).take(rows).collect()
}

fn of_tasks(board: &Board) -> Vec<Bar> {
    let rows = &board.rows()[..board.tasks()];
    rows.iter()
        .map(|row| Bar {
            stage: row.stage,
            label: format!("{:<10} {:>3} {}/{}", row.group_phase(), row.wave, row.short_kind(), row.name),
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
        .collect()
}

/// A wave with few tasks names them; what failed or holds everything up has a bar of its own while there is room.
fn of_waves(board: &Board, rows: usize) -> Vec<Bar> {
    let tasks = &board.rows()[..board.tasks()];
    let waves: usize = board.rail().iter().map(|cell| cell.waves.len()).sum();
    let mut spare = rows.saturating_sub(waves);
    let mut bars = Vec::new();
    for cell in board.rail() {
        for wave in &cell.waves {
            let is_of_wave = |row: &&crate::tui::row::Row| row.group_phase() == cell.phase && row.wave == wave.wave;
            let first = tasks.iter().find(is_of_wave);
            let name = match (wave.total, first) {
                (1, Some(row)) => format!("{}/{}", row.short_kind(), row.name),
                (2..=3, _) => tasks.iter().filter(is_of_wave).map(|row| row.short_kind()).collect::<Vec<_>>().join(", "),
                (total, _) => format!("{total} tasks"),
            };
            let label = format!("{:<10} {:>3} {name}", cell.phase, wave.wave);
            bars.push(Bar { stage: wave.stage, label, started_at: wave.span.started_at, finished_at: wave.span.finished_at });
            if wave.total > 1 && matches!(wave.stage, Stage::Running | Stage::Failed) {
                for row in tasks.iter().filter(is_of_wave).filter(|row| row.problem).take(spare) {
                    spare -= 1;
                    let label = format!("             └ {}/{}", row.short_kind(), row.name);
                    bars.push(Bar { stage: row.stage, label, started_at: row.started_at, finished_at: row.finished_at });
                }
            }
        }
    }
    bars
}

/// Draws title, scale and bars.
pub(super) fn draw(model: &Model, operation: &Operation, bars: &[Bar], area: Rect, buffer: &mut Buffer) {
    let room = area.width.saturating_sub(NAMES + 10);
    let start = operation.started_at();
    let total = operation.finished_at().unwrap_or(model.now).duration_since(start).max(SignedDuration::from_secs(1));
    let Some(scale) = Scale::new(total, room) else { return };
    paint::rule(buffer, Rect { height: area.height.min(1), ..area }, model.theme, "timeline", &format!("1 col = {}", scale.column()));
    axis(model, &scale, area, buffer);
    for (row, bar) in bars.iter().enumerate().take(usize::from(area.height.saturating_sub(2))) {
        let Some(mut pen) = Pen::row(buffer, area, row as u16 + 2) else { return };
        let theme = model.theme;
        pen.put(" ", theme.style(Role::Text)).put(glyph(bar.stage), theme.style(stage_role(bar.stage))).skip(1);
        pen.field(&bar.label, NAMES - 4, theme.style(Role::Text)).put("▏", theme.style(Role::Rule));
        let Some(from) = bar.started_at else { continue };
        let to = bar.finished_at.unwrap_or(operation.finished_at().unwrap_or(model.now));
        let (from, to) = (scale.at(from.duration_since(start)), scale.at(to.duration_since(start)));
        pen.skip(from);
        let symbol = if bar.finished_at.is_some() { "█" } else { "▓" };
        for _ in from..to.max(from + 1) {
            pen.put(symbol, theme.style(stage_role(bar.stage)));
        }
        let took = bar.finished_at.unwrap_or(model.now).duration_since(bar.started_at.unwrap_or(start));
        pen.skip(1).put(&short_time(took), theme.style(Role::Dim));
    }
}

fn axis(model: &Model, scale: &Scale, area: Rect, buffer: &mut Buffer) {
    let Some(mut pen) = Pen::row(buffer, area, 1) else { return };
    let style = model.theme.style(Role::Dim);
    pen.skip(NAMES);
    let step = scale.step();
    let mut at = 0;
    let mut written = 0_u16;
    while scale.at(SignedDuration::from_secs(at)) < scale.room {
        let column = scale.at(SignedDuration::from_secs(at));
        let label = if at == 0 { "0s".to_owned() } else { short_time(SignedDuration::from_secs(at)) };
        if column >= written {
            pen.skip(column - written).put(&label, style);
            written = column + label.len() as u16;
        }
        at += step;
    }
}

/// From times to columns.
struct Scale {
    total: SignedDuration,
    room: u16,
}

impl Scale {
    fn new(total: SignedDuration, room: u16) -> Option<Self> {
        (room >= 10).then_some(Self { total, room })
    }

    fn at(&self, time: SignedDuration) -> u16 {
        let share = time.as_secs_f64() / self.total.as_secs_f64();
        (share.clamp(0.0, 1.0) * f64::from(self.room)) as u16
    }

    fn column(&self) -> String {
        format!("{:.1}s", self.total.as_secs_f64() / f64::from(self.room))
    }

    /// Seconds between two marks, at least 12 columns apart.
    fn step(&self) -> i64 {
        let wanted = self.total.as_secs_f64() * 12.0 / f64::from(self.room);
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600].into_iter().find(|step| *step as f64 >= wanted).unwrap_or(86_400)
    }
}
