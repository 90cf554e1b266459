//! Actions: what the user means, wherever it came from.
//!
//! Owns: the vocabulary. Must not know keys or the mouse; [`super::State::act`] knows what an action does.

use super::{Changed, CommandId, Pane, Spot};
use crate::{op::SessionId, session::LiveSession};

/// One intent.
#[derive(Clone, Debug)]
pub enum Action {
    /// A command of the registry.
    Do(CommandId),
    /// A click on a cell of the screen.
    Click {
        /// Column, from 0.
        x: u16,
        /// Row, from 0.
        y: u16,
        /// The second of a double click: opens.
        double: bool,
    },
    /// A click on a place of the topmost layer.
    Spot {
        /// Where.
        spot: Spot,
        /// The second of a double click.
        double: bool,
    },
    /// The wheel over a cell of the screen.
    Scroll {
        /// Column, from 0.
        x: u16,
        /// Row, from 0.
        y: u16,
        /// Lines, down when positive.
        lines: isize,
    },
    /// Sort the table by a column of [`super::Table::columns`].
    SortBy(usize),
    /// Go where a breadcrumb leads, counted from 0.
    Crumb(usize),
    /// Focus a pane and select one of its rows.
    Select {
        /// The pane.
        pane: Pane,
        /// The row, from 0.
        row: usize,
    },
    /// Obey a `:` line.
    Line(String),
    /// The secret being typed outside has this many characters.
    SecretLength(usize),
    /// Keep the secret being typed in the keyring, or do not after all.
    ToggleKeep,
    /// The secret was handed to the engine.
    SecretSubmitted,
    /// The user declined to give the secret.
    SecretDeclined,
    /// The sessions that are open, as the engine knows them. A front tells this when one is opened or closed, and before it
    /// draws [`super::Layer::SessionList`].
    Live(Vec<LiveSession>),
    /// A keyring answers, or why none does, raw.
    KeyringAnswered(Result<(), String>),
    /// The keyring has the secret of a session, or did not take it.
    SecretKept {
        /// The session.
        session: SessionId,
        /// Otherwise why, and what to try, raw.
        kept: Result<(), (String, String)>,
    },
    /// A change of the saved sessions was tried.
    Changed(Box<Changed>),
    /// Something the user should know, as a toast and in the log, raw.
    Notice(String),
    /// A failure outside of any operation, as a toast and in the log, raw.
    Problem {
        /// What failed and why.
        cause: String,
        /// What to try.
        hint: String,
    },
}
