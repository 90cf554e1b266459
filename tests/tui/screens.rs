//! Whole screens, by the keys that lead to them.

use std::sync::Arc;

use lazycim::{
    cim::{
        CimError, CimName, CimStatus, CimType, KeyValue, Namespace,
        rows::{CellRef, Column, RowWriter, Shape, ShapeId},
    },
    op::{ConnId, ErrorKind, OpError, OpEventKind, Phase, Summary},
    session::{Profile, ProfileId, Target},
};
use proptest::prelude::*;
use ratatui::style::{Color, Modifier};

use super::world::{World, refused};

/// Keys in, screen out; an operation the keys start is answered.
macro_rules! snapshot {
    ($name:ident, $width:literal x $height:literal, $keys:literal) => {
        #[test]
        fn $name() {
            let mut world = World::new($width, $height);
            world.press($keys);
            insta::assert_snapshot!(world.screen());
        }
    };
}

/// From the start to the instances of LC_Process.
const TO_TABLE: &str = "enter j enter : \"LC_Process\" enter";

fn at_table(width: u16, height: u16) -> World {
    let mut world = World::new(width, height);
    world.press(TO_TABLE);
    world
}

snapshot!(first_screen_80, 80 x 24, "");
snapshot!(first_screen_40, 40 x 10, "");
snapshot!(too_small, 18 x 4, "");
snapshot!(namespaces, 80 x 24, "enter");
snapshot!(classes_tree, 120 x 40, "enter j enter l l l l l l l l");
snapshot!(classes_filtered, 80 x 24, "enter j enter / \"proc\" enter");
snapshot!(help, 100 x 30, "?");
snapshot!(help_searched, 80 x 24, "? \"filter\"");
snapshot!(palette, 80 x 24, "ctrl-p \"ref\"");
snapshot!(command_line, 80 x 24, "enter j enter : \"LC\"");
snapshot!(command_line_error, 80 x 24, ": \"LC_Process\" space \"@nobody\" enter");
snapshot!(log_empty, 80 x 24, ": \"log\" enter");

#[test]
fn table_80() {
    insta::assert_snapshot!(at_table(80, 24).screen());
}

#[test]
fn table_120() {
    insta::assert_snapshot!(at_table(120, 40).press("j j j").screen());
}

#[test]
fn table_200() {
    insta::assert_snapshot!(at_table(200, 50).screen());
}

#[test]
fn table_40() {
    insta::assert_snapshot!(at_table(40, 10).screen());
}

#[test]
fn table_in_ascii() {
    let mut world = World::themed(100, 30, "mono", true);
    world.press(TO_TABLE);
    let screen = world.screen();
    insta::assert_snapshot!(screen);
    let letters = "日本語デーモン\u{301}é";
    let foreign = screen.chars().filter(|c| !c.is_ascii() && !letters.contains(*c)).collect::<String>();
    assert_eq!(foreign, "", "only the server's own letters may be beyond ASCII");
}

#[test]
fn table_filtered_and_sorted() {
    insta::assert_snapshot!(at_table(100, 30).press("/ \"wor\" enter s").screen());
}

#[test]
fn detail_zoomed() {
    insta::assert_snapshot!(at_table(80, 24).press("j j j j j enter z").screen());
}

#[test]
fn associations_80() {
    let mut world = at_table(80, 24);
    insta::assert_snapshot!(world.press("A j j j l j").screen());
}

#[test]
fn associations_120() {
    let mut world = at_table(120, 40);
    insta::assert_snapshot!(world.press("A j l j j j j l j j j l").screen());
    let letters = world.buffer().content.iter().flat_map(|cell| cell.symbol().chars()).collect::<Vec<_>>();
    assert!(!letters.iter().any(|c| c.is_control() || *c == '\u{202e}'), "{letters:?}");
}

#[test]
fn associated_instances_80() {
    insta::assert_snapshot!(at_table(80, 24).press("A G enter j").screen());
}

