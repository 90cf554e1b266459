//! The `:` line.
//!
//! Owns: its grammar `[NS:]CLASS [/FILTER] [@SESSION]`, `ns NAME`, `query TEXT`, `tag TAG [NS:]CLASS [/FILTER]`, `tag TAG query TEXT`,
//! `import` and `export`, a command's name, an instance's path; its completions; what to offer for a name nobody knows.

use super::{
    COMMANDS, CommandId, Layer, Load, Query, Source, State, Tagged,
    exchange::{self, Exchange},
    nearest::nearest,
};
use crate::{
    cim::{CimName, Namespace, ObjectPath},
    op::{QueryLanguage, SessionId},
};

/// The most completions offered.
const OFFERED: usize = 20;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
enum Line<'a> {
    Command(CommandId),
    Namespace {
        name: Namespace,
        session: Option<&'a str>,
    },
    Class {
        namespace: Option<Namespace>,
        class: CimName,
        filter: &'a str,
        session: Option<&'a str>,
    },
    Instance(ObjectPath),
    Query(&'a str),
    Tag {
        tag: &'a str,
        of: Box<Line<'a>>,
    },
    /// A tag, and nothing yet to ask its sessions.
    TagAlone(&'a str),
    Exchange(Exchange<'a>),
}

fn parse(text: &str) -> Result<Line<'_>, String> {
    if let Some(command) = CommandId::named(text) {
        return Ok(Line::Command(command));
    }
    if let Some(query) = text.strip_prefix("query ") {
        return Ok(Line::Query(query.trim()));
    }
    if let Some(rest) = text.strip_prefix("tag ") {
        return of_tag(rest.trim());
    }
    if let Some(asked) = exchange::parse(text) {
        return asked.map(Line::Exchange);
    }
    if let Some(path) = text.parse::<ObjectPath>().ok().filter(|path| !path.keys.is_empty()) {
        return Ok(Line::Instance(path));
    }
    if text.starts_with("//") || text.starts_with(r"\\") || text.contains('=') && !text.contains(" /") {
        let error = text.parse::<ObjectPath>().err().map(|error| error.to_string()).unwrap_or_default();
        return Err(format!("not the path of an instance: {error}"));
    }
    let (rest, session) = match text.rsplit_once(" @") {
        Some((rest, session)) if !session.contains('/') => (rest.trim_end(), Some(session.trim())),
        _ => (text, None),
    };
    let (name, filter) = rest.split_once(" /").map_or((rest, ""), |(name, filter)| (name.trim_end(), filter));
    if let Some(namespace) = name.strip_prefix("ns").filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
        let name = Namespace::new(namespace.trim());
        return if name.is_empty() {
            Err("ns wants a namespace: ns root/cimv2".to_owned())
        } else {
            Ok(Line::Namespace { name, session })
        };
    }
    let (namespace, class) = match name.rsplit_once(':') {
        Some((namespace, class)) => (Some(Namespace::new(namespace)), class.trim()),
        None => (None, name),
    };
    let class = CimName::new(class);
    if class.is_well_formed() {
        Ok(Line::Class { namespace: namespace.filter(|name| !name.is_empty()), class, filter, session })
    } else {
        Err(format!("`{name}` is neither a class nor a command; try CLASS /FILTER @SESSION, ns NAME or a path"))
    }
}

/// What is to be asked of the sessions with a tag; one with blanks is in quotes.
fn of_tag(text: &str) -> Result<Line<'_>, String> {
    let split = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("the quotes of the tag do not end")?,
        None => text.split_once(' ').unwrap_or((text, "")),
    };
    let (tag, rest) = (split.0, split.1.trim());
    if rest.is_empty() {
        return Ok(Line::TagAlone(tag));
    }
    match parse(rest)? {
        of @ (Line::Class { session: None, .. } | Line::Query(_)) => Ok(Line::Tag { tag, of: Box::new(of) }),
        // A class may be named as a command is.
        Line::Command(_) => {
            let of = Line::Class { namespace: None, class: CimName::new(rest), filter: "", session: None };
            Ok(Line::Tag { tag, of: Box::new(of) })
        }
        _ => Err(TAG_WANTS.to_owned()),
    }
}

const TAG_WANTS: &str = "tag TAG wants a class or a query: tag TAG CLASS /FILTER, tag TAG query TEXT";

