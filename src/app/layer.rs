//! Layers: what lies over the panes and takes the keys first.
//!
//! Owns: the kinds of layer and their contents. Must not know how they are drawn. A secret is never part of one: only its
//! length is.

use std::sync::Arc;

use super::{CommandId, ConflictView, Form, LineEdit, ListCursor, Pane, Picker, QueryPrompt, Question, danger::Risk};
use crate::{
    op::{OpId, PeerCertificate, SessionId},
    session::ProfileId,
};

/// One layer. The last of [`super::State::layers`] has the keys.
#[derive(Clone, Debug)]
pub enum Layer {
    /// Keys of the pane it was opened over, searchable.
    Help(Help),
    /// Every command, searchable.
    Palette(Palette),
    /// The `:` line.
    CommandLine(CommandLine),
    /// A query is typed.
    Query(QueryPrompt),
    /// The `/` line of a pane; the filter follows each key.
    Filter(FilterPrompt),
    /// A class name to open where classes cannot be listed.
    ClassName(LineEdit),
    /// A secret is asked for; see [`super::State::wants_secret`].
    Secret(SecretPrompt),
    /// A session is edited, or a new one made.
    Form(Box<Form>),
    /// The presets a new session may build on.
    Presets(Picker),
    /// Another name for a session is typed.
    Rename(Rename),
    /// An error in full: the number of its entry in the log.
    Error(ErrorView),
    /// The timeline of one operation.
    Timeline(TimelineView),
    /// Lines of text: MOF, a value.
    Text(TextView),
    /// The log of errors and notices.
    Log(ListCursor),
    /// Every session.
    SessionList(ListCursor),
    /// Operations run: really quit?
    ConfirmQuit(ConfirmQuit),
    /// Really pin the session to a certificate?
    ConfirmPin(ConfirmPin),
    /// Really read what a preset lists as dangerous?
    ConfirmDanger(ConfirmDanger),
    /// A question with Yes and No.
    Question(Question),
    /// Two versions of a session: which is to stay?
    Conflict(Box<ConflictView>),
}

/// The help overlay.
#[derive(Clone, Debug)]
pub struct Help {
    /// The pane whose keys it shows first.
    pub pane: Pane,
    /// The search.
    pub input: LineEdit,
    /// The cursor over [`super::State::help_rows`].
    pub list: ListCursor,
}

/// The command palette.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// The search.
    pub input: LineEdit,
    /// The cursor over [`super::State::palette_rows`].
    pub list: ListCursor,
}

/// The `:` line.
#[derive(Clone, Debug, Default)]
pub struct CommandLine {
    /// What is typed.
    pub input: LineEdit,
    /// Completions of the word under the cursor, best first.
    pub completions: Vec<String>,
    /// The completion chosen with tab.
    pub chosen: Option<usize>,
    /// How far back in the history it is; 0 is the line being typed.
    pub back: usize,
    /// Why the line could not be obeyed, with the nearest names.
    pub error: Option<String>,
}

/// The `/` line.
#[derive(Clone, Debug)]
pub struct FilterPrompt {
    /// The pane it filters.
    pub pane: Pane,
    /// What is typed.
    pub input: LineEdit,
    /// The filter before, to which esc returns.
    pub before: String,
}

/// A secret is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPrompt {
    /// The session that waits for it.
    pub session: SessionId,
    /// The name of that session, escaped.
    pub name: String,
    /// Where it will be sent, escaped.
    pub address: String,
    /// The user it belongs to, escaped.
    pub user: String,
    /// The server refused the last one.
    pub again: bool,
    /// How many characters are typed.
    pub length: usize,
    /// It is to be kept in the keyring once the server has accepted it.
    pub keep: bool,
}

/// An error in full.
#[derive(Clone, Copy, Debug)]
pub struct ErrorView {
    /// The number of its entry in the log.
    pub entry: u64,
    /// The first line shown.
    pub offset: usize,
}

/// The timeline of one operation.
#[derive(Clone, Copy, Debug)]
pub struct TimelineView {
    /// The operation.
    pub op: OpId,
    /// The first line shown.
    pub offset: usize,
}

/// Lines of text.
#[derive(Clone, Debug)]
pub struct TextView {
    /// What it is, escaped.
    pub title: String,
    /// Its lines, escaped.
    pub lines: Vec<String>,
    /// The text as it would be copied.
    pub raw: String,
    /// The first line shown, over [`TextView::wrapped`].
    pub offset: usize,
    wrapped: Vec<String>,
    wrapped_at: usize,
}

impl TextView {
    pub(super) const fn new(title: String, lines: Vec<String>, raw: String) -> Self {
        Self { title, lines, raw, offset: 0, wrapped: Vec::new(), wrapped_at: 0 }
    }

    /// The lines as they are shown, broken at the width of the page.
    pub fn wrapped(&self) -> &[String] {
        &self.wrapped
    }

    /// Breaks the lines at `width` cells, unless they are already.
    pub(super) fn wrap(&mut self, width: usize) {
        if self.wrapped_at != width {
            self.wrapped = super::page::wrap_lines(&self.lines, width);
            self.wrapped_at = width;
        }
    }
}

/// Really quit? The button it begins on is No.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConfirmQuit {
    /// The cursor is on Yes.
    pub yes: bool,
}

/// Really pin the session to this certificate? The button it begins on is No.
#[derive(Clone, Debug)]
pub struct ConfirmPin {
    /// The session.
    pub session: SessionId,
    /// Its name, escaped.
    pub name: String,
    /// The certificate that was refused.
    pub certificate: Arc<PeerCertificate>,
    /// The cursor is on Yes.
    pub yes: bool,
}

/// Really read what a preset lists as dangerous? The button it begins on is No.
#[derive(Clone, Debug)]
pub struct ConfirmDanger {
    /// What, escaped.
    pub what: String,
    /// Why it is dangerous, escaped.
    pub reason: String,
    /// The names of the sessions whose presets say so, escaped.
    pub sessions: Vec<String>,
    /// What is done if the answer is yes.
    pub(super) risk: Risk,
    /// The cursor is on Yes.
    pub yes: bool,
}

/// Another name for a session is typed.
#[derive(Clone, Debug)]
pub struct Rename {
    /// The session.
    pub id: ProfileId,
    /// What is typed.
    pub input: LineEdit,
}

/// A command as palette and help list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRow {
    /// Which.
    pub id: CommandId,
    /// Its title.
    pub title: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Its keys, joined by commas.
    pub keys: String,
    /// Why it does not apply here, if it does not.
    pub greyed: Option<&'static str>,
}

impl Layer {
    /// Whether it takes text.
    pub const fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Help(_)
                | Self::Palette(_)
                | Self::CommandLine(_)
                | Self::Query(_)
                | Self::Filter(_)
                | Self::ClassName(_)
                | Self::Secret(_)
                | Self::Form(_)
                | Self::Rename(_)
        )
    }
}