#[test]
fn associated_instances_120() {
    insta::assert_snapshot!(at_table(120, 40).press("A G l j enter A").screen());
}

#[test]
fn associations_in_ascii_without_colour() {
    let mut world = World::themed(100, 30, "mono", true);
    let screen = world.press(TO_TABLE).press("A j j j l j").screen();
    insta::assert_snapshot!(screen);
    let reversed = world.buffer().content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED)).count();
    assert!(reversed > 10, "the selection is seen");
}

#[test]
fn no_associations() {
    let mut world = at_table(80, 24);
    world.keys("A");
    let op = world.next();
    world.tell(vec![(9, op, OpEventKind::Finished(lazycim::op::Summary::default()))]);
    insta::assert_snapshot!(world.screen());
}

#[test]
fn associations_that_the_server_does_not_follow() {
    let mut world = at_table(120, 40);
    world.keys("A");
    let op = world.next();
    let cause = CimError { status: CimStatus::NOT_SUPPORTED, description: String::new(), details: Vec::new() };
    let kind = ErrorKind::Cim(Arc::new(cause));
    let error = OpError::new(Phase::Receive, "web01.example:5989", kind, "CIM_ERR_NOT_SUPPORTED (7)", "try another");
    world.tell(vec![(9, op, OpEventKind::Failed(Arc::new(error)))]);
    insta::assert_snapshot!(world.screen());
}

#[test]
fn query_prompt() {
    let mut world = at_table(80, 24);
    insta::assert_snapshot!("query_prompt_80", world.press("Q tab").screen());
    world.state.resize(120, 40);
    insta::assert_snapshot!("query_prompt_120", world.press("ctrl-u enter").screen());
}

#[test]
fn query_result() {
    let mut world = at_table(80, 24);
    world
        .press("Q ctrl-u")
        .keys("\"SELECT\" space \"Handle,WorkingSetSize\" space \"FROM\" space \"LC_Process\" enter");
    world.answer_all();
    insta::assert_snapshot!("query_result_80", world.press("j").screen());
    world.state.resize(120, 40);
    insta::assert_snapshot!("query_result_120", world.press("right s").screen());
}

#[test]
fn operations_zoomed() {
    insta::assert_snapshot!(at_table(100, 30).press("5 z").screen());
}

#[test]
fn timeline_of_an_operation() {
    insta::assert_snapshot!(at_table(120, 40).press("5 enter").screen());
}

#[test]
fn an_operation_in_flight_shows_its_phases() {
    let mut world = World::new(120, 30);
    world.press("enter j enter").keys(": \"LC_Process\" enter");
    let op = world.next();
    let events = world.life(op);
    world.tell(events).wait(420);
    insta::assert_snapshot!(world.screen());
}

#[test]
fn a_failure_is_a_toast_with_phase_cause_and_hint() {
    let mut world = World::new(100, 30);
    world.keys("j enter");
    let op = world.next();
    world.tell(vec![
        (10, op, OpEventKind::PhaseStarted { conn: Some(ConnId(1)), phase: Phase::Connect, detail: None }),
        (900, op, OpEventKind::PhaseEnded { conn: Some(ConnId(1)), phase: Phase::Connect, error: Some(refused()) }),
        (1_000, op, OpEventKind::Failed(refused())),
    ]);
    insta::assert_snapshot!("failure_toast", world.screen());
    insta::assert_snapshot!("failure_in_full", world.keys("E").screen());
    // The toast goes; the log keeps it.
    world.keys("esc").wait(20_000);
    assert!(!world.screen().contains("try: "), "{}", world.screen());
    insta::assert_snapshot!("failure_in_the_log", world.press(": \"log\" enter").screen());
}