impl State {
    /// Obeys a `:` line; the error says what was not understood and what comes near, raw.
    pub(super) fn obey(&mut self, text: &str) -> Result<(), String> {
        let text = text.trim().trim_start_matches(':').trim();
        if text.is_empty() {
            return Ok(());
        }
        match parse(text)? {
            Line::Command(command) => {
                if let Some(why) = self.greyed(command) {
                    return Err(format!("{}: {why}", command.command().name));
                }
                // The line itself is a layer; a command means what lies under it.
                if matches!(command, CommandId::Close) {
                    self.quit();
                } else {
                    self.command(command);
                }
                Ok(())
            }
            Line::Namespace { name, session } => {
                let session = self.session_named(session)?;
                self.visit_namespace(session, name);
                Ok(())
            }
            Line::Class { namespace, class, filter, session } => {
                let session = self.session_named(session)?;
                let plain = namespace.is_none();
                let namespace = namespace.unwrap_or_else(|| self.namespace_of(session));
                if plain && let Some(error) = self.unknown(session, &namespace, &class) {
                    return Err(error);
                }
                self.open_class(session, namespace, class, filter);
                Ok(())
            }
            Line::Query(text) => {
                let session = self.session_named(None)?;
                let query = Query { text: text.to_owned(), language: QueryLanguage::Wql };
                self.open_query(session, self.namespace_of(session), query);
                Ok(())
            }
            Line::TagAlone(tag) => {
                let count = self.sessions_with(tag)?;
                let told = if count == 1 { "one session has".to_owned() } else { format!("{count} sessions have") };
                Err(format!("{told} the tag {tag}; go on with CLASS /FILTER or query TEXT"))
            }
            Line::Tag { tag, of } => self.obey_tag(tag, *of),
            Line::Exchange(asked) => self.exchange(asked),
            Line::Instance(path) => self.obey_path(path),
        }
    }

    /// Opens `of` on all sessions with `tag`.
    fn obey_tag(&mut self, tag: &str, of: Line<'_>) -> Result<(), String> {
        self.sessions_with(tag)?;
        let (namespace, of, filter) = match of {
            Line::Class { namespace, class, filter, .. } => (namespace, Source::Class(class), filter),
            Line::Query(text) => {
                let query = Query { text: text.to_owned(), language: QueryLanguage::Wql };
                (None, Source::Query(query), "")
            }
            _ => return Err(TAG_WANTS.to_owned()),
        };
        self.open_tag(Tagged { tag: tag.to_owned(), namespace, of: Box::new(of) }, filter);
        Ok(())
    }

    /// Opens the instance `path` names on the session shown.
    fn obey_path(&mut self, path: ObjectPath) -> Result<(), String> {
        let session = self.session_named(None)?;
        if let Some(host) = &path.host
            && !self.is_host_of(session, host)
        {
            return Err(format!(
                "the path names {host}, which is not this session's computer: it is never connected to"
            ));
        }
        let namespace = path.namespace.clone().unwrap_or_else(|| self.namespace_of(session));
        self.open_instance(session, namespace, path);
        Ok(())
    }

    /// How many sessions have `tag`: at least one.
    pub(super) fn sessions_with(&self, tag: &str) -> Result<usize, String> {
        let has = |session: &&super::Session| session.entry.profile.tags.iter().any(|known| known == tag);
        match self.sessions.all().iter().filter(has).count() {
            0 => Err(format!("no session has the tag `{tag}`{}", offer(&nearest(tag, self.tags().into_iter(), 3)))),
            count => Ok(count),
        }
    }

    /// The session a line names: exact id, else exact name, else a unique beginning of either; without a name, the present one.
    pub(super) fn session_named(&self, name: Option<&str>) -> Result<SessionId, String> {
        let Some(name) = name else {
            let present = self.session().or_else(|| self.sessions.all().first());
            return present.map(|session| session.entry.id).ok_or_else(|| "there is no session".to_owned());
        };
        let all = self.sessions.all();
        let profile = |session: &super::Session| {
            (session.entry.profile.id.as_str().to_owned(), session.entry.profile.name.clone())
        };
        let exact = all.iter().find(|session| profile(session).0 == name);
        let exact = exact.or_else(|| all.iter().find(|session| profile(session).1 == name));
        if let Some(session) = exact {
            return Ok(session.entry.id);
        }
        let begins =
            |session: &&super::Session| profile(session).0.starts_with(name) || profile(session).1.starts_with(name);
        let mut found = all.iter().filter(begins);
        match (found.next(), found.next()) {
            (Some(session), None) => Ok(session.entry.id),
            (Some(_), Some(_)) => Err(format!("more than one session begins with `{name}`")),
            _ => {
                let ids = all.iter().map(|session| session.entry.profile.id.as_str());
                Err(format!("there is no session `{name}`{}", offer(&nearest(name, ids, 3))))
            }
        }
    }

