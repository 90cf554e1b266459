//! Texts for the clipboard, and the MOF view.
//!
//! Owns: values raw, paths, JSON as CLI.md writes it, the `lazycim` and the PowerShell command that do the same. These go to
//! the clipboard as they are; a front shows none of them.

use super::{CommandId, Effect, Layer, Pane, SessionRow, State, TextView, display};
use crate::{
    cim::{
        CimClass, CimInstance, CimName, CimType, CimValue, Namespace, ObjectPath, json::write_instance, mof::print,
        text::value_text,
    },
    session::profile::THIS_COMPUTER,
};

/// What the cursor is on, for the commands that do the same elsewhere.
enum Subject {
    Namespaces,
    Classes(Namespace),
    Class(Namespace, CimName),
    Instances(Namespace, CimName),
    Instance(Namespace, ObjectPath),
}

impl State {
    /// The path of the instance the focus is on, with its namespace.
    fn focused_path(&self) -> Option<ObjectPath> {
        match self.focus {
            Pane::Table => self.table.as_ref()?.selected_path(),
            _ => self.detail.path().cloned(),
        }
    }

    fn focused_instance(&self) -> Option<CimInstance> {
        match self.focus {
            Pane::Table => self.table.as_ref()?.selected(),
            _ => self.detail.instance().cloned(),
        }
    }

    pub(super) fn copy(&mut self, command: CommandId) {
        let text = match command {
            CommandId::CopyValue => self.value_under_cursor(),
            CommandId::CopyPath => self.path_under_cursor(),
            CommandId::CopyJson => self.focused_instance().map(|instance| json(&instance)),
            CommandId::CopyPowerShell => self.power_shell(),
            _ => self.command_line(),
        };
        match text {
            Some(text) => {
                self.effects.push(Effect::Copy(text));
            }
            None => self.note(None, None, "there is nothing to copy here", ""),
        }
    }

    fn value_under_cursor(&self) -> Option<String> {
        match self.focus {
            Pane::Sessions => match self.sessions.selected()? {
                SessionRow::Session(id) => self.sessions.get(*id).map(|session| session.entry.profile.name.clone()),
                SessionRow::Namespace(_, name) => Some(name.as_str().to_owned()),
                SessionRow::New => None,
            },
            Pane::Classes => self.classes.as_ref()?.selected().map(|row| row.name.as_str().to_owned()),
            Pane::Table => {
                let table = self.table.as_ref()?;
                let column = table.columns().get(table.column)?;
                let instance = table.selected()?;
                let property = instance.property(column.name.as_str())?;
                Some(value_raw(&property.value.value, property.value.ty))
            }
            Pane::Detail => {
                let instance = self.detail.instance()?;
                let property = instance.property(self.detail.selected()?.property.as_str())?;
                Some(value_raw(&property.value.value, property.value.ty))
            }
            Pane::Operations => None,
        }
    }

    fn path_under_cursor(&self) -> Option<String> {
        match self.focus {
            Pane::Classes => {
                let classes = self.classes.as_ref()?;
                Some(format!("{}:{}", classes.namespace, classes.selected()?.name))
            }
            _ => self.focused_path().map(|path| path.to_string()),
        }
    }

    fn subject(&self) -> Option<Subject> {
        match self.focus {
            Pane::Sessions => match self.sessions.selected()? {
                SessionRow::Session(_) => Some(Subject::Namespaces),
                SessionRow::Namespace(_, name) => Some(Subject::Classes(name.clone())),
                SessionRow::New => None,
            },
            Pane::Classes => {
                let classes = self.classes.as_ref()?;
                let name = classes.selected()?.name.clone();
                Some(Subject::Class(classes.namespace.clone(), name))
            }
            Pane::Table => {
                let table = self.table.as_ref()?;
                Some(Subject::Instances(table.namespace.clone(), table.class.clone()))
            }
            Pane::Detail => {
                let path = self.detail.path()?.clone();
                let namespace = path.namespace.clone().or_else(|| Some(self.detail.place.clone()?.1))?;
                Some(Subject::Instance(namespace, path))
            }
            Pane::Operations => None,
        }
    }