#[test]
fn a_secret_is_masked_and_never_in_the_state() {
    let mut world = World::new(80, 24);
    world.keys("j enter");
    let op = world.next();
    world.tell(vec![
        (5, op, OpEventKind::Queued),
        (6, op, OpEventKind::SecretNeeded { user: "ann".to_owned(), again: true }),
    ]);
    assert!(world.state.wants_secret().is_some());
    let effects = world.state.act(lazycim::app::Action::SecretLength(8));
    assert!(effects.is_empty());
    insta::assert_snapshot!(world.screen());
    world.keys("h u n t e r 2");
    assert!(!format!("{:?}", world.state).contains("hunter2"));
}

#[test]
fn quitting_while_something_runs_asks_and_means_no() {
    let mut world = World::new(80, 24);
    world.keys("enter q");
    insta::assert_snapshot!(world.screen());
    world.keys("enter");
    assert!(!world.state.is_quitting(), "enter on the default button must not quit");
}

#[test]
fn the_end_of_every_page_can_be_reached() {
    for (width, height) in [(40, 10), (80, 24), (120, 16)] {
        let mut world = World::new(width, height);
        world.keys("j enter");
        let op = world.next();
        let causes = "a cause that goes on and on, ".repeat(40);
        let hint = "and this is the very end";
        let error = OpError::new(Phase::Connect, "web01.example:5989", ErrorKind::Internal, causes, hint);
        world.tell(vec![(10, op, OpEventKind::Failed(Arc::new(error)))]).wait(20_000);
        for layer in ["E", "5 enter"] {
            world.keys(layer);
            assert!(!world.screen().contains("very end"), "{}", world.screen());
            world.keys("G");
            assert!(world.screen().contains("very end"), "{layer} {width}x{height}\n{}", world.screen());
            let last = world.screen();
            world.keys("j");
            assert_eq!(last, world.screen(), "the end is the end");
            world.keys("k");
            assert_ne!(last, world.screen(), "one key up is one line up");
            world.keys("esc");
        }
    }
}

#[test]
fn the_selected_row_is_one_bar_from_edge_to_edge() {
    for theme in ["sixteen", "dark", "light"] {
        let mut world = World::themed(120, 40, theme, false);
        world.press(TO_TABLE).press("2");
        for (pane, role) in [
            (lazycim::app::Pane::Classes, world.theme.roles.selection),
            (lazycim::app::Pane::Table, world.theme.roles.selection_unfocused),
        ] {
            let area = world.state.layout().pane(pane).unwrap().inner();
            let row = area.y + u16::from(pane == lazycim::app::Pane::Table);
            let buffer = world.buffer();
            for x in area.x..area.x + area.width {
                let cell = &buffer[(x, row)];
                assert_eq!((Some(cell.fg), Some(cell.bg)), (role.fg, role.bg), "{theme} {pane:?} cell {x}");
            }
        }
    }
}

#[test]
fn keys_of_a_chord_pop_up_after_a_while() {
    let mut world = at_table(80, 24);
    world.keys("y");
    let before = world.screen();
    world.wait(300);
    assert_ne!(before, world.screen());
    insta::assert_snapshot!(world.screen());
}

#[test]
fn nothing_of_a_server_moves_the_cursor_or_turns_text_around() {
    let mut world = at_table(120, 40);
    world.keys("j j j j");
    for cell in &world.buffer().content {
        let bad = cell.symbol().chars().find(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(bad, None, "{:?}", cell.symbol());
    }
    let hostile = Arc::new(OpError::new(
        Phase::Receive,
        "x\u{1b}]0;owned\u{7}",
        ErrorKind::Internal,
        "bad \u{9b}2J \u{202e}cause",
        "try\nthis",
    ));
    world.keys("r");
    let op = world.next();
    world.tell(vec![(10, op, OpEventKind::Failed(hostile))]).keys("E");
    for cell in &world.buffer().content {
        assert!(!cell.symbol().chars().any(|c| c.is_control() || c == '\u{202e}'), "{:?}", cell.symbol());
    }
}

#[test]
fn the_selection_is_seen_without_colour() {
    let mut world = World::themed(80, 24, "mono", false);
    world.press(TO_TABLE);
    let buffer = world.buffer();
    let reversed = buffer.content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED)).count();
    assert!(reversed > 10, "{reversed} cells");
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
}