    pub(super) fn namespace_of(&self, session: SessionId) -> Namespace {
        let shown = self.classes.as_ref().filter(|classes| classes.session == session);
        let default = || self.sessions.get(session).map(|known| known.entry.profile.target.namespace.clone());
        shown.map(|classes| classes.namespace.clone()).or_else(default).unwrap_or_else(|| Namespace::new("root/cimv2"))
    }

    /// What to say of a class that is not among all the names of its namespace; `None` while those are not all known.
    fn unknown(&self, session: SessionId, namespace: &Namespace, class: &CimName) -> Option<String> {
        let classes = self.classes.as_ref().filter(|classes| {
            (classes.session, &classes.namespace) == (session, namespace) && matches!(classes.all_load, Load::Done)
        })?;
        if classes.all.binary_search(class).is_ok() || classes.all.len() >= self.limits.retained_rows {
            return None;
        }
        let known = classes.all.iter().map(CimName::as_str).chain(COMMANDS.iter().map(|command| command.name));
        let near = nearest(class.as_str(), known, 3);
        Some(format!("{namespace} has no class `{class}`, and no command has this name{}", offer(&near)))
    }

    fn is_host_of(&self, session: SessionId, host: &str) -> bool {
        let Some(known) = self.sessions.get(session) else { return false };
        let target = &known.entry.profile.target;
        let Some(computer) = &target.computer else {
            return ["localhost", "127.0.0.1", "[::1]"].contains(&host);
        };
        let with_port = format!("{computer}:{}", target.port);
        host.eq_ignore_ascii_case(computer) || host.eq_ignore_ascii_case(&with_port)
    }

    /// Completes the last word of the line being typed.
    pub(super) fn complete(&mut self) {
        let Some(Layer::CommandLine(line)) = self.layers.last() else { return };
        let text = line.input.text().to_owned();
        let completions = self.completions(&text);
        if let Some(Layer::CommandLine(line)) = self.layers.last_mut() {
            line.completions = completions;
            line.chosen = None;
            line.error = None;
        }
    }

    /// The classes that the preset of the session begins with, or those of the sessions with the tag `before` names.
    fn bookmarks(&self, before: &str) -> impl Iterator<Item = &'static str> {
        let tag = match before.strip_prefix("tag ").map(|tag| of_tag(tag.trim())) {
            Some(Ok(Line::TagAlone(tag))) => Some(tag.to_owned()),
            _ => None,
        };
        let here = self.session().map(|session| session.entry.id);
        let meant = |session: &&super::Session| match &tag {
            Some(tag) => session.entry.profile.tags.contains(tag),
            None => Some(session.entry.id) == here,
        };
        let presets = self.sessions.all().iter().filter(meant).filter_map(|it| it.entry.profile.target.preset);
        let mut names = presets.flat_map(|preset| &preset.bookmarks).map(CimName::as_str).collect::<Vec<_>>();
        let mut told = std::collections::HashSet::new();
        names.retain(|name| told.insert(*name));
        names.into_iter()
    }

    fn completions(&self, text: &str) -> Vec<String> {
        let (before, word) = text.rsplit_once(' ').map_or(("", text), |(before, word)| (before, word));
        let fits = |name: &str| {
            name.len() >= word.len()
                && name.is_char_boundary(word.len())
                && name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let mut found = exchange::completions(before, word);
        if let Some(start) = word.strip_prefix('@') {
            let ids = self.sessions.all().iter().map(|session| session.entry.profile.id.as_str());
            found.extend(ids.filter(|id| id.starts_with(start)).map(|id| format!("@{id}")));
        } else if let Some(start) = word.strip_prefix('#').filter(|_| before.starts_with("export ")) {
            found.extend(
                self.tags()
                    .into_iter()
                    .filter(|tag| tag.starts_with(start))
                    .map(|tag| format!("#{}", super::display::safe(tag))),
            );
        } else if before == "tag" {
            found.extend(
                self.tags()
                    .into_iter()
                    .filter(|tag| tag.starts_with(word))
                    .map(super::tag::word)
                    .map(|tag| super::display::safe(&tag)),
            );
        } else if before == "ns" {
            let session = self.session().map(|session| session.namespaces.as_slice()).unwrap_or_default();
            found.extend(session.iter().map(Namespace::as_str).filter(|name| fits(name)).map(str::to_owned));
        } else if before.is_empty() || is_tag(before) {
            found.extend(self.bookmarks(before).filter(|name| fits(name)).map(super::display::safe));
        }
        if (before.is_empty() && !word.is_empty()) || is_tag(before) {
            let commands = COMMANDS.iter().map(|command| command.name).chain(["ns"]);
            let commands =
                commands.filter(|name| if before.is_empty() { fits(name) } else { *name == "query" && fits(name) });
            found.extend(commands.map(str::to_owned));
            let names = self.classes.iter().flat_map(super::Classes::names).map(CimName::as_str);
            let mut names =
                names.filter(|name| fits(name)).take(OFFERED * 4).map(super::display::safe).collect::<Vec<_>>();
            names.sort();
            names.dedup();
            names.retain(|name| !found.contains(name));
            found.extend(names);
        }
        found.truncate(OFFERED);
        found
    }
}

