//! The terminal front: the loop, the terminal, the theme and the views.
//!
//! Owns: everything that knows there is a terminal. Must not know protocols; only [`mod@run`] knows the engine, and only it
//! awaits.
//!
//! ```text
//! terminal -> input -> State::key -> Effect -> engine
//!                         |                      |
//! view::paint(&State) <---+--- State::apply <- OpEvent
//! ```

pub mod input;
pub mod run;
pub mod secret;
pub mod signals;
pub mod terminal;
pub mod theme;
pub mod view;

pub use run::{Start, TuiOptions, problems, run};
