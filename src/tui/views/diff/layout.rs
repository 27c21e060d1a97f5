//! Where things are on the diff screen. Pure rectangles; what does not fit has no height or no width.

use ratatui::layout::Rect;

use super::page::Shape;

/// Narrowest screen with a list beside the text.
pub(super) const WITH_LIST: u16 = 100;
/// Narrowest screen on which both sides stand beside the list.
const WITH_SIDES: u16 = 180;
/// Fewest rows with the lines at the top, and with the line at the bottom.
const WITH_HEAD: u16 = 10;
const WITH_SUMMARY: u16 = 6;
const WITH_STATUS: u16 = 7;
/// Columns before a line of one text: the sign with its spaces.
pub(super) const SIGN: u16 = 3;
/// Columns before a line of a side: its number and its sign.
pub(super) const GUTTER: u16 = 8;

/// The parts of the screen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Panes {
    pub(super) place: Rect,
    /// How many of each sort; on wide screens they stand on the line above.
    pub(super) summary: Rect,
    pub(super) rule: Rect,
    pub(super) list: Rect,
    /// The line between list and text.
    pub(super) bar: Rect,
    /// Title of the text beside a list; otherwise it stands on the rule.
    pub(super) head: Rect,
    pub(super) body: Rect,
    pub(super) status: Rect,
}

/// What a person wants to see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) header: bool,
    /// `None`: as the width says.
    pub(super) shape: Option<Shape>,
}

/// Returns how the text is shown.
pub(super) fn shape(area: Rect, wanted: Wanted) -> Shape {
    match wanted.shape {
        _ if area.width < WITH_LIST => Shape::Unified,
        Some(shape) => shape,
        None if area.width < WITH_SIDES => Shape::Unified,
        None => Shape::Sides,
    }
}

/// Returns the parts of an area.
pub(super) fn panes(area: Rect, wanted: Wanted) -> Panes {
    let is_wide = area.width >= WITH_LIST && area.height >= WITH_HEAD;
    let mut rest = area;
    let mut top = |shown: bool| {
        let height = u16::from(shown).min(rest.height);
        let row = Rect { height, ..rest };
        rest = Rect { y: rest.y + height, height: rest.height - height, ..rest };
        row
    };
    let place = top(wanted.header && area.height >= WITH_HEAD);
    let summary = top(wanted.header && area.height >= WITH_SUMMARY && !is_wide);
    let rule = top(true);
    let status_height = u16::from(area.height >= WITH_STATUS).min(rest.height);
    let middle = Rect { height: rest.height - status_height, ..rest };
    let status = Rect { y: middle.bottom(), height: status_height, ..rest };
    let panes = Panes { place, summary, rule, status, body: middle, ..Panes::default() };
    if !is_wide {
        return panes;
    }
    // Both sides need the room of the list on a screen that is not wide.
    let has_list = area.width >= WITH_SIDES || shape(area, wanted) == Shape::Unified;
    let width = if has_list { (area.width / 3).clamp(34, 52) } else { 0 };
    let list = Rect { width, ..middle };
    let bar = Rect { x: list.right(), width: u16::from(has_list), ..middle };
    let right = Rect { x: bar.right(), width: middle.width - list.width - bar.width, ..middle };
    let head = Rect { height: right.height.min(1), ..right };
    let body = Rect { y: head.bottom(), height: right.height - head.height, ..right };
    Panes { list, bar, head, body, ..panes }
}

/// Returns the left and the right half of the text.
pub(super) fn halves(body: Rect) -> (Rect, Rect) {
    let left = Rect { width: body.width / 2, ..body };
    (left, Rect { x: left.right(), width: body.width - left.width, ..body })
}

/// Returns the columns that a line has for its text, of two sides those of the narrower one.
pub(super) fn columns(body: Rect, shape: Shape) -> usize {
    let (left, right) = halves(body);
    usize::from(match shape {
        Shape::Unified => body.width.saturating_sub(SIGN),
        Shape::Sides => left.width.min(right.width.saturating_sub(1)).saturating_sub(GUTTER),
    })
}
