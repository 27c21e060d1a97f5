//! Where the parts of the sync screen stand: rectangles from a size, nothing else. The sizes follow the budgets of the design: what is
//! dropped first is what can be had with a key.

use ratatui::layout::Rect;

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Density {
    /// One line says it all.
    Line,
    /// A sliver of a window: 40x12.
    Sliver,
    /// 60x20: messages fold into names.
    Narrow,
    /// 80x24.
    Normal,
    /// 120x35: facts, columns, a rail of three rows.
    Wide,
    /// 200x50: time line and blocker pane.
    Huge,
}

/// What the screen has to show besides the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) header: bool,
    /// The operation failed, or nothing moves: what can be done is shown.
    pub(super) moves: bool,
}

/// Rectangles; an empty one is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Panes {
    pub(super) density: Density,
    pub(super) place: Rect,
    pub(super) facts: Rect,
    pub(super) verdict: Rect,
    pub(super) rail: Rect,
    pub(super) timeline: Rect,
    pub(super) blocker: Rect,
    pub(super) title: Rect,
    pub(super) heads: Rect,
    pub(super) table: Rect,
    pub(super) log_title: Rect,
    pub(super) log: Rect,
    pub(super) next: Rect,
    pub(super) events: Rect,
    pub(super) last: Rect,
}

impl Density {
    /// Returns the density of an area that has a footer below it.
    pub(super) fn of(area: Rect) -> Self {
        let (width, height) = (area.width, area.height + 1);
        if width < 40 || height < 12 {
            Self::Line
        } else if width < 60 || height < 16 {
            Self::Sliver
        } else if width < 72 {
            Self::Narrow
        } else if width < 120 || height < 28 {
            Self::Normal
        } else if width < 160 || height < 40 {
            Self::Wide
        } else {
            Self::Huge
        }
    }
}

/// Cuts rows off the top of what is left.
struct Cutter(Rect);

impl Cutter {
    fn top(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.0.height);
        let taken = Rect { height: rows, ..self.0 };
        self.0 = Rect { y: self.0.y + rows, height: self.0.height - rows, ..self.0 };
        taken
    }

    fn bottom(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.0.height);
        self.0.height -= rows;
        Rect { y: self.0.bottom(), height: rows, ..self.0 }
    }
}

/// Returns the rectangles for an area without the footer.
pub(super) fn panes(area: Rect, needs: Needs) -> Panes {
    let density = Density::of(area);
    let mut rest = Cutter(area);
    let head = |rows: u16| if needs.header { rows } else { 0 };
    let place = rest.top(if density == Density::Line { 0 } else { head(1) });
    let facts = rest.top(if density >= Density::Wide { head(1) } else { 0 });
    let verdict = rest.top(if density == Density::Sliver { 2 } else { 1 });
    let rail = rest.top(if density == Density::Wide { 4 } else { 1 });
    let upper = rest.top(if density == Density::Huge { 13 } else { 0 });
    let split = area.width * 14 / 25;
    let timeline = Rect { width: split.min(upper.width), ..upper };
    let blocker = Rect { x: upper.x + split.min(upper.width), width: upper.width.saturating_sub(split), ..upper };
    let title = rest.top(u16::from(density > Density::Line));
    let heads = rest.top(u16::from(density >= Density::Normal));
    let last = rest.bottom(u16::from(density >= Density::Normal && area.height >= 19));
    let (next, events) = if needs.moves { lower(&mut rest, density, area) } else { (rest.bottom(0), rest.bottom(0)) };
    let lines = rest.bottom(log_rows(density, area.height + 1));
    let mut log = Cutter(lines);
    let log_title = log.top(1);
    Panes {
        density,
        place,
        facts,
        verdict,
        rail,
        timeline,
        blocker,
        title,
        heads,
        table: rest.0,
        log_title,
        log: log.0,
        next,
        events,
        last,
    }
}

fn lower(rest: &mut Cutter, density: Density, area: Rect) -> (Rect, Rect) {
    let events = rest.bottom(if density >= Density::Wide && area.height >= 34 { 4 } else { 0 });
    let next = rest.bottom(match density {
        Density::Line | Density::Sliver => 0,
        Density::Narrow | Density::Normal => 2,
        Density::Wide | Density::Huge => 3,
    });
    (next, events)
}

fn log_rows(density: Density, height: u16) -> u16 {
    match density {
        Density::Line => 0,
        Density::Sliver => 2,
        Density::Narrow => height / 4 + 2,
        Density::Normal | Density::Wide => height / 4 + 1,
        Density::Huge => height / 3 + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(width: u16, height: u16) -> (Density, u16, u16) {
        let panes = panes(Rect::new(0, 0, width, height - 1), Needs { header: true, moves: false });
        (panes.density, panes.table.height, panes.log.height)
    }

    #[test]
    fn the_sizes_of_the_design_get_the_rows_of_the_design() {
        assert_eq!(rows(40, 12), (Density::Sliver, 4, 1));
        assert_eq!(rows(60, 20), (Density::Narrow, 8, 6));
        assert_eq!(rows(80, 24), (Density::Normal, 10, 6));
        assert_eq!(rows(120, 35), (Density::Wide, 15, 8));
        assert_eq!(rows(200, 50), (Density::Huge, 12, 16));
    }

    #[test]
    fn parts_never_overlap_or_leave_the_area() {
        for width in 1..220 {
            for height in 1..60 {
                let area = Rect::new(0, 0, width, height);
                for failed in [false, true] {
                    let panes = panes(area, Needs { header: true, moves: failed });
                    let parts = [
                        panes.place,
                        panes.facts,
                        panes.verdict,
                        panes.rail,
                        panes.timeline,
                        panes.blocker,
                        panes.title,
                        panes.heads,
                        panes.table,
                        panes.log_title,
                        panes.log,
                        panes.next,
                        panes.events,
                        panes.last,
                    ];
                    let sum: u32 = parts.iter().map(|part| part.area()).sum();
                    assert_eq!(sum, area.area(), "{width}x{height} failed {failed}");
                    assert!(parts.iter().all(|part| area.union(*part) == area || part.is_empty()), "{width}x{height}");
                }
            }
        }
    }
}