#[test]
fn a_wide_letter_at_the_edge_never_spills() {
    for width in 40..60 {
        let world = at_table(width, 24);
        for line in world.screen().lines() {
            assert!(lazycim::tui::view::text::width(line) <= usize::from(width), "{width}: {line}");
        }
    }
}

#[test]
fn only_the_window_is_drawn() {
    let mut world = at_table(80, 24);
    assert!(!world.screen().contains("2029"));
    world.press("G");
    assert!(world.screen().contains("2029"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_size_panics_with_anything_on_the_screen(
        width in 0_u16..200,
        height in 0_u16..60,
        layers in proptest::sample::select(vec!["", "?", "ctrl-p", ":", "/", "a", "5 enter", "y", "z", "2 z", "E", "m", "q", "A", "Q", "A G enter"]),
    ) {
        let mut world = at_table(120, 40);
        world.press(layers).wait(400);
        world.state.resize(width, height);
        world.screen();
        world.press("j G h l tab z");
        world.screen();
    }
}

/// A session on a preset, under the cursor.
fn on_preset(width: u16, height: u16, preset: &str) -> World {
    let mut world = World::new(width, height);
    let target = Target {
        computer: Some("lab.example".to_owned()),
        port: 5989,
        preset: lazycim::session::preset::find(preset),
        ..Target::this_computer()
    };
    let profile = Profile::new(ProfileId::new("lab").unwrap(), "lab".to_owned(), target);
    world.list(vec![profile]);
    world
}

#[test]
fn a_dangerous_class_asks_80() {
    let mut world = on_preset(80, 24, "winrm-http");
    insta::assert_snapshot!(world.press(": \"Win32_Product\" enter").screen());
}

#[test]
fn a_dangerous_class_asks_40() {
    let mut world = on_preset(40, 10, "winrm-http");
    let screen = world.press(": \"Win32_Product\" enter").screen();
    assert!(screen.contains("No") && screen.contains("Yes, read it"), "{screen}");
}

#[test]
fn bookmarks_of_a_preset_120() {
    let mut world = on_preset(120, 40, "amt");
    insta::assert_snapshot!(world.press("enter").press("j enter").screen());
}

/// A session on a server that neither lists nor tells its classes, with the instances of the first bookmark open.
fn untyped(width: u16, height: u16, theme: &str) -> World {
    let mut world = on_preset(width, height, "amt");
    world.theme = lazycim::tui::theme::Theme::named(theme, false, &Default::default()).unwrap();
    world.press("enter").keys("j enter");
    let refusal = |phase, cause: &str, hint: &str| {
        let kind = ErrorKind::NotSupported;
        OpEventKind::Failed(Arc::new(OpError::new(phase, "lab.example:16993", kind, cause, hint)))
    };
    let op = world.next();
    let cause = "the server does not list its classes";
    let hint = "name the class: what has a name can be fetched all the same";
    world.tell(vec![(9_000, op, refusal(Phase::Receive, cause, hint))]);
    world
}

/// Opens the class under the cursor there: 30 rows come, and one warning.
fn open_untyped(world: &mut World) {
    world.keys("enter");
    let class = world.next();
    let refused = OpError::new(Phase::Receive, "lab.example:16993", ErrorKind::NotSupported, "not offered", "go on");
    world.tell(vec![(9_000, class, OpEventKind::Failed(Arc::new(refused)))]);
    let rows = world.next();
    let mut shape = Shape {
        class: CimName::new("AMT_GeneralSettings"),
        namespace: Some(Namespace::new("root/cimv2")),
        host: None,
        columns: ["InstanceID", "HostName", "PingResponse", "IdleWakeTimeout"]
            .map(|name| Column { ty: None, ..Column::new(CimName::new(name), CimType::String) })
            .to_vec(),
        path_keys: vec![CimName::new("InstanceID")],
    };
    shape.columns.push(Column::new(CimName::new("Peer"), CimType::Reference));
    let mut writer = RowWriter::default();
    for number in 0..30_u32 {
        let id = format!("Intel(r) AMT: General Settings {number}");
        writer.begin(ShapeId(0));
        writer.cell(CellRef::Untyped(&id));
        writer.cell(CellRef::Untyped(&format!("host{number}.example")));
        writer.cell(CellRef::Untyped(if number % 2 == 0 { "true" } else { "false" }));
        if number == 3 {
            writer.cell(CellRef::Null)
        } else {
            writer.cell(CellRef::Untyped(&(7 * number + 1).to_string()))
        }
        writer.cell(CellRef::Null);
        writer.key(KeyValue::String(id.into()));
        writer.end();
    }
    let warning = OpError::new(
        Phase::Schema,
        "lab.example:16993",
        ErrorKind::NotSupported,
        "values are shown without their types",
        "use cimxml as the protocol, where the server speaks it too",
    );
    world.tell(vec![
        (5_000, rows, OpEventKind::Shape(ShapeId(0), Arc::new(shape))),
        (5_001, rows, OpEventKind::Warning(Arc::new(warning))),
        (5_002, rows, OpEventKind::Rows(writer.take())),
        (6_000, rows, OpEventKind::Finished(Summary { rows: 30, limited: false })),
    ]);
}

#[test]
fn a_server_that_lists_no_classes_shows_those_of_its_preset_and_why_the_others_are_missing() {
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        let mut world = untyped(width, height, "sixteen");
        // The toast goes.
        world.wait(60_000);
        if width == 120 {
            insta::assert_snapshot!("bookmarks_alone_120", world.screen());
        }
        let screen = world.screen();
        assert!(screen.contains("AMT_GeneralSettings") && screen.contains("not listed"), "{screen}");
        world.keys("c \"CIM_Service\" enter");
        let asked = world.asked.iter().map(|asked| asked.2.subject()).collect::<Vec<_>>();
        assert_eq!(asked, ["CIM_Service", "CIM_Service"]);
    }
    let mut world = untyped(120, 40, "sixteen");
    world.keys("/ \"eth\" enter");
    assert!(world.asked.is_empty(), "what it does not list is not asked for again");
    assert!(world.screen().contains("AMT_EthernetPortSettings"), "{}", world.screen());
    world.keys("enter");
    assert_eq!(world.asked.front().unwrap().2.subject(), "AMT_EthernetPortSettings");
}

#[test]
fn values_without_types_are_shown_as_such() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut world = untyped(width, height, "sixteen");
        open_untyped(&mut world);
        world.wait(60_000);
        insta::assert_snapshot!(format!("untyped_{width}"), world.screen());
    }
    let mut world = untyped(120, 40, "mono");
    open_untyped(&mut world);
    // Numbers sort as numbers, types or not.
    world.keys("right right right s").wait(60_000);
    while world.state.has_work() {
        world.state.work();
    }
    let table = world.state.table().unwrap();
    let (at, _) = table.sorted_by().unwrap();
    assert!(table.columns()[at].numeric && table.columns()[at].name == "IdleWakeTimeout");
    let first = (0..4).map(|row| table.cell(row, at).unwrap()).collect::<Vec<_>>();
    assert_eq!((first, table.cell(29, at)), (["1", "8", "15", "29"].map(str::to_owned).to_vec(), None));
    // The next one does not ask for a class the server does not tell.
    world.keys("2 j enter");
    let asked = world.asked.iter().map(|asked| asked.2.name()).collect::<Vec<_>>();
    assert_eq!(asked, ["EnumerateInstances"]);
}

#[test]
fn one_table_of_several_sessions() {
    insta::assert_snapshot!(super::tag::some_answered(100, 30, "sixteen").screen());
}
