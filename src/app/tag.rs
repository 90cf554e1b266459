//! Tags: one question to every session that has one, and one table of the answers.
//!
//! Owns: which sessions are asked, how many at once, and that one which fails takes nothing from the others. Must not know
//! how the rows of several answers are kept.

use super::{
    Effect, Layer, Load, Member, Source, State, Table, Tagged,
    apply::{End, What},
    danger::Risk,
};
use crate::op::{OpId, SessionId, THROTTLE};

impl State {
    /// Every tag of a session, sorted, each once; raw.
    pub fn tags(&self) -> Vec<&str> {
        let mut tags = Vec::new();
        tags.extend(self.sessions.all().iter().flat_map(|session| &session.entry.profile.tags).map(String::as_str));
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// The tag the sessions pane is about: the one under its cursor, else the one its filter names, else the first of the session.
    pub(super) fn tag_here(&self) -> Option<&str> {
        if let Some(super::SessionRow::Tag(tag)) = self.sessions.selected() {
            return tag.as_deref();
        }
        let filter = self.sessions.filter().text();
        let filtered = self.tags().into_iter().find(|tag| *tag == filter);
        filtered.or_else(|| self.session()?.entry.profile.tags.first().map(String::as_str))
    }

    /// The `:` line, begun for the tag of the sessions pane.
    pub(super) fn tag_line(&mut self) {
        let Some(tag) = self.tag_here() else { return };
        let mut line = super::CommandLine::default();
        line.input.set(&format!("tag {} ", word(tag)));
        self.layers.push(Layer::CommandLine(line));
        self.complete();
    }

    /// The sessions that have `tag`, as they are asked.
    pub(super) fn members_of(&self, tagged: &Tagged) -> Vec<Member> {
        let has = |session: &&super::Session| session.entry.profile.tags.contains(&tagged.tag);
        let member = |session: &super::Session| {
            let profile = &session.entry.profile;
            let namespace = tagged.namespace.as_ref().unwrap_or(&profile.target.namespace);
            Member::new(session.entry.id, namespace.clone(), profile.id.as_str())
        };
        self.sessions.all().iter().filter(has).map(member).collect()
    }

    /// Opens the table of what every session with the tag answers.
    pub(super) fn open_tag(&mut self, tagged: Tagged, filter: &str) {
        let Some(first) = self.members_of(&tagged).into_iter().next() else { return };
        let source = Source::Tag(tagged.clone());
        let risk = Risk::OpenTag(tagged, filter.to_owned());
        if !self.asks_first(first.session, &first.namespace, Some(&source), risk) {
            self.trail.clear();
            self.open_page(first.session, first.namespace, source, filter);
        }
    }

    /// An empty table of `source`; of a tag, with the sessions that have it now.
    pub(super) fn table_for(&self, session: SessionId, namespace: &crate::cim::Namespace, source: &Source) -> Table {
        let members = match source {
            Source::Tag(tagged) => self.members_of(tagged),
            _ => Vec::new(),
        };
        let merged = Table::of_members(source.clone(), members);
        merged.unwrap_or_else(|| Table::new(session, namespace.clone(), source.clone()))
    }

    /// Begins reading every member of the table.
    pub(super) fn read_members(&mut self, refresh: bool) {
        let Some(table) = &mut self.table else { return };
        table.begin_members();
        self.start_members(refresh);
    }

    /// Starts reading members whose turn has come: so many at once.
    fn start_members(&mut self, refresh: bool) {
        loop {
            let Some(table) = &mut self.table else { return };
            let free = table.operations().len() < THROTTLE;
            let next = table.members.iter().position(|member| matches!(member.load, Load::Idle)).filter(|_| free);
            let Some((at, member)) = next.and_then(|at| Some((at, table.members.get(at)?))) else { break };
            let (session, namespace, name) = (member.session, member.namespace.clone(), member.name.clone());
            let operation = table.source.operation();
            let op = self.start(session, namespace, operation, What::Instances { refresh }, refresh);
            self.operations.name_session(op, name);
            if let Some(member) = self.table.as_mut().and_then(|table| table.members.get_mut(at)) {
                member.load = Load::Running(op);
            }
        }
        self.table.iter_mut().for_each(Table::sum_up);
    }

    /// One member has ended: the next one's turn comes. False if the table does not wait for it.
    pub(super) fn member_ended(&mut self, op: OpId, end: &End, refresh: bool) -> bool {
        let Some(member) = self.table.as_mut().and_then(|table| table.member_of(op)) else { return false };
        member.load = end.load();
        self.start_members(refresh);
        if let Some(table) = &mut self.table
            && !table.load.is_running()
        {
            // A session that failed must not keep what the others answered from being seen.
            let complete = !matches!(table.load, Load::Cancelled(_) | Load::Failed(_)) || table.capped;
            table.end(complete);
        }
        true
    }

    /// Cancels everything that reads the table.
    pub(super) fn cancel_rows(&mut self) {
        let Some(table) = &mut self.table else { return };
        let running = table.operations();
        table.stop_members();
        self.effects.extend(running.into_iter().map(Effect::Cancel));
    }
}

/// A tag as the `:` line takes it: in quotes if it has a blank.
pub(super) fn word(tag: &str) -> String {
    if tag.contains(' ') { format!("\"{tag}\"") } else { tag.to_owned() }
}
