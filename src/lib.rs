//! lazycim: look inside machines over CIM, from any terminal.
//!
//! One spine carries everything:
//!
//! ```text
//! key -> Action -> State::act() -> Effect -> engine -> Protocol -> wire
//!                                                          |
//! frame <- State::apply() <------------- OpEvent <---------+
//! ```

pub mod app;
pub mod auth;
pub mod cim;
pub mod cli;
pub mod config;
pub mod engine;
pub mod op;
pub mod protocol;
pub mod server;
pub mod session;
pub mod tui;
pub mod wire;
