//! A world without an engine: the real state and views, answers from a script, a clock that stands still. Whatever is on
//! the screen is then the same on every machine.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use lazycim::{
    app::{Action, Effect, Key, Keymap, SessionEntry, State, StateOptions},
    cim::{
        CimClass, CimName, CimType, CimValue, ClassProperty, KeyBinding, KeyValue, Namespace, ObjectPath, Qualifier,
        TypedValue,
        rows::{CellRef, Column, RowBatch, RowWriter, Shape, ShapeId},
    },
    op::{
        Closer, ConnId, ErrorKind, Limits, Names, OpError, OpEvent, OpEventKind, OpId, OpIds, Operation, OperationKind,
        Phase, Purpose, SessionId, Summary,
    },
    session::{Profile, ProfileId, Target, Tls, store::SessionsFile},
    tui::{
        theme::{Environment, Theme},
        view,
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

/// The state, its screen and the operations it asked for.
pub struct World {
    pub state: State,
    pub theme: Theme,
    pub asked: VecDeque<(OpId, SessionId, Operation)>,
    pub effects: Vec<Effect>,
    now: Duration,
    connections: u64,
}

fn profile(id: &str, target: Target) -> Profile {
    Profile::new(ProfileId::new(id).unwrap(), id.to_owned(), target)
}

fn remote(computer: &str, tls: bool) -> Target {
    Target {
        computer: Some(computer.to_owned()),
        port: if tls { 5989 } else { 5988 },
        tls: tls.then(Tls::default),
        user: Some("ann".to_owned()),
        allow_clear_text: !tls,
        ..Target::this_computer()
    }
}

fn own() -> Vec<Profile> {
    vec![
        profile("this-computer", Target::this_computer()),
        profile("web01", remote("web01.example", true)),
        profile("esx7", remote("esx7.example", false)),
    ]
}

fn state(profiles: Vec<Profile>, saved: SessionsFile) -> State {
    let sessions = profiles.into_iter().zip(1..).map(|(profile, number)| SessionEntry {
        id: SessionId(number),
        read_only: profile.target.read_only,
        profile,
    });
    State::new(StateOptions {
        sessions: sessions.collect(),
        ids: OpIds::default(),
        keymap: Keymap::default(),
        limits: Limits::default(),
        start: Some(SessionId(1)),
        saved,
    })
}

impl World {
    /// A world of this computer and two others, on a screen of `width` by `height`.
    pub fn new(width: u16, height: u16) -> Self {
        Self::themed(width, height, "sixteen", false)
    }

    /// The same with sessions more, the last under the cursor.
    pub fn list(&mut self, more: Vec<Profile>) {
        let (width, height) = self.state.size();
        let profiles = own().into_iter().chain(more).collect::<Vec<_>>();
        self.state = state(profiles, SessionsFile::parse("sessions.toml", ""));
        self.state.resize(width, height);
        self.keys("G k");
    }

    /// A world of this computer and the sessions of a sessions.toml.
    pub fn saved(width: u16, height: u16, text: &str) -> Self {
        let mut world = Self::new(width, height);
        let saved = SessionsFile::parse("sessions.toml", text);
        let profiles = own().into_iter().take(1).chain(saved.entries.iter().cloned()).collect();
        world.state = state(profiles, saved);
        world.state.resize(width, height);
        world
    }

    /// The same in a theme.
    pub fn themed(width: u16, height: u16, theme: &str, ascii: bool) -> Self {
        let mut state = state(own(), SessionsFile::parse("sessions.toml", ""));
        state.resize(width, height);
        let theme = Theme::named(theme, ascii, &Environment::default()).unwrap();
        Self { state, theme, asked: VecDeque::new(), effects: Vec::new(), now: Duration::ZERO, connections: 0 }
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Run { session, op, operation } => self.asked.push_back((op, session, *operation)),
                other => self.effects.push(other),
            }
        }
    }

    /// Presses keys, written with spaces between them; a word in quotes is typed letter by letter.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for word in keys.split(' ').filter(|word| !word.is_empty()) {
            match word.strip_prefix('"') {
                Some(text) => {
                    for c in text.trim_end_matches('"').chars() {
                        self.key(Key::char(c));
                    }
                }
                None => self.key(word.parse().unwrap()),
            }
        }
        self
    }

    fn key(&mut self, key: Key) {
        let effects = self.state.key(key);
        self.take(effects);
    }

    /// Tells the state what the front would.
    pub fn act(&mut self, action: Action) -> &mut Self {
        let effects = self.state.act(action);
        self.take(effects);
        self
    }

    /// Presses keys, and after each answers everything that is asked, until nothing is.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for word in keys.split(' ') {
            self.keys(word).answer_all();
        }
        self
    }

    /// Lets time pass.
    pub fn wait(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self.state.tick(self.now);
        self
    }

    /// Answers every operation, and those the answers lead to.
    pub fn answer_all(&mut self) -> &mut Self {
        while let Some((op, _, operation)) = self.asked.pop_front() {
            let mut events = self.life(op);
            let rows = content(&operation, &mut events, op);
            self.close(&mut events, op);
            events.push((6_130, op, OpEventKind::Finished(Summary { rows, limited: false })));
            self.tell(events);
        }
        while self.state.has_work() {
            self.state.work();
        }
        self
    }

    /// Takes the next operation asked for, which the test answers itself.
    pub fn next(&mut self) -> OpId {
        self.asked.pop_front().expect("an operation").0
    }

    /// Tells the state events: microseconds since the operation was asked for, the operation, what happened.
    pub fn tell(&mut self, events: Vec<(u64, OpId, OpEventKind)>) -> &mut Self {
        for (micros, op, kind) in events {
            let effects = self.state.apply(OpEvent { op, at: Duration::from_micros(micros), kind });
            self.take(effects);
        }
        self
    }

    /// An operation up to the moment its answer arrives.
    pub fn life(&mut self, op: OpId) -> Vec<(u64, OpId, OpEventKind)> {
        self.connections += 1;
        let conn = Some(ConnId(self.connections));
        let peer = SocketAddr::from(([127, 0, 0, 1], 5988));
        let start = |conn, phase, detail: &str| OpEventKind::PhaseStarted {
            conn,
            phase,
            detail: (!detail.is_empty()).then(|| detail.into()),
        };
        let end = |conn, phase| OpEventKind::PhaseEnded { conn, phase, error: None };
        let id = ConnId(self.connections);
        [
            (0, OpEventKind::Queued),
            (10, start(None, Phase::Queue, "")),
            (40, end(None, Phase::Queue)),
            (50, start(conn, Phase::Connect, "127.0.0.1:5988")),
            (1_210, end(conn, Phase::Connect)),
            (1_215, OpEventKind::ConnectionOpened { conn: id, purpose: Purpose::Server, peer }),
            (1_220, start(conn, Phase::Send, "")),
            (1_300, OpEventKind::Progress { conn: id, sent: 612, received: 0 }),
            (1_310, end(conn, Phase::Send)),
            (1_320, start(conn, Phase::Wait, "")),
            (4_020, end(conn, Phase::Wait)),
            (4_030, start(conn, Phase::Receive, "")),
            (4_900, OpEventKind::Progress { conn: id, sent: 612, received: 14_230 }),
        ]
        .into_iter()
        .map(|(at, kind)| (at, op, kind))
        .collect()
    }

    fn close(&self, events: &mut Vec<(u64, OpId, OpEventKind)>, op: OpId) {
        let id = ConnId(self.connections);
        for (at, kind) in [
            (6_000, OpEventKind::PhaseEnded { conn: Some(id), phase: Phase::Receive, error: None }),
            (6_010, OpEventKind::PhaseStarted { conn: Some(id), phase: Phase::Close, detail: None }),
            (6_090, OpEventKind::ConnectionClosed { conn: id, by: Closer::Us }),
            (6_100, OpEventKind::PhaseEnded { conn: Some(id), phase: Phase::Close, error: None }),
        ] {
            events.push((at, op, kind));
        }
    }

    /// The screen as cells.
    pub fn buffer(&self) -> Buffer {
        let (width, height) = self.state.size();
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        view::paint(&self.state, &self.theme, &mut buffer);
        buffer
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        text_of(&self.buffer())
    }
}

