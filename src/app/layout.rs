//! Where the panes are.
//!
//! Owns: the division of the screen into panes for every size, so that page motions and mouse clicks mean what is seen.
//! Must not know how a pane is drawn; a frame is one cell wide on each side, and a table's heading takes one row.

use super::Pane;

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Column of the left edge, from 0.
    pub x: u16,
    /// Row of the upper edge, from 0.
    pub y: u16,
    /// Width in cells.
    pub width: u16,
    /// Height in cells.
    pub height: u16,
}

impl Area {
    /// The area inside a frame of one cell.
    pub const fn inner(self) -> Self {
        Self {
            x: self.x.saturating_add(1),
            y: self.y.saturating_add(1),
            width: self.width.saturating_sub(2),
            height: self.height.saturating_sub(2),
        }
    }

    /// Whether the cell at `x`, `y` is in it.
    pub const fn contains(self, x: u16, y: u16) -> bool {
        x >= self.x && y >= self.y && x - self.x < self.width && y - self.y < self.height
    }
}

/// What is where. A pane that is folded away has no area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The screen is smaller than [`MIN_WIDTH`] by [`MIN_HEIGHT`]: show a notice instead.
    pub too_small: bool,
    /// The line of the breadcrumbs.
    pub header: Area,
    /// The line of the hints.
    pub footer: Area,
    /// The line of the newest operation, where the screen is too small for the pane of operations.
    pub newest: Option<Area>,
    panes: [Option<Area>; 5],
}

/// The least width that shows anything, in cells.
pub const MIN_WIDTH: u16 = 20;
/// The least height that shows anything, in cells.
pub const MIN_HEIGHT: u16 = 5;
/// From this width on there is more than the pane with the focus.
const NARROWEST: u16 = 50;
/// From this height on there is more than the pane with the focus.
const LOWEST: u16 = 12;
/// From this width on sessions and classes stand side by side.
const WIDE: u16 = 100;

impl Layout {
    /// The area of `pane`, frame included; `None` while it is folded away.
    pub fn pane(&self, pane: Pane) -> Option<Area> {
        self.panes[pane as usize]
    }

    /// The pane at a cell.
    pub fn pane_at(&self, x: u16, y: u16) -> Option<Pane> {
        let newest = self.newest.filter(|area| area.contains(x, y)).map(|_| Pane::Operations);
        newest.or_else(|| Pane::ALL.into_iter().find(|pane| self.pane(*pane).is_some_and(|area| area.contains(x, y))))
    }

    /// How many rows of its list `pane` shows.
    pub fn rows(&self, pane: Pane) -> usize {
        let height = self.pane(pane).map_or(0, |area| area.inner().height);
        usize::from(if pane == Pane::Table { height.saturating_sub(1) } else { height })
    }

    /// The layout of a screen of `width` by `height` cells with the focus on `focus`, which `zoomed` makes as large as can be.
    /// On a narrow screen the sessions pane is as high as its `sessions` rows want, up to a third.
    pub fn new(width: u16, height: u16, focus: Pane, zoomed: bool, sessions: usize) -> Self {
        let mut layout = Self { too_small: width < MIN_WIDTH || height < MIN_HEIGHT, ..Self::default() };
        if layout.too_small {
            return layout;
        }
        layout.header = Area { x: 0, y: 0, width, height: 1 };
        layout.footer = Area { x: 0, y: height - 1, width, height: 1 };
        let body = Area { x: 0, y: 1, width, height: height - 2 };
        if zoomed {
            layout.panes[focus as usize] = Some(body);
            return layout;
        }
        if width < NARROWEST || height < LOWEST {
            let line = u16::from(focus != Pane::Operations && body.height > 4);
            let pane = Area { height: body.height - line, ..body };
            layout.panes[focus as usize] = Some(pane);
            layout.newest = (line > 0).then_some(Area { y: pane.y + pane.height, height: 1, ..body });
            return layout;
        }
        let operations = match height {
            ..=15 => 3,
            16..=29 => 5,
            30..=44 => 7,
            _ => 10,
        };
        let upper = Area { height: body.height - operations, ..body };
        layout.panes[Pane::Operations as usize] = Some(Area { y: body.y + upper.height, height: operations, ..body });
        let right = match width {
            ..WIDE => layout.left_stack(upper, focus, sessions),
            _ => layout.left_columns(upper),
        };
        layout.right_column(right, focus);
        layout
    }

