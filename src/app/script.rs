//! Key scripts for tests: keys go in through the real update function, events are told as the engine would tell them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    cim::{
        CimClass, CimName, CimType, CimValue, ClassProperty, KeyValue, Namespace, ObjectPath, Qualifier, TypedValue,
        rows::{CellRef, Column, RowWriter, Shape, ShapeId},
    },
    op::{
        ErrorKind, Limits, Names, OpError, OpEvent, OpEventKind, OpId, OpIds, Operation, OperationKind, Phase,
        SessionId, Summary,
    },
    session::{Profile, ProfileId, Target, profile::THIS_COMPUTER, store::SessionsFile},
};

/// A state, what it asked for, and the keys to ask for more.
pub(super) struct Script {
    pub(super) state: State,
    /// Effects since they were last taken.
    pub(super) effects: Vec<Effect>,
    /// Every operation it started.
    pub(super) runs: Vec<(OpId, SessionId, Operation)>,
}

pub(super) fn entry(id: u32, profile: &str, computer: Option<&str>) -> SessionEntry {
    let target = Target { computer: computer.map(str::to_owned), user: Some("ann".into()), ..Target::this_computer() };
    let profile = Profile::new(ProfileId::new(profile).unwrap(), profile.to_owned(), target);
    SessionEntry { id: SessionId(id), profile, read_only: false }
}

impl Script {
    pub(super) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(super) fn with(limits: Limits) -> Self {
        Self::options(limits, "")
    }

    /// Lists one session more and puts the cursor on it.
    pub(super) fn add(&mut self, entry: SessionEntry) {
        let id = entry.id;
        self.state.sessions.add(entry);
        self.state.sessions.select(&SessionRow::Session(id));
        self.state.settle();
    }

    /// A sessions file with this text.
    pub(super) fn saved(text: &str) -> Self {
        Self::options(Limits::default(), text)
    }

    fn options(limits: Limits, text: &str) -> Self {
        let saved = SessionsFile::parse("sessions.toml", text);
        let mut sessions = vec![entry(1, THIS_COMPUTER, None)];
        let listed = saved.entries.iter().cloned().zip(2..);
        sessions.extend(listed.map(|(profile, id)| SessionEntry { id: SessionId(id), profile, read_only: false }));
        if saved.entries.is_empty() {
            sessions.push(entry(2, "web01", Some("web01.example")));
        }
        let state = State::new(StateOptions {
            sessions,
            ids: OpIds::default(),
            keymap: Keymap::default(),
            limits,
            start: None,
            saved,
        });
        Self { state, effects: Vec::new(), runs: Vec::new() }
    }

    /// A table of five processes, reached with keys, every operation finished.
    pub(super) fn in_table() -> Self {
        let mut script = Self::in_classes();
        script.keys("enter");
        let op = script.last();
        script.processes(op, &[1, 2, 3, 20, 100]);
        script.finish_all();
        script
    }

    /// The classes of root/cimv2, reached with keys, the cursor on `LC_Process`.
    pub(super) fn in_classes() -> Self {
        let mut script = Self::new();
        script.keys("enter");
        let op = script.last();
        script.namespaces(op, &["root/cimv2", "root/interop"]);
        script.finish(op);
        script.keys("j enter");
        let op = script.last();
        script.classes(op, &["LC_Process", "CIM_ManagedElement"]);
        script.finish(op);
        script.keys("j");
        script
    }

