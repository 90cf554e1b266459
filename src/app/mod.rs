//! The interactive state: everything the terminal front shows, and what every key does to it.
//!
//! Owns: [`State`]: panes, layers, history, the log; the command registry and the keymap. Pure: no async, no sockets, no
//! files, no terminal, no clock; time comes in with [`State::tick`]. Must not know how anything is drawn; the texts it
//! hands out are escaped for a terminal unless they say `raw`.
//!
//! ```text
//! Key --> State::key --> Action --> State::act --> Vec<Effect> --> (the front) --> engine, clipboard, files
//!                                       ^                                            |
//!     frame <-- (views read &State)     +------------- State::apply <---- OpEvent ---+
//! ```
//!
//! The front's duties: hand keys, pastes, sizes and the time in; do the effects; while [`State::wants_secret`] is some,
//! keep the typed secret to itself; while [`State::has_work`], call [`State::work`] between events; call
//! [`State::tick`] no later than [`State::wake_at`].

mod action;
mod apply;
mod arrange;
mod associate;
mod associations;
mod changes;
mod classes;
mod colon;
mod columns;
mod command;
mod copy;
mod cursor;
mod danger;
mod detail;
mod display;
mod editor;
mod effect;
mod exchange;
mod filter;
mod form;
mod history;
mod identity;
mod index;
mod input;
mod keep;
mod key;
mod keymap;
mod keys;
mod layer;
mod layout;
mod list;
mod live;
mod log;
mod merged;
mod nearest;
mod number;
mod open;
mod operations;
mod page;
mod palette;
mod pin;
mod query;
mod question;
mod sessions;
mod source;
mod spot;
mod state;
mod table;
mod tag;
mod update;

#[cfg(test)]
mod associate_tests;
#[cfg(test)]
mod line_tests;
#[cfg(test)]
mod preset_tests;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod script;
#[cfg(test)]
mod storm;
#[cfg(test)]
mod tag_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod untyped_tests;

pub use action::Action;
pub use associations::{AssociationNode, AssociationRow, Associations};
pub use changes::{Change, ChangeError, Changed, Outcome};
pub use classes::{ClassRow, ClassRowKind, Classes, Fold, Subclasses, TREE_DEPTH};
pub use columns::{COLUMN_WIDTH, TableColumn};
pub use command::{COMMANDS, Command, CommandId, Scope};
pub use detail::{Detail, DetailRow, DetailTab, ValueState};
pub use display::safe;
pub use effect::Effect;
pub use filter::{Filter, Scratch};
pub use form::{Choice, Field, Form, FormRow, FormTest, Picker, Section, origin_text};
pub use history::{Place, Stop};
pub use index::{RowIndex, Sort};
pub use input::{LINE_BYTES, LineEdit};
pub use key::{Key, KeyCode, KeyError, chord, chord_text};
pub use keymap::{Keymap, KeymapError, Lookup, keys_markdown, keys_toml};
pub use layer::{
    CommandLine, CommandRow, ConfirmDanger, ConfirmPin, ConfirmQuit, ErrorView, FilterPrompt, Help, Layer, Palette,
    Rename, SecretPrompt, TextView, TimelineView,
};
pub use layout::{Area, Layout, MIN_HEIGHT, MIN_WIDTH};
pub use list::{ListCursor, Motion};
pub use live::LiveRow;
pub use log::{Level, Log, LogEntry, Toast};
pub use merged::Member;
pub use operations::{OperationRow, Operations};
pub use page::{
    ERROR_LABEL, ErrorPart, certificate_lines, error_lines, phase_columns, phase_details, timeline_height,
    timeline_title, wrap, wrap_cut,
};
pub use palette::grouped;
pub use query::QueryPrompt;
pub use question::{ConflictView, Question};
pub use sessions::{Session, SessionEntry, SessionRow, Sessions};
pub use source::{Associated, Query, Source, Tagged};
pub use spot::Spot;
pub use state::{Crumb, Hint, Load, Pane, State, StateOptions};
pub use table::Table;

use question::Subject;
