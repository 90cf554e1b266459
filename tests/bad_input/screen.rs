//! Bad input on the screen: the real state and views, fed by a real engine from a scripted server.

use std::collections::VecDeque;

use lazycim::{
    app::{Effect, Key, Keymap, Level, SessionEntry, State, StateOptions},
    op::lifecycle::Outcome,
    session::{Profile, ProfileId, store::SessionsFile},
    tui::{
        theme::{Environment, Theme},
        view,
    },
};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};
use tokio::sync::mpsc;

use super::bench::*;

/// A person before the screen.
pub struct Seat<'a> {
    /// What is interactive.
    pub state: State,
    bench: &'a Bench,
    terminal: Terminal<TestBackend>,
    theme: Theme,
}

impl<'a> Seat<'a> {
    /// A screen of `width` by `height` with the one session of `bench`.
    pub fn new(bench: &'a Bench, width: u16, height: u16) -> Self {
        let id = ProfileId::new("odd").unwrap();
        let profile = Profile::new(id, "odd".to_owned(), bench.target.clone());
        let mut state = State::new(StateOptions {
            sessions: vec![SessionEntry { id: SESSION, profile, read_only: false }],
            ids: bench.engine.ids(),
            keymap: Keymap::default(),
            limits: bench.limits,
            start: Some(SESSION),
            saved: SessionsFile::parse("sessions.toml", ""),
        });
        state.resize(width, height);
        let theme = Theme::named("sixteen", false, &Environment::default()).unwrap();
        Self { state, bench, terminal: Terminal::new(TestBackend::new(width, height)).unwrap(), theme }
    }

    /// Presses keys, written with spaces between them (a word in quotes letter by letter), and waits for what they led to.
    pub async fn keys(&mut self, keys: &str) {
        for word in keys.split(' ') {
            let pressed: Vec<Key> = match word.strip_prefix('"') {
                Some(text) => text.trim_end_matches('"').chars().map(Key::char).collect(),
                None => vec![word.parse().unwrap()],
            };
            for key in pressed {
                let effects = self.state.key(key);
                self.carry_out(effects).await;
            }
        }
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut left = VecDeque::from(effects);
        while let Some(effect) = left.pop_front() {
            match effect {
                Effect::Run { session, op, operation } => {
                    let (sender, mut events) = mpsc::channel(64);
                    self.bench.engine.start(session, op, *operation, sender);
                    while let Some(event) = events.recv().await {
                        for effect in self.state.apply(event) {
                            match effect {
                                Effect::Cancel(op) => self.bench.engine.cancel(op),
                                other => left.push_back(other),
                            }
                        }
                        self.draw();
                    }
                }
                Effect::Open { session, target } => self.bench.engine.open(session, target),
                _ => {}
            }
        }
        while self.state.has_work() {
            self.state.work();
        }
        self.draw();
    }

    /// Draws, and looks at every cell.
    fn draw(&mut self) {
        let (state, theme) = (&self.state, &self.theme);
        self.terminal
            .draw(|frame| {
                view::paint(state, theme, frame.buffer_mut());
            })
            .unwrap();
        is_clean(self.terminal.backend().buffer());
    }

    /// The screen as it was last drawn.
    pub fn buffer(&self) -> Buffer {
        self.terminal.backend().buffer().clone()
    }

    /// Walks to the table of the class every case asks for.
    pub async fn open_the_table(&mut self) {
        self.keys(&format!(": \"{CLASS}\" enter")).await;
    }
}

/// No cell holds what a terminal would obey, or what would turn text around.
fn is_clean(buffer: &Buffer) {
    for (at, cell) in buffer.content().iter().enumerate() {
        let odd = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!cell.symbol().chars().any(odd), "{:?} in cell {at} of\n{}", cell.symbol(), text_of(buffer));
    }
}

/// A buffer as lines of text.
pub fn text_of(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area.width));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n").collect()
}

#[tokio::test]
async fn no_control_character_reaches_a_cell() {
    let sizes = [(120, 40), (80, 24), (40, 10)];
    for (over, (width, height)) in SUBJECTS.into_iter().flat_map(|over| sizes.map(|size| (over, size))) {
        let bench = Bench::new(&case("control_characters").over(over)).await;
        let mut seat = Seat::new(&bench, width, height);
        seat.open_the_table().await;
        assert_eq!(seat.state.table().expect("a table").total(), 3);
        // Every row, its detail, its text views, a filter, the log, the operations: each frame is looked at.
        for keys in [
            "j",
            "l l l",
            "3",
            "j j j",
            "enter",
            "esc",
            "m",
            "esc",
            "2",
            "j",
            "/ \"k\" enter",
            "esc",
            "4",
            "enter",
            "esc",
            "?",
            "esc",
        ] {
            seat.keys(keys).await;
        }
        seat.keys("3").await;
        let table = seat.state.table().expect("a table");
        assert!(table.columns().iter().any(|column| column.title.contains("Odd")), "the odd column is shown");
        seat.keys("r").await;
        assert_eq!(seat.state.table().expect("a table").total(), 1, "the session is usable");
    }
}

#[tokio::test]
async fn an_error_with_control_characters_is_told_clean() {
    for over in SUBJECTS {
        let bench = Bench::new(&case("control_characters_in_error").over(over)).await;
        let mut seat = Seat::new(&bench, 120, 40);
        seat.open_the_table().await;
        // Over WS-Man instances are asked for in another way, and come.
        if over == CIMXML {
            let text = text_of(&seat.buffer());
            assert!(text.contains("CIM_ERR_FAILED (1)"), "{text}");
        }
        seat.keys("E").await;
        seat.keys("esc").await;
        seat.keys("r").await;
        assert_eq!(seat.state.table().expect("a table").total(), 1, "the session is usable");
    }
}

