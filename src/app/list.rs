//! A cursor in a list that is longer than the screen.
//!
//! Owns: [`ListCursor`]: position and scroll offset, and the motions every list shares. Must not know what is listed.

/// Where the cursor is and which row the window begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListCursor {
    /// The selected row.
    pub at: usize,
    /// The first row shown.
    pub offset: usize,
}

/// A motion in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl ListCursor {
    /// Moves within a list of `len` rows of which `height` are shown.
    pub fn go(&mut self, motion: Motion, len: usize, height: usize) {
        let page = height.max(1);
        let at = match motion {
            Motion::Up => self.at.saturating_sub(1),
            Motion::Down => self.at.saturating_add(1),
            Motion::HalfUp => self.at.saturating_sub((page / 2).max(1)),
            Motion::HalfDown => self.at.saturating_add((page / 2).max(1)),
            Motion::PageUp => self.at.saturating_sub(page),
            Motion::PageDown => self.at.saturating_add(page),
            Motion::First => 0,
            Motion::Last => usize::MAX,
        };
        self.at = at;
        self.settle(len, height);
    }

    /// Puts the cursor on a row of the list and the window around the cursor.
    pub fn settle(&mut self, len: usize, height: usize) {
        self.at = self.at.min(len.saturating_sub(1));
        let height = height.max(1);
        if self.at < self.offset {
            self.offset = self.at;
        } else if self.at - self.offset >= height {
            self.offset = self.at + 1 - height;
        }
        self.offset = self.offset.min(len.saturating_sub(height));
    }

    /// Scrolls the window by `lines` (down when positive), taking the cursor along at its edges.
    pub fn scroll(&mut self, lines: isize, len: usize, height: usize) {
        let height = height.max(1);
        self.offset = self.offset.saturating_add_signed(lines).min(len.saturating_sub(height));
        self.at = self.at.clamp(self.offset, self.offset + height - 1);
        self.settle(len, height);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Motion; 8] = [
        Motion::Up,
        Motion::Down,
        Motion::HalfUp,
        Motion::HalfDown,
        Motion::PageUp,
        Motion::PageDown,
        Motion::First,
        Motion::Last,
    ];

    #[test]
    fn pages_and_ends() {
        let mut list = ListCursor::default();
        list.go(Motion::Last, 100, 10);
        assert_eq!(list, ListCursor { at: 99, offset: 90 });
        list.go(Motion::HalfUp, 100, 10);
        assert_eq!(list, ListCursor { at: 94, offset: 90 });
        list.go(Motion::PageUp, 100, 10);
        assert_eq!(list, ListCursor { at: 84, offset: 84 });
        list.scroll(-3, 100, 10);
        assert_eq!(list, ListCursor { at: 84, offset: 81 });
        list.scroll(10, 100, 10);
        assert_eq!(list, ListCursor { at: 90, offset: 90 });
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_in_the_window(
            moves in proptest::collection::vec((0_usize..8, 0_usize..50, 0_usize..20, -5_isize..5), 1..40)
        ) {
            let mut list = ListCursor::default();
            for (motion, len, height, lines) in moves {
                list.scroll(lines, len, height);
                list.go(ALL[motion], len, height);
                prop_assert!(list.at < len.max(1));
                prop_assert!(list.offset <= list.at && list.at - list.offset < height.max(1));
            }
        }
    }
}
