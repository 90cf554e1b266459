//! What comes from the terminal: keys, text, clicks.
//!
//! Owns: where it goes: a secret to the field that is wiped, everything else to the state. Must not know what keys mean.

use std::io;

use crossterm::event::Event;

use super::{End, Front, Screen};
use crate::{
    app::{Action, Key, KeyCode, Pane},
    op::SessionId,
    tui::{
        input::Input,
        signals::Caught,
        view::{self, chrome, paint::rect, table::column_at},
    },
};

impl<S: Screen> Front<S> {
    /// Takes what the terminal tells; `None` where it is gone.
    pub(super) fn input(&mut self, event: Option<io::Result<Event>>) -> io::Result<()> {
        // A terminal that went away ends its input; that is the same as being hung up on.
        let Some(Ok(event)) = event else {
            self.end = Some(End::Caught(Caught::HangUp));
            return Ok(());
        };
        let now = self.started.elapsed();
        let Some(input) = self.translator.translate(event, now) else { return Ok(()) };
        self.dirty = true;
        self.secret.belongs_to(self.state.wants_secret().map(|prompt| prompt.session));
        match input {
            Input::Key(key) => match self.state.wants_secret().map(|prompt| prompt.session) {
                Some(session) => self.secret_key(session, key),
                None => {
                    let effects = self.state.key(key);
                    self.perform(effects)
                }
            },
            Input::Paste(text) if self.state.wants_secret().is_some() => {
                let text = zeroize::Zeroizing::new(text);
                self.secret.push(&text);
                self.act(Action::SecretLength(self.secret.length()))
            }
            Input::Paste(text) => {
                let effects = self.state.paste(&text);
                self.perform(effects)
            }
            Input::Click { x, y, double } => self.click(x, y, double),
            Input::Scroll { x, y, lines } => self.act(Action::Scroll { x, y, lines }),
            Input::Resize(width, height) => {
                self.state.resize(width, height);
                Ok(())
            }
        }
    }

    /// A key while a secret is typed. Only what cannot be part of one reaches the state.
    fn secret_key(&mut self, session: SessionId, key: Key) -> io::Result<()> {
        match (key.code, key.ctrl, key.text()) {
            (_, _, Some(c)) => self.secret.push(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Backspace, false, _) => self.secret.backspace(),
            (KeyCode::Char('u'), true, _) => self.secret.clear(),
            (KeyCode::Char('k'), true, _) => return self.act(Action::ToggleKeep),
            (KeyCode::Enter, ..) => {
                self.engine.give_secret(session, Some(self.secret.take()));
                return self.act(Action::SecretSubmitted);
            }
            (KeyCode::Esc, ..) => {
                self.secret.clear();
                return self.act(Action::SecretDeclined);
            }
            _ => {
                let effects = self.state.key(key);
                return self.perform(effects);
            }
        }
        self.act(Action::SecretLength(self.secret.length()))
    }

    /// A click; breadcrumbs, headings and what can be clicked on layers are where the view put them.
    fn click(&mut self, x: u16, y: u16, double: bool) -> io::Result<()> {
        if !self.state.layers().is_empty() {
            return match view::spot_at(&self.state, &self.theme, x, y) {
                Some(spot) => self.act(Action::Spot { spot, double }),
                None => Ok(()),
            };
        }
        let layout = self.state.layout();
        if !layout.too_small {
            if y == layout.header.y
                && let Some(at) = chrome::crumb_at(&self.state, &self.theme, layout.header.width.into(), x.into())
            {
                return self.act(Action::Crumb(at));
            }
            if let Some((area, table)) = layout.pane(Pane::Table).zip(self.state.table()) {
                let inner = rect(area.inner());
                if y == inner.y
                    && (inner.left()..inner.right()).contains(&x)
                    && let Some(at) = column_at(table, inner.width.into(), (x - inner.x).into())
                {
                    return self.act(Action::SortBy(at));
                }
            }
        }
        self.act(Action::Click { x, y, double })
    }
}