    /// Presses keys written with spaces between them.
    pub(super) fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            self.press(key.parse().unwrap());
        }
        self
    }

    /// Types a text letter by letter.
    pub(super) fn type_in(&mut self, text: &str) -> &mut Self {
        text.chars().for_each(|c| self.press(Key::char(c)));
        self
    }

    pub(super) fn press(&mut self, key: Key) {
        let effects = self.state.key(key);
        self.note(effects);
    }

    pub(super) fn act(&mut self, action: Action) {
        let effects = self.state.act(action);
        self.note(effects);
    }

    fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Run { session, op, operation } = &effect {
                self.runs.push((*op, *session, (**operation).clone()));
            }
            self.effects.push(effect);
        }
    }

    /// The newest operation.
    pub(super) fn last(&self) -> OpId {
        self.runs.last().unwrap().0
    }

    /// The newest operation of a kind: `EnumerateInstances`.
    pub(super) fn run_of(&self, name: &str) -> OpId {
        self.runs.iter().rev().find(|run| run.2.name() == name).unwrap_or_else(|| panic!("no {name} ran")).0
    }

    /// Names and subjects of all operations started, in order.
    pub(super) fn ran(&self) -> Vec<String> {
        self.runs.iter().map(|run| format!("{} {}", run.2.name(), run.2.subject()).trim().to_owned()).collect()
    }

    pub(super) fn cancelled(&mut self) -> Vec<OpId> {
        let cancelled = self.effects.iter().filter_map(|effect| match effect {
            Effect::Cancel(op) => Some(*op),
            _ => None,
        });
        let cancelled = cancelled.collect();
        self.effects.clear();
        cancelled
    }

    pub(super) fn copied(&mut self) -> String {
        let copied = self.effects.drain(..).find_map(|effect| match effect {
            Effect::Copy(text) => Some(text),
            _ => None,
        });
        copied.unwrap()
    }

    pub(super) fn tell(&mut self, op: OpId, kind: OpEventKind) {
        let effects = self.state.apply(OpEvent { op, at: Duration::from_millis(5), kind });
        self.note(effects);
    }

    pub(super) fn finish(&mut self, op: OpId) {
        self.tell(op, OpEventKind::Finished(Summary::default()));
    }

    pub(super) fn finish_all(&mut self) {
        for run in self.runs.clone() {
            self.finish(run.0);
        }
    }

    pub(super) fn fail(&mut self, op: OpId, cause: &str) {
        let error = OpError::new(Phase::Receive, "web01", ErrorKind::ConnectionLost, cause, "try again");
        self.tell(op, OpEventKind::Failed(Arc::new(error)));
    }

    pub(super) fn namespaces(&mut self, op: OpId, names: &[&str]) {
        let names = names.iter().map(|name| Namespace::new(name)).collect();
        self.tell(op, OpEventKind::Names(Names::Namespaces(names)));
    }

    pub(super) fn classes(&mut self, op: OpId, names: &[&str]) {
        let names = names.iter().map(|name| CimName::new(name)).collect();
        self.tell(op, OpEventKind::Names(Names::Classes(names)));
    }

    /// Rows of `LC_Process` with these handles.
    pub(super) fn processes(&mut self, op: OpId, handles: &[u32]) {
        let names = |name: &str| CimName::new(name);
        let mut columns = vec![
            Column::new(names("Caption"), CimType::String),
            Column::new(names("CSName"), CimType::String),
            Column::new(names("Handle"), CimType::String),
            Column::new(names("Name"), CimType::String),
            Column::new(names("Size"), CimType::UInt64),
        ];
        columns[1].is_key = true;
        columns[2].is_key = true;
        let shape = Shape {
            class: names("LC_Process"),
            namespace: Some(Namespace::new("root/cimv2")),
            host: None,
            columns,
            path_keys: vec![names("CSName"), names("Handle")],
        };
        self.tell(op, OpEventKind::Shape(ShapeId(0), Arc::new(shape)));
        let mut writer = RowWriter::default();
        for handle in handles {
            let (handle, name) = (handle.to_string(), format!("process {handle}"));
            writer.begin(ShapeId(0));
            writer.cell(CellRef::Null);
            writer.cell(CellRef::Text("host"));
            writer.cell(CellRef::Text(&handle));
            writer.cell(CellRef::Text(&name));
            writer.cell(CellRef::UInt(handle.parse::<u64>().unwrap() * 10));
            writer.key(KeyValue::String("host".into()));
            writer.key(KeyValue::String(handle.into()));
            writer.end();
        }
        self.tell(op, OpEventKind::Rows(writer.take()));
    }

    /// Rows that are paths alone, each a class and its keys.
    pub(super) fn paths(&mut self, op: OpId, paths: &[&str]) {
        for (at, path) in paths.iter().enumerate() {
            let path = path.parse::<ObjectPath>().unwrap();
            let shape = Shape {
                class: path.class.clone(),
                namespace: path.namespace.clone().or_else(|| Some(Namespace::new("root/cimv2"))),
                host: path.host.clone(),
                columns: path.keys.iter().map(|key| Column::new(key.name.clone(), CimType::String)).collect(),
                path_keys: path.keys.iter().map(|key| key.name.clone()).collect(),
            };
            let mut writer = RowWriter::default();
            writer.begin(ShapeId(at as u32));
            path.keys.iter().for_each(|_| writer.cell(CellRef::Absent));
            for key in path.keys {
                // What reads as a path is a reference, as the wire would say.
                let reference = match &key.value {
                    KeyValue::String(text) => text.parse::<ObjectPath>().ok().filter(|path| !path.keys.is_empty()),
                    _ => None,
                };
                writer.key(reference.map_or(key.value, |path| KeyValue::Reference(Box::new(path))));
            }
            writer.end();
            self.tell(op, OpEventKind::Shape(ShapeId(at as u32), Arc::new(shape)));
            self.tell(op, OpEventKind::Rows(writer.take()));
        }
    }

    /// The rows of the associations, indented, each with its mark and note.
    pub(super) fn associations(&self) -> Vec<String> {
        let rows = self.state.associations().unwrap().rows().iter();
        let mark = |fold| match fold {
            Fold::Open => "-",
            Fold::Closed => "+",
            Fold::Loading => "~",
            Fold::Leaf => "",
        };
        let line = |row: &AssociationRow| {
            let indent = "  ".repeat(row.node.depth());
            format!("{indent}{}{} {}", mark(row.fold), row.text, row.note).trim_end().to_owned()
        };
        rows.map(line).collect()
    }

    pub(super) fn crumbs(&self) -> Vec<String> {
        self.state.breadcrumbs().into_iter().map(|crumb| crumb.text).collect()
    }

    /// The names in the column `Name` of the table, top to bottom.
    pub(super) fn names(&self) -> Vec<String> {
        let table = self.state.table().unwrap();
        let column = table.columns().iter().position(|column| column.name == "Name").unwrap();
        (0..table.shown()).map(|row| table.cell(row, column).unwrap()).collect()
    }

    pub(super) fn selected(&self) -> String {
        let instance = self.state.table().unwrap().selected().unwrap();
        match &instance.property("Handle").unwrap().value.value {
            CimValue::String(text) => text.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// The rows of the classes pane, indented.
    pub(super) fn tree(&self) -> Vec<String> {
        let rows = self.state.classes().unwrap().rows().iter();
        rows.map(|row| format!("{}{}", " ".repeat(row.depth), row.name)).collect()
    }
}

/// The class of [`Script::processes`].
pub(super) fn process_class() -> CimClass {
    let mut class = CimClass::new("LC_Process");
    for (name, ty) in [
        ("CSName", CimType::String),
        ("Handle", CimType::String),
        ("Name", CimType::String),
        ("Priority", CimType::UInt32),
    ] {
        let mut property = ClassProperty::new(name, ty);
        let text = TypedValue::scalar(CimType::String, CimValue::string(&format!("The {name}\n of it.")));
        property.qualifiers.push(Qualifier::new("Description", text));
        if name != "Name" && name != "Priority" {
            property.qualifiers.push(Qualifier::new("Key", TypedValue::scalar(CimType::Boolean, CimValue::Bool(true))));
        }
        class.properties.push(property);
    }
    class
}

/// The kind of an operation by its script name, for asserting on it.
pub(super) fn is_deep(operation: &Operation) -> bool {
    matches!(operation.kind, OperationKind::EnumerateClasses { deep: true, .. })
}