/// A buffer as lines of text without the blanks at their ends.
pub fn text_of(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = view::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// An error as a refused port gives it.
pub fn refused() -> Arc<OpError> {
    Arc::new(OpError::new(
        Phase::Connect,
        "web01.example:5989",
        ErrorKind::ConnectionRefused,
        "192.0.2.7:5989 refused the connection",
        "check that a CIM server listens there, and the port",
    ))
}

fn content(operation: &Operation, events: &mut Vec<(u64, OpId, OpEventKind)>, op: OpId) -> u64 {
    let mut say = |kind| events.push((5_000, op, kind));
    match &operation.kind {
        OperationKind::EnumerateNamespaces => {
            say(OpEventKind::Names(Names::Namespaces(vec![
                Namespace::new("root/cimv2"),
                Namespace::new("root/interop"),
            ])));
            2
        }
        OperationKind::EnumerateClasses { parent, deep, .. } => {
            let names = classes_below(parent.as_ref().map(CimName::as_str), *deep);
            let count = names.len() as u64;
            say(OpEventKind::Names(Names::Classes(names)));
            count
        }
        OperationKind::GetClass { class } => {
            say(OpEventKind::Class(Arc::new(process_class(class))));
            1
        }
        OperationKind::EnumerateInstances { class } => {
            say(OpEventKind::Shape(ShapeId(0), Arc::new(process_shape(class))));
            let batch = processes();
            let count = batch.len() as u64;
            say(OpEventKind::Rows(batch));
            count
        }
        OperationKind::GetInstance { path } => {
            say(OpEventKind::Shape(ShapeId(0), Arc::new(process_shape(&path.class))));
            let mut writer = RowWriter::default();
            row(&mut writer, "1204", Some("sshd"), 20, Some(9_412_608), "ssh");
            say(OpEventKind::Rows(writer.take()));
            1
        }
        OperationKind::ReferenceInstances { object, .. } => {
            for (at, association) in associations(object).into_iter().enumerate() {
                let shape = Shape {
                    class: association.class.clone(),
                    namespace: association.namespace.clone(),
                    host: None,
                    columns: Vec::new(),
                    path_keys: association.keys.iter().map(|key| key.name.clone()).collect(),
                };
                say(OpEventKind::Shape(ShapeId(at as u32), Arc::new(shape)));
                let mut writer = RowWriter::default();
                writer.begin(ShapeId(at as u32));
                association.keys.into_iter().for_each(|key| writer.key(key.value));
                writer.end();
                say(OpEventKind::Rows(writer.take()));
            }
            4
        }
        OperationKind::AssociatorInstances { .. } => {
            say(OpEventKind::Shape(ShapeId(0), Arc::new(process_shape(&CimName::new("LC_Process")))));
            let mut writer = RowWriter::default();
            row(&mut writer, "1", Some("systemd"), 20, Some(12_992_512), "init");
            row(&mut writer, "1301", Some("agetty"), 20, Some(7_340_032), "long");
            say(OpEventKind::Rows(writer.take()));
            2
        }
        OperationKind::QueryInstances { .. } => {
            let columns = [("Handle", CimType::String), ("WorkingSetSize", CimType::UInt64)];
            let columns = columns.map(|(name, ty)| Column::new(CimName::new(name), ty)).to_vec();
            let class = CimName::new("LC_Process");
            let shape = Shape { class, namespace: None, host: None, columns, path_keys: Vec::new() };
            say(OpEventKind::Shape(ShapeId(0), Arc::new(shape)));
            let mut writer = RowWriter::default();
            for (handle, size) in [("1", 12_992_512), ("87", 4_096), ("1204", 9_412_608)] {
                writer.begin(ShapeId(0));
                writer.cell(CellRef::Text(handle));
                writer.cell(CellRef::UInt(size));
                writer.end();
            }
            say(OpEventKind::Rows(writer.take()));
            3
        }
        _ => 0,
    }
}

/// What refers to `object`: its operating system, the file it runs, and two processes as their parent.
fn associations(object: &ObjectPath) -> Vec<ObjectPath> {
    let namespace = Some(Namespace::new("root/cimv2"));
    let key = |name: &str, value: KeyValue| KeyBinding { name: CimName::new(name), value };
    let path = |class: &str, keys| ObjectPath::new(namespace.clone(), CimName::new(class), keys);
    let named =
        |class: &str, key_name: &str, value: &str| path(class, vec![key(key_name, KeyValue::String(value.into()))]);
    let between = |class: &str, near: &str, far: &str, end: ObjectPath| {
        let reference = |path: &ObjectPath| KeyValue::Reference(Box::new(path.clone()));
        path(class, vec![key(far, reference(&end)), key(near, reference(object))])
    };
    let child = |handle: &str| {
        let keys = [("CreationClassName", "LC_Process"), ("Handle", handle)];
        path("LC_Process", keys.map(|(name, value)| key(name, KeyValue::String(value.into()))).to_vec())
    };
    let file = "/usr/lib/systemd/systemd-日本語-a-name-that-goes-on-\u{202e}-until-nobody-can-read-it";
    vec![
        between("LC_OSProcess", "PartComponent", "GroupComponent", named("LC_OperatingSystem", "Name", "Debian")),
        between("LC_ProcessExecutable", "Dependent", "Antecedent", named("CIM_DataFile", "Name", file)),
        between("LC_ParentProcess", "Parent", "Child", child("1204")),
        between("LC_ParentProcess", "Parent", "Child", child("1301")),
    ]
}

const TREE: &[(&str, &[&str])] = &[
    ("", &["CIM_ManagedElement", "CIM_OSProcess", "CIM_RunningOS"]),
    ("CIM_ManagedElement", &["CIM_ManagedSystemElement", "CIM_Setting"]),
    ("CIM_ManagedSystemElement", &["CIM_LogicalElement"]),
    ("CIM_LogicalElement", &["CIM_Process", "CIM_System"]),
    ("CIM_Process", &["LC_Process"]),
];

fn classes_below(parent: Option<&str>, deep: bool) -> Vec<CimName> {
    let all = || TREE.iter().flat_map(|(_, below)| below.iter());
    match deep {
        true => all().map(|name| CimName::new(name)).collect(),
        false => TREE
            .iter()
            .filter(|(name, _)| *name == parent.unwrap_or_default())
            .flat_map(|(_, below)| below.iter().map(|name| CimName::new(name)))
            .collect(),
    }
}

fn described(name: &str, ty: CimType, key: bool, text: &str) -> ClassProperty {
    let mut property = ClassProperty::new(name, ty);
    property
        .qualifiers
        .push(Qualifier::new("Description", TypedValue::scalar(CimType::String, CimValue::string(text))));
    if key {
        property.qualifiers.push(Qualifier::new("Key", TypedValue::scalar(CimType::Boolean, CimValue::Bool(true))));
    }
    property
}

fn process_class(name: &CimName) -> CimClass {
    let mut class = CimClass::new(name.as_str());
    class.superclass = Some(CimName::new("CIM_Process"));
    class.properties = vec![
        described("CreationClassName", CimType::String, true, "The class this instance was made of."),
        described("Handle", CimType::String, true, "A string used to identify the process."),
        described("Name", CimType::String, false, "The name of the process."),
        described("Priority", CimType::UInt32, false, "How urgently it is run; smaller is sooner."),
        described("WorkingSetSize", CimType::UInt64, false, "Memory it needs at the moment, in bytes."),
        described("Caption", CimType::String, false, "A short text about it."),
        described("OtherExecutionDescription", CimType::String, false, "Why it is in no listed state."),
    ];
    class
}

/// The shape of [`processes`].
pub fn process_shape(class: &CimName) -> Shape {
    let text = |name: &str| Column::new(CimName::new(name), CimType::String);
    let key = |name: &str| Column { is_key: true, ..text(name) };
    Shape {
        class: class.clone(),
        namespace: Some(Namespace::new("root/cimv2")),
        host: None,
        columns: vec![
            key("CreationClassName"),
            key("Handle"),
            text("Name"),
            Column::new(CimName::new("Priority"), CimType::UInt32),
            Column::new(CimName::new("WorkingSetSize"), CimType::UInt64),
            text("Caption"),
        ],
        path_keys: vec![CimName::new("CreationClassName"), CimName::new("Handle")],
    }
}

fn row(writer: &mut RowWriter, handle: &str, name: Option<&str>, priority: u64, size: Option<u64>, caption: &str) {
    writer.begin(ShapeId(0));
    writer.cell(CellRef::Text("LC_Process"));
    writer.cell(CellRef::Text(handle));
    writer.cell(name.map_or(CellRef::Null, CellRef::Text));
    writer.cell(CellRef::UInt(priority));
    writer.cell(size.map_or(CellRef::Null, CellRef::UInt));
    writer.cell(CellRef::Text(caption));
    writer.key(KeyValue::String("LC_Process".into()));
    writer.key(KeyValue::String(handle.into()));
    writer.end();
}

/// Processes with everything a server may put on a screen: wide and combining letters, escape sequences, NULL, long text.
pub fn processes() -> RowBatch {
    let mut writer = RowWriter::default();
    row(&mut writer, "1", Some("systemd"), 20, Some(12_992_512), "init");
    row(&mut writer, "2", Some("kthreadd"), 0, None, "");
    row(&mut writer, "87", Some("日本語デーモン"), 20, Some(4_096), "wide letters");
    row(&mut writer, "411", Some("e\u{301}tude"), 39, Some(18_446_744_073_709_551_615), "combining");
    row(&mut writer, "666", Some("evil\u{1b}[2J\u{202e}gpj"), 20, Some(1), "line\nbreak");
    row(&mut writer, "1204", Some("sshd"), 20, Some(9_412_608), "ssh");
    row(
        &mut writer,
        "1301",
        Some("a-process-with-a-name-that-goes-on-and-on-and-on-until-nobody-can-read-it"),
        20,
        Some(77),
        "long",
    );
    for handle in 2_000..2_030_u64 {
        row(&mut writer, &handle.to_string(), Some("worker"), 20, Some(handle * 1_024), "one of many");
    }
    writer.take()
}
