//! Random keys, events and sizes: nothing panics, every cursor stays where it can be seen.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use proptest::prelude::*;

use super::{script::Script, *};
use crate::op::{Limits, OpEventKind, OpId};

#[derive(Clone, Debug)]
enum Step {
    Key(usize),
    Text(String),
    Resize(u16, u16),
    Click(u16, u16, bool),
    Scroll(u16, u16, isize),
    Names(u64, Vec<u8>),
    Rows(u64, Vec<u32>),
    End(u64, u8),
    Secret(u64),
    Tick(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0_usize..KEYS.len()).prop_map(Step::Key),
        1 => ".{0,8}".prop_map(Step::Text),
        1 => (0_u16..200, 0_u16..200).prop_map(|(w, h)| Step::Resize(w, h)),
        1 => (0_u16..200, 0_u16..60, any::<bool>()).prop_map(|(x, y, d)| Step::Click(x, y, d)),
        1 => (0_u16..200, 0_u16..60, -9_isize..9).prop_map(|(x, y, l)| Step::Scroll(x, y, l)),
        3 => (0_u64..4, proptest::collection::vec(0_u8..12, 0..5)).prop_map(|(op, names)| Step::Names(op, names)),
        3 => (0_u64..4, proptest::collection::vec(0_u32..50, 0..5)).prop_map(|(op, rows)| Step::Rows(op, rows)),
        3 => (0_u64..4, 0_u8..3).prop_map(|(op, end)| Step::End(op, end)),
        1 => (0_u64..4).prop_map(Step::Secret),
        1 => (0_u64..20_000).prop_map(Step::Tick),
    ]
}

const KEYS: &[&str] = &[
    "enter",
    "enter",
    "j",
    "k",
    "l",
    "h",
    "g",
    "G",
    "space",
    "esc",
    "tab",
    "shift-tab",
    "1",
    "2",
    "3",
    "4",
    "5",
    "z",
    "[",
    "]",
    "/",
    "n",
    "N",
    ":",
    "ctrl-p",
    "?",
    "r",
    "s",
    "d",
    "m",
    "c",
    "x",
    "y",
    "p",
    "Y",
    "a",
    "X",
    "E",
    "L",
    "ctrl-c",
    "left",
    "right",
    "up",
    "down",
    "pagedown",
    "ctrl-u",
    "backspace",
    "end",
    "home",
    "!",
    "~",
    "q",
    "A",
    "A",
    "Q",
    "S",
    "T",
    "p",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn no_keys_events_or_sizes_panic(steps in proptest::collection::vec(step(), 1..120), tagged: bool) {
        let mut script = Script::with(Limits { retained_rows: 40, logged_operations: 8, ..Limits::default() });
        if tagged {
            script.add(on_preset(3));
            script.add(on_preset(4));
            script.act(Action::Line("tag lab Win32_Product".to_owned()));
            script.keys("y");
            prop_assert_eq!(script.runs.len(), 2);
        }
        for step in steps {
            // The newest operations but `back`.
            let op = |script: &Script, back: u64| {
                let at = script.runs.len().checked_sub(1 + back as usize);
                at.and_then(|at| script.runs.get(at)).map_or(OpId(0), |run| run.0)
            };
            match step {
                Step::Key(at) => script.press(KEYS[at].parse().unwrap()),
                Step::Text(text) => drop(script.state.paste(&text)),
                Step::Resize(width, height) => script.state.resize(width, height),
                Step::Click(x, y, double) => script.act(Action::Click { x, y, double }),
                Step::Scroll(x, y, lines) => script.act(Action::Scroll { x, y, lines }),
                Step::Names(back, names) => {
                    let names = names.iter().map(|n| format!("C{n}")).collect::<Vec<_>>();
                    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
                    let op = op(&script, back);
                    script.namespaces(op, &names);
                    script.classes(op, &names);
                }
                Step::Rows(back, rows) => { let op = op(&script, back); script.processes(op, &rows) }
                Step::End(back, 0) => { let op = op(&script, back); script.finish(op) }
                Step::End(back, 1) => { let op = op(&script, back); script.fail(op, "no") }
                Step::End(back, _) => {
                    let op = op(&script, back);
                    script.tell(op, OpEventKind::Cancelled { left_open: None });
                }
                Step::Secret(back) => {
                    let op = op(&script, back);
                    script.tell(op, OpEventKind::SecretNeeded { user: "ann".to_owned(), again: false });
                }
                Step::Tick(millis) => script.state.tick(Duration::from_millis(millis)),
            }
            look(&script.state)?;
        }
    }
}

/// A session with a tag, on a preset with dangerous classes and bookmarks.
fn on_preset(id: u32) -> SessionEntry {
    let mut entry = super::script::entry(id, &format!("lab{id}"), Some("lab.example"));
    entry.profile.tags = vec!["lab".to_owned()];
    entry.profile.target.preset = crate::session::preset::find("winrm-http");
    entry
}

/// Reads everything a view reads.
fn look(state: &State) -> Result<(), TestCaseError> {
    let layout = state.layout();
    for pane in Pane::ALL {
        let _ = (state.title(pane), state.empty_text(pane), state.rows(pane));
    }
    let _ = (state.hints(), state.breadcrumbs(), state.palette_rows(), state.help_rows(), state.which_key());
    let _ = (state.session_list().len(), state.tags().len());
    let _ = (state.wake_at(), state.spins(), state.connection_status(), state.layer_lines(), state.is_idle());
    if let Some(table) = state.table() {
        let cursor = table.cursor();
        prop_assert!(cursor.at < table.shown().max(1), "{:?} of {}", cursor, table.shown());
        prop_assert!(cursor.offset <= cursor.at && cursor.at - cursor.offset < layout.rows(Pane::Table).max(1));
        for row in cursor.offset..(cursor.offset + 3).min(table.shown()) {
            for column in 0..table.columns().len() {
                let _ = table.cell(row, column);
            }
        }
        prop_assert!(table.total() <= 40);
    }
    prop_assert!(state.sessions().cursor().at < state.sessions().rows().len().max(1));
    prop_assert!(state.classes().is_none_or(|classes| classes.cursor().at < classes.rows().len().max(1)));
    prop_assert!(state.detail().cursor().at < state.detail().rows().len().max(1));
    Ok(())
}
