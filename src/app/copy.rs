//! Texts for the clipboard, and the MOF view.
//!
//! Owns: values raw, paths, JSON as CLI.md writes it, the `lazycim` and the PowerShell command that do the same. These go to
//! the clipboard as they are; a front shows none of them.

use super::{
    Associated, CommandId, DetailTab, Effect, Layer, Pane, Query, SessionRow, Source, State, TextView, display,
};
use crate::{
    cim::{
        CimClass, CimInstance, CimName, CimType, CimValue, KeyValue, Namespace, ObjectPath, json::write_instance,
        mof::print, text::value_text,
    },
    op::QueryLanguage,
    session::profile::THIS_COMPUTER,
};

/// What the cursor is on, for the commands that do the same elsewhere.
enum Subject {
    Namespaces,
    Classes(Namespace),
    Class(Namespace, CimName),
    Rows(Namespace, Source),
    Instance(Namespace, ObjectPath),
}

impl State {
    /// The path of the instance the focus is on, with its namespace.
    fn focused_path(&self) -> Option<ObjectPath> {
        match self.focus {
            Pane::Table => self.table.as_ref()?.selected_path(),
            _ => self.selected_end().or_else(|| self.detail.path().cloned()),
        }
    }

    /// The far end the cursor is on in the associations.
    fn selected_end(&self) -> Option<ObjectPath> {
        self.associations()?.selected_end().cloned()
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
                SessionRow::New | SessionRow::Tag(_) => None,
            },
            Pane::Classes => self.classes.as_ref()?.selected().map(|row| row.name.as_str().to_owned()),
            Pane::Table => {
                let table = self.table.as_ref()?;
                let column = table.columns().get(table.column)?;
                let instance = table.selected()?;
                let property = instance.property(column.name.as_str())?;
                Some(value_raw(&property.value.value, property.value.ty))
            }
            Pane::Detail if self.detail.tab == DetailTab::Associations => {
                self.associations()?.selected().map(|row| row.text.clone())
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
                SessionRow::New | SessionRow::Tag(_) => None,
            },
            Pane::Classes => {
                let classes = self.classes.as_ref()?;
                let name = classes.selected()?.name.clone();
                Some(Subject::Class(classes.namespace.clone(), name))
            }
            Pane::Table => {
                let table = self.table.as_ref()?;
                Some(Subject::Rows(table.namespace.clone(), table.source.clone()))
            }
            Pane::Detail => {
                let home = self.detail.place.as_ref()?.1.clone();
                let end = self.selected_end();
                if let (None, Some(source)) = (&end, self.associations().and_then(|tree| tree.selected_source())) {
                    return Some(Subject::Rows(home, source));
                }
                let path = end.or_else(|| self.detail.path().cloned())?;
                Some(Subject::Instance(path.namespace.clone().unwrap_or(home), path))
            }
            Pane::Operations => None,
        }
    }

    /// The `lazycim` command that shows what the focus shows.
    fn command_line(&self) -> Option<String> {
        let within = |command: &str, subject: &str, namespace: &Namespace| {
            format!("{command} {} -n {}", shell(subject), shell(namespace.as_str()))
        };
        let words = match self.subject()? {
            Subject::Namespaces => "namespaces".to_owned(),
            Subject::Classes(namespace) => format!("classes -n {}", shell(namespace.as_str())),
            Subject::Class(namespace, class) => within("class", class.as_str(), &namespace),
            Subject::Rows(_, Source::Tag(tagged)) => {
                let words = reading(&tagged.of, tagged.namespace.as_ref());
                return Some(format!("lazycim {words} --tag {}", shell(&tagged.tag)));
            }
            Subject::Rows(namespace, source) => reading(&source, Some(&namespace)),
            Subject::Instance(namespace, path) => format!("get {}", shell(&located(Some(&namespace), &path))),
        };
        let profile = &self.session()?.entry.profile;
        let session = match profile.id.as_str() {
            THIS_COMPUTER => String::new(),
            id => format!(" -s {}", shell(id)),
        };
        Some(format!("lazycim {words}{session}"))
    }

    /// The PowerShell command that does the same (CimCmdlets).
    fn power_shell(&self) -> Option<String> {
        let subject = match self.subject()? {
            // Which sessions have the tag is not known there: it gets their computers.
            Subject::Rows(home, Source::Tag(tagged)) => {
                let sessions = self.members_of(&tagged).into_iter().filter_map(|it| self.sessions.get(it.session));
                let targets = sessions.map(|session| &session.entry.profile.target);
                let names = targets.map(|target| quoted(target.computer.as_deref().unwrap_or("localhost")));
                let computers = format!(" -ComputerName {}", names.collect::<Vec<_>>().join(","));
                return power_shell(Subject::Rows(tagged.namespace.unwrap_or(home), *tagged.of), &computers);
            }
            subject => subject,
        };
        let target = &self.session()?.entry.profile.target;
        let computer =
            target.computer.as_ref().map(|name| format!(" -ComputerName {}", quoted(name))).unwrap_or_default();
        power_shell(subject, &computer)
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

/// The PowerShell command that does what `subject` is, on the computers `computer` names.
fn power_shell(subject: Subject, computer: &str) -> Option<String> {
    let with = |command: &str, namespace: &Namespace, class: &str| {
        format!("{command} -Namespace {} -ClassName {}{computer}", quoted(namespace.as_str()), quoted(class))
    };
    Some(match subject {
        Subject::Namespaces => {
            format!("Get-CimInstance -Namespace 'root' -ClassName '__Namespace'{computer}")
        }
        Subject::Classes(namespace) => with("Get-CimClass", &namespace, "*"),
        Subject::Class(namespace, class) => with("Get-CimClass", &namespace, class.as_str()),
        Subject::Rows(namespace, Source::Class(class)) => with("Get-CimInstance", &namespace, class.as_str()),
        Subject::Rows(namespace, Source::Associators(associated)) => {
            let object = associated.object;
            let from = with("Get-CimInstance", &namespace, object.class.as_str());
            let through = quoted(associated.association.as_str());
            format!("{from} -Filter {} | Get-CimAssociatedInstance -Association {through}", quoted(&keys(&object)))
        }
        Subject::Rows(_, Source::Tag(_)) => return None,
        Subject::Rows(namespace, Source::Query(Query { text, language })) => {
            let asked = format!("-Namespace {} -Query {}", quoted(namespace.as_str()), quoted(&text));
            let dialect = match language {
                QueryLanguage::Wql => String::new(),
                QueryLanguage::Cql => " -QueryDialect 'CQL'".to_owned(),
                QueryLanguage::Fql => format!(" -QueryDialect {}", quoted(language.identifier())),
            };
            format!("Get-CimInstance {asked}{dialect}{computer}")
        }
        Subject::Instance(namespace, path) => {
            let get = with("Get-CimInstance", &namespace, path.class.as_str());
            format!("{get} -Filter {}", quoted(&keys(&path)))
        }
    })
}

/// The words that read the rows of `source`; without a namespace, in the session's own.
fn reading(source: &Source, namespace: Option<&Namespace>) -> String {
    let within = namespace.map(|namespace| format!(" -n {}", shell(namespace.as_str()))).unwrap_or_default();
    match source {
        Source::Class(class) => format!("instances {}{within}", shell(class.as_str())),
        Source::Query(query) => format!("query {}{within}{}", shell(&query.text), dialect(query.language)),
        Source::Associators(associated) => associators(namespace, associated),
        Source::Tag(tagged) => reading(&tagged.of, tagged.namespace.as_ref()),
    }
}

/// A path with its namespace and without a host, which sessions name.
fn located(namespace: Option<&Namespace>, path: &ObjectPath) -> String {
    let namespace = path.namespace.as_ref().or(namespace).cloned();
    ObjectPath { namespace, ..path.clone() }.without_host().to_string()
}

fn associators(namespace: Option<&Namespace>, associated: &Associated) -> String {
    let mut out = format!(
        "associators {} --assoc {}",
        shell(&located(namespace, &associated.object)),
        shell(associated.association.as_str())
    );
    let roles = [("--role", &associated.role), ("--result-role", &associated.result_role)];
    for (flag, role) in roles {
        out.extend(role.as_ref().map(|role| format!(" {flag} {}", shell(role.as_str()))));
    }
    out
}

const fn dialect(language: QueryLanguage) -> &'static str {
    match language {
        QueryLanguage::Wql => "",
        QueryLanguage::Cql => " --dialect cql",
        QueryLanguage::Fql => " --dialect fql",
    }
}

/// The keys of a path as a condition of WQL.
fn keys(path: &ObjectPath) -> String {
    let keys = path.keys.iter().map(|key| {
        let value = match &key.value {
            KeyValue::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
            KeyValue::UInt(value) => value.to_string(),
            KeyValue::SInt(value) => value.to_string(),
            KeyValue::Real(value) => value.to_string(),
            KeyValue::String(text) => wql(text),
            KeyValue::Reference(target) => wql(&target.to_wmi()),
        };
        format!("{}={value}", key.name)
    });
    keys.collect::<Vec<_>>().join(" AND ")
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
