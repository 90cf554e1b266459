//! Terminal events as keys, clicks and pastes of ours.
//!
//! Owns: the translation, and what makes two clicks a double click. Must not know what a key does.

use std::time::Duration;

use crossterm::event::{Event, KeyCode as Code, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

use crate::app::{Key, KeyCode};

/// An event of the terminal that means something to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Text pasted in one piece.
    Paste(String),
    /// A click on a cell.
    Click {
        /// Column, from 0.
        x: u16,
        /// Row, from 0.
        y: u16,
        /// The second of a double click.
        double: bool,
    },
    /// The wheel over a cell.
    Scroll {
        /// Column, from 0.
        x: u16,
        /// Row, from 0.
        y: u16,
        /// Lines, down when positive.
        lines: isize,
    },
    /// The screen has another size: width, height.
    Resize(u16, u16),
}

/// Two clicks on one cell within this time are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);
/// Lines a turn of the wheel moves.
const WHEEL: isize = 3;

/// Translates events; remembers the last click.
#[derive(Debug, Default)]
pub struct Translator {
    last_click: Option<(u16, u16, Duration)>,
}

impl Translator {
    /// What `event`, arriving at `now`, means; `None` for what means nothing to us (a key's release, focus).
    pub fn translate(&mut self, event: Event, now: Duration) -> Option<Input> {
        match event {
            Event::Key(event) if event.kind != KeyEventKind::Release => key(event).map(Input::Key),
            Event::Paste(text) => Some(Input::Paste(text)),
            Event::Resize(width, height) => Some(Input::Resize(width, height)),
            Event::Mouse(event) => {
                let (x, y) = (event.column, event.row);
                match event.kind {
                    MouseEventKind::Down(MouseButton::Left) => Some(self.click(x, y, now)),
                    MouseEventKind::ScrollDown => Some(Input::Scroll { x, y, lines: WHEEL }),
                    MouseEventKind::ScrollUp => Some(Input::Scroll { x, y, lines: -WHEEL }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn click(&mut self, x: u16, y: u16, now: Duration) -> Input {
        let double = self
            .last_click
            .take()
            .is_some_and(|last| (last.0, last.1) == (x, y) && now.saturating_sub(last.2) <= DOUBLE_CLICK);
        if !double {
            self.last_click = Some((x, y, now));
        }
        Input::Click { x, y, double }
    }
}

/// The key of a key event, if we have a name for it.
fn key(event: KeyEvent) -> Option<Key> {
    let code = match event.code {
        Code::Char(c) => KeyCode::Char(c),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Insert => KeyCode::Insert,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::F(number) => KeyCode::F(number),
        _ => return None,
    };
    let has = |modifier| event.modifiers.contains(modifier);
    Some(
        Key { code, ctrl: has(KeyModifiers::CONTROL), alt: has(KeyModifiers::ALT), shift: has(KeyModifiers::SHIFT) }
            .normal(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use crossterm::event::{KeyEventState, MouseEvent};

    use super::*;

    fn press(code: Code, modifiers: KeyModifiers, kind: KeyEventKind) -> Event {
        Event::Key(KeyEvent { code, modifiers, kind, state: KeyEventState::NONE })
    }

    fn translated(event: Event) -> Option<Input> {
        Translator::default().translate(event, Duration::ZERO)
    }

    #[test]
    fn keys_arrive_as_the_keymap_spells_them() {
        let spelled = |code, modifiers| match translated(press(code, modifiers, KeyEventKind::Press)) {
            Some(Input::Key(key)) => key.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(spelled(Code::Char('G'), KeyModifiers::SHIFT), "G");
        assert_eq!(spelled(Code::Char('d'), KeyModifiers::CONTROL), "ctrl-d");
        assert_eq!(spelled(Code::BackTab, KeyModifiers::SHIFT), "shift-tab");
        assert_eq!(spelled(Code::F(5), KeyModifiers::NONE), "f5");
        assert_eq!(spelled(Code::Char(' '), KeyModifiers::NONE), "space");
    }

    #[test]
    fn a_release_is_no_key() {
        assert_eq!(translated(press(Code::Char('q'), KeyModifiers::NONE, KeyEventKind::Release)), None);
        assert!(translated(press(Code::Char('j'), KeyModifiers::NONE, KeyEventKind::Repeat)).is_some());
    }

    #[test]
    fn two_quick_clicks_on_a_cell_are_a_double_click_and_a_third_begins_anew() {
        let mut translator = Translator::default();
        let mut click = |column, at| {
            let kind = MouseEventKind::Down(MouseButton::Left);
            let event = Event::Mouse(MouseEvent { kind, column, row: 1, modifiers: KeyModifiers::NONE });
            match translator.translate(event, Duration::from_millis(at)) {
                Some(Input::Click { double, .. }) => double,
                _ => false,
            }
        };
        assert_eq!([click(1, 0), click(1, 200), click(1, 300)], [false, true, false]);
        assert_eq!([click(2, 5_000), click(3, 5_100)], [false, false]);
        assert_eq!([click(4, 9_000), click(4, 9_401)], [false, false]);
    }
}