    /// The `lazycim` command that shows what the focus shows.
    fn command_line(&self) -> Option<String> {
        let words = match self.subject()? {
            Subject::Namespaces => vec!["namespaces".to_owned()],
            Subject::Classes(namespace) => vec!["classes".to_owned(), "-n".to_owned(), shell(namespace.as_str())],
            Subject::Class(namespace, class) => {
                vec!["class".to_owned(), shell(class.as_str()), "-n".to_owned(), shell(namespace.as_str())]
            }
            Subject::Instances(namespace, class) => {
                vec!["instances".to_owned(), shell(class.as_str()), "-n".to_owned(), shell(namespace.as_str())]
            }
            Subject::Instance(namespace, mut path) => {
                path.host = None;
                path.namespace = Some(namespace);
                vec!["get".to_owned(), shell(&path.to_string())]
            }
        };
        let profile = &self.session()?.entry.profile;
        let session = match profile.id.as_str() {
            THIS_COMPUTER => String::new(),
            id => format!(" -s {}", shell(id)),
        };
        Some(format!("lazycim {}{session}", words.join(" ")))
    }

    /// The PowerShell command that does the same (CimCmdlets).
    fn power_shell(&self) -> Option<String> {
        let target = &self.session()?.entry.profile.target;
        let computer =
            target.computer.as_ref().map(|name| format!(" -ComputerName {}", quoted(name))).unwrap_or_default();
        let with = |command: &str, namespace: &Namespace, class: &str| {
            format!("{command} -Namespace {} -ClassName {}{computer}", quoted(namespace.as_str()), quoted(class))
        };
        Some(match self.subject()? {
            Subject::Namespaces => {
                format!("Get-CimInstance -Namespace 'root' -ClassName '__Namespace'{computer}")
            }
            Subject::Classes(namespace) => with("Get-CimClass", &namespace, "*"),
            Subject::Class(namespace, class) => with("Get-CimClass", &namespace, class.as_str()),
            Subject::Instances(namespace, class) => with("Get-CimInstance", &namespace, class.as_str()),
            Subject::Instance(namespace, path) => {
                let class = path.class.as_str().to_owned();
                let keys = path.keys.iter().map(|key| {
                    let value = match &key.value {
                        crate::cim::KeyValue::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
                        crate::cim::KeyValue::UInt(value) => value.to_string(),
                        crate::cim::KeyValue::SInt(value) => value.to_string(),
                        crate::cim::KeyValue::Real(value) => value.to_string(),
                        crate::cim::KeyValue::String(text) => wql(text),
                        crate::cim::KeyValue::Reference(target) => wql(&target.to_wmi()),
                    };
                    format!("{}={value}", key.name)
                });
                let filter = keys.collect::<Vec<_>>().join(" AND ");
                format!("{} -Filter {}", with("Get-CimInstance", &namespace, &class), quoted(&filter))
            }
        })
    }

    /// Shows the class or the instance the focus is on as MOF.
    pub(super) fn show_mof(&mut self) {
        if self.focus == Pane::Classes {
            if let Some(class) =
                self.classes.as_ref().and_then(|classes| classes.selected()).map(|row| row.name.clone())
            {
                self.fetch_mof(class);
            }
            return;
        }
        if let Some(instance) = self.focused_instance() {
            let title = format!("instance of {}", instance.class);
            self.show_text(&title, print::instance(&instance));
        }
    }

    pub(super) fn show_class_mof(&mut self, class: &CimClass) {
        let title = format!("class {}", class.name);
        self.show_text(&title, print::class(class));
    }

    fn show_text(&mut self, title: &str, raw: String) {
        let lines = raw.lines().map(display::safe).collect();
        self.layers.push(Layer::Text(TextView::new(display::safe(title), lines, raw)));
    }
}

/// A value as plain text: what a person would paste.
pub(super) fn value_raw(value: &CimValue, ty: CimType) -> String {
    match value {
        CimValue::Array(items) => items.iter().map(|item| value_raw(item, ty)).collect::<Vec<_>>().join("\n"),
        CimValue::DateTime(value) => value.as_str().to_owned(),
        other => value_text(other, ty, "", usize::MAX),
    }
}

/// A word for a POSIX shell.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | ',' | '@');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A literal for PowerShell; the typographic quotes it also takes as quotes are doubled too.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('\'');
    out
}

/// A string literal of WQL.
fn wql(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// An instance as CLI.md writes it in JSON.
fn json(instance: &CimInstance) -> String {
    let mut out = String::new();
    write_instance(&mut out, instance);
    out
}