    /// Places sessions above classes in one column; the answer is what is left on its right.
    fn left_stack(&mut self, area: Area, focus: Pane, sessions: usize) -> Area {
        let width = if area.width < 72 { 22 } else { 26 };
        let column = Area { width, ..area };
        if area.height < 12 {
            let shown = if focus == Pane::Sessions { Pane::Sessions } else { Pane::Classes };
            self.panes[shown as usize] = Some(column);
        } else {
            let most = area.height.div_ceil(3);
            let above = u16::try_from(sessions).map_or(most, |rows| rows.saturating_add(2)).clamp(3, most);
            self.panes[Pane::Sessions as usize] = Some(Area { height: above, ..column });
            let classes = Area { y: column.y + above, height: column.height - above, ..column };
            self.panes[Pane::Classes as usize] = Some(classes);
        }
        Area { x: width, width: area.width - width, ..area }
    }

    /// Places sessions and classes side by side; the answer is what is left on their right.
    fn left_columns(&mut self, area: Area) -> Area {
        let (sessions, classes) = if area.width < 140 { (22, 30) } else { (26, 36) };
        self.panes[Pane::Sessions as usize] = Some(Area { width: sessions, ..area });
        self.panes[Pane::Classes as usize] = Some(Area { x: sessions, width: classes, ..area });
        let left = sessions + classes;
        Area { x: left, width: area.width - left, ..area }
    }

    fn right_column(&mut self, area: Area, focus: Pane) {
        if area.height < 12 {
            let shown = if focus == Pane::Detail { Pane::Detail } else { Pane::Table };
            self.panes[shown as usize] = Some(area);
            return;
        }
        let detail = area.height * 2 / 5;
        self.panes[Pane::Table as usize] = Some(Area { height: area.height - detail, ..area });
        self.panes[Pane::Detail as usize] = Some(Area { y: area.y + area.height - detail, height: detail, ..area });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn eighty_by_twenty_four_shows_every_pane() {
        for focus in Pane::ALL {
            let layout = Layout::new(80, 24, focus, false, 9);
            assert!(Pane::ALL.into_iter().all(|pane| layout.pane(pane).is_some()), "{focus:?}: {layout:?}");
            assert_eq!(layout.pane(Pane::Table).map(|area| area.width), Some(54));
        }
    }

    #[test]
    fn forty_by_ten_shows_the_focused_pane() {
        let layout = Layout::new(40, 10, Pane::Table, false, 2);
        assert_eq!(layout.pane(Pane::Table), Some(Area { x: 0, y: 1, width: 40, height: 7 }));
        assert_eq!(layout.pane(Pane::Detail), None);
        assert_eq!(layout.rows(Pane::Table), 4);
        assert_eq!(layout.pane_at(3, 8), Some(Pane::Operations));
    }

    proptest! {
        #[test]
        fn panes_lie_on_the_screen_and_never_overlap(
            width in 0_u16..250, height in 0_u16..120, focus in 0_usize..5, zoomed: bool, sessions in 0_usize..99
        ) {
            let layout = Layout::new(width, height, Pane::ALL[focus], zoomed, sessions);
            let areas = Pane::ALL.into_iter().filter_map(|pane| layout.pane(pane));
            let areas = areas.chain(layout.newest).collect::<Vec<_>>();
            prop_assert!(layout.too_small || layout.pane(Pane::ALL[focus]).is_some());
            for (at, area) in areas.iter().enumerate() {
                prop_assert!(area.x + area.width <= width && area.y + area.height < height);
                for other in &areas[at + 1..] {
                    let apart = area.x + area.width <= other.x || other.x + other.width <= area.x
                        || area.y + area.height <= other.y || other.y + other.height <= area.y;
                    prop_assert!(apart, "{:?} {:?}", area, other);
                }
            }
        }
    }
}