/// Whether `text` is the beginning of a line about a tag, up to what its sessions are asked.
fn is_tag(text: &str) -> bool {
    let tag = text.strip_prefix("tag ").map(str::trim).unwrap_or_default();
    !tag.is_empty() && matches!(of_tag(tag), Ok(Line::TagAlone(_)))
}

fn offer(near: &[&str]) -> String {
    match near {
        [] => String::new(),
        [only] => format!("; did you mean {only}?"),
        [first @ .., last] => format!("; did you mean {} or {last}?", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_grammar_of_the_line() {
        let class = |namespace: Option<&str>, class: &str, filter, session| {
            let namespace = namespace.map(Namespace::new);
            Ok(Line::Class { namespace, class: CimName::new(class), filter, session })
        };
        assert_eq!(parse("LC_Process"), class(None, "LC_Process", "", None));
        assert_eq!(parse("Win32_Process /svchost @lab1"), class(None, "Win32_Process", "svchost", Some("lab1")));
        assert_eq!(parse(r"root\cimv2:sort /a b"), class(Some("root/cimv2"), "sort", "a b", None));
        assert_eq!(parse("C /a@b"), class(None, "C", "a@b", None));
        assert_eq!(parse("sort"), Ok(Line::Command(CommandId::Sort)));
        assert_eq!(
            parse("ns root/interop"),
            Ok(Line::Namespace { name: Namespace::new("root/interop"), session: None })
        );
        assert!(
            matches!(parse("root/cimv2:LC_Process.Handle=\"1 /2\""), Ok(Line::Instance(path)) if path.keys.len() == 1)
        );
        assert!(parse("LC_Process.Handle=\"1").unwrap_err().contains("path"));
        let lines = |of| parse(of);
        assert_eq!(
            lines("tag web root/x:LC_Process /sshd"),
            Ok(Line::Tag { tag: "web", of: Box::new(class(Some("root/x"), "LC_Process", "sshd", None).unwrap()) })
        );
        let query = Box::new(Line::Query("SELECT * FROM C"));
        assert_eq!(lines("tag \"my lab\"  query SELECT * FROM C"), Ok(Line::Tag { tag: "my lab", of: query }));
        assert_eq!(lines("tag web"), Ok(Line::TagAlone("web")));
        let sort = Box::new(class(None, "sort", "", None).unwrap());
        assert_eq!(lines("tag web sort"), Ok(Line::Tag { tag: "web", of: sort }));
        assert!(lines("tag web ns root").unwrap_err().contains("wants a class or a query"));
        assert!(lines("tag web C @web01").unwrap_err().contains("wants a class or a query"));
        assert!(lines("tag \"web").unwrap_err().contains("quotes"));
        assert!(parse("not a class").unwrap_err().contains("neither"));
        assert!(parse("ns").unwrap_err().contains("wants a namespace"));
    }
}
