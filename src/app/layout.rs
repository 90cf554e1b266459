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
    panes: [Option<Area>; 5],
}

/// The least width that shows anything, in cells.
pub const MIN_WIDTH: u16 = 20;
/// The least height that shows anything, in cells.
pub const MIN_HEIGHT: u16 = 5;

impl Layout {
    /// The area of `pane`, frame included; `None` while it is folded away.
    pub fn pane(&self, pane: Pane) -> Option<Area> {
        self.panes[pane as usize]
    }

    /// The pane at a cell.
    pub fn pane_at(&self, x: u16, y: u16) -> Option<Pane> {
        Pane::ALL.into_iter().find(|pane| self.pane(*pane).is_some_and(|area| area.contains(x, y)))
    }

    /// How many rows of its list `pane` shows.
    pub fn rows(&self, pane: Pane) -> usize {
        let height = self.pane(pane).map_or(0, |area| area.inner().height);
        usize::from(if pane == Pane::Table { height.saturating_sub(1) } else { height })
    }

    /// The layout of a screen of `width` by `height` cells with the focus on `focus`, which `zoomed` makes as large as can be.
    pub fn new(width: u16, height: u16, focus: Pane, zoomed: bool) -> Self {
        let mut layout = Self { too_small: width < MIN_WIDTH || height < MIN_HEIGHT, ..Self::default() };
        if layout.too_small {
            return layout;
        }
        layout.header = Area { x: 0, y: 0, width, height: 1 };
        layout.footer = Area { x: 0, y: height - 1, width, height: 1 };
        let body = Area { x: 0, y: 1, width, height: height - 2 };
        if zoomed || width < 50 || height < 12 {
            layout.panes[focus as usize] = Some(body);
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
        let right = layout.left_columns(upper, focus);
        layout.right_column(right, focus);
        layout
    }

    /// Places sessions and classes; the answer is what is left of them on the right.
    fn left_columns(&mut self, area: Area, focus: Pane) -> Area {
        let (sessions, classes) = match area.width {
            ..=71 if focus == Pane::Sessions => (22, 0),
            ..=71 => (0, 24),
            72..=99 => (18, 24),
            100..=139 => (22, 30),
            _ => (26, 36),
        };
        if sessions > 0 {
            self.panes[Pane::Sessions as usize] = Some(Area { width: sessions, ..area });
        }
        if classes > 0 {
            self.panes[Pane::Classes as usize] = Some(Area { x: sessions, width: classes, ..area });
        }
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
            let layout = Layout::new(80, 24, focus, false);
            assert!(Pane::ALL.into_iter().all(|pane| layout.pane(pane).is_some()), "{focus:?}: {layout:?}");
        }
    }

    #[test]
    fn forty_by_ten_shows_the_focused_pane() {
        let layout = Layout::new(40, 10, Pane::Table, false);
        assert_eq!(layout.pane(Pane::Table), Some(Area { x: 0, y: 1, width: 40, height: 8 }));
        assert_eq!(layout.pane(Pane::Detail), None);
        assert_eq!(layout.rows(Pane::Table), 5);
    }

    proptest! {
        #[test]
        fn panes_lie_on_the_screen_and_never_overlap(
            width in 0_u16..250, height in 0_u16..120, focus in 0_usize..5, zoomed: bool
        ) {
            let layout = Layout::new(width, height, Pane::ALL[focus], zoomed);
            let areas = Pane::ALL.into_iter().filter_map(|pane| layout.pane(pane)).collect::<Vec<_>>();
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
