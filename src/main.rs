//! The program: parses the arguments, picks a front and maps its result to an exit code.

use std::process::ExitCode;

use lazycim::{
    cli::{self, Front, Preselect},
    tui::{self, TuiOptions},
};

fn main() -> ExitCode {
    match cli::run(tui::problems) {
        Front::Done(code) => code,
        Front::Tui(start) => ExitCode::from(tui::run(options(*start))),
    }
}

fn options(start: cli::Start) -> TuiOptions {
    let cli::Start { config, paths, sessions, preselect } = start;
    let start = match preselect {
        Preselect::ThisComputer => tui::Start::ThisComputer,
        Preselect::Saved(id) => tui::Start::Saved(id),
        Preselect::Given(profile) => tui::Start::Given(profile),
    };
    TuiOptions { config, paths, sessions, start }
}