#[tokio::test]
async fn rows_and_the_error_after_them_both_stand_on_the_screen() {
    let died = |over| if over == WSMAN { "the provider died" } else { "CIM_ERR_FAILED" };
    let cases = |over| {
        [
            ("closes_mid_answer", 3, "the connection ended"),
            ("ill_formed_xml", 2, "ill-formed"),
            ("endless_attribute", 2, "longer than 4194304"),
            ("error_after_rows", 2, died(over)),
        ]
        .map(|case| (over, case))
    };
    for (over, (scenario, rows, words)) in SUBJECTS.into_iter().flat_map(cases) {
        let bench = Bench::new(&case(scenario).over(over)).await;
        let mut seat = Seat::new(&bench, 120, 40);
        seat.open_the_table().await;
        let text = text_of(&seat.buffer());
        let table = seat.state.table().expect("a table");
        assert_eq!(table.total(), rows, "{scenario}\n{text}");
        for row in ["one", "two", "three"].iter().take(rows) {
            let line = text.lines().find(|line| line.contains(row));
            assert!(line.is_some(), "{scenario}: row {row} stands there\n{text}");
        }
        assert!(text.contains(words), "{scenario}: the toast stands there\n{text}");
        let problem = seat.state.log().newest_problem().expect("the log has it");
        assert_eq!(problem.level, Level::Error);
        assert!(!problem.hint.is_empty() && problem.error.is_some(), "{scenario}: {problem:?}");
        let failed = |outcome: &Option<(_, Outcome)>| matches!(outcome, Some((_, Outcome::Failed(_))));
        assert!(seat.state.operations().shown().any(|row| failed(&row.timeline.outcome)), "{scenario}");
        seat.keys("r").await;
        let table = seat.state.table().expect("a table");
        assert_eq!((table.total(), table.stale), (1, false), "{scenario}: the session is usable");
    }
}

/// The raw text stands below the causes, the fault marked in it, also on a small screen.
#[tokio::test]
async fn the_raw_text_of_what_is_broken_is_on_the_screen() {
    let sizes = [(120, 40), (80, 24), (200, 50)];
    for (over, (width, height)) in SUBJECTS.into_iter().flat_map(|over| sizes.map(|size| (over, size))) {
        let bench = Bench::new(&case("bare_ampersand").over(over)).await;
        let mut seat = Seat::new(&bench, width, height);
        seat.open_the_table().await;
        seat.keys("E").await;
        let text = text_of(&seat.buffer());
        let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        let (row, column) = lines
            .iter()
            .enumerate()
            .find_map(|(row, line)| Some((row, line.iter().position(|c| *c == '^')?)))
            .unwrap_or_else(|| panic!("no mark\n{text}"));
        assert_eq!(lines[row - 1].get(column), Some(&'&'), "the mark is below the fault\n{text}");
        let item = if over == WSMAN { "<w:Item>" } else { "<VALUE.NAMEDINSTANCE>" };
        assert!(text.contains(item), "the item begins there\n{text}");
    }
}

/// What is quadratic in columns would take minutes here, and its bound is the harness's.
#[tokio::test]
async fn a_class_of_thousands_of_properties_and_rows_of_as_many_do_not_stop_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let property = |n: usize| format!("<PROPERTY NAME=\"P{n}\" TYPE=\"string\"><VALUE>{n}</VALUE></PROPERTY>");
    let wrap = |operation: &str, inner: &str| {
        format!(
            "<?xml version=\"1.0\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\">\
             <SIMPLERSP><IMETHODRESPONSE NAME=\"{operation}\"><IRETURNVALUE>{inner}</IRETURNVALUE></IMETHODRESPONSE>\
             </SIMPLERSP></MESSAGE></CIM>"
        )
    };
    let declared: String = (0..50_000).map(|n| format!("<PROPERTY NAME=\"P{n}\" TYPE=\"string\"/>")).collect();
    let class = wrap("GetClass", &format!("<CLASS NAME=\"{CLASS}\">{declared}</CLASS>"));
    let wide: String = (0..4_096).map(property).collect();
    let rows: String = (0..20).map(|_| format!("<INSTANCE CLASSNAME=\"{CLASS}\">{wide}</INSTANCE>")).collect();
    let rows =
        rows.replace("<INSTANCE ", "<VALUE.OBJECT><INSTANCE ").replace("</INSTANCE>", "</INSTANCE></VALUE.OBJECT>");
    std::fs::write(folder.path().join("class.xml"), class).unwrap();
    std::fs::write(folder.path().join("rows.xml"), wrap("EnumerateInstances", &rows)).unwrap();
    let step =
        |operation, file| format!("[[step]]\noperation = \"{operation}\"\nstatus = 200\nbody_file = \"{file}\"\n");
    let steps = step("GetClass", "class.xml") + &step("EnumerateInstances", "rows.xml");
    let scenario = lazycim::server::Scenario::parse(&format!("about = \"wide\"\n{steps}"), folder.path()).unwrap();
    let bench = Bench::with(&case("as_it_should"), scenario).await;
    let mut seat = Seat::new(&bench, 120, 40);
    seat.open_the_table().await;
    let table = seat.state.table().expect("a table");
    assert_eq!((table.total(), table.columns().len()), (20, 50_000), "{}", text_of(&seat.buffer()));
    seat.keys("j").await;
    seat.keys("/ \"4095\" enter").await;
}
