//! What is better asked about: the question before it is read.
//!
//! Owns: when the question comes, and what is done when the answer is yes. What it is, and why, is the preset's.

use super::{ConfirmDanger, Layer, Source, State, Tagged, display};
use crate::{
    cim::Namespace,
    op::SessionId,
    session::preset::{Danger, Preset},
};

/// What waits for the answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Risk {
    /// A namespace, with the list of its classes.
    Namespace(SessionId, Namespace),
    /// A new page.
    Open { session: SessionId, namespace: Namespace, source: Source, filter: String },
    /// The table of a tag.
    OpenTag(Tagged, String),
    /// Reading the table again.
    Refresh,
    /// So many places through the history.
    Travel(isize),
    /// A breadcrumb of the trail.
    Return(usize),
}

/// Why `source` is dangerous to read in `namespace`, by a preset that lists either.
fn danger(preset: &'static Preset, namespace: &Namespace, source: Option<&Source>) -> Option<&'static Danger> {
    preset.danger_in(namespace).or_else(|| of_source(preset, source?))
}

fn of_source(preset: &'static Preset, source: &Source) -> Option<&'static Danger> {
    match source {
        Source::Class(class) => preset.danger_of(class),
        Source::Query(query) => preset.danger_of_query(&query.text),
        Source::Tag(tagged) => of_source(preset, &tagged.of),
        Source::Associators(_) => None,
    }
}

impl State {
    /// Asks before `source`, or the classes of `namespace`, are read, if a preset of the sessions it is read from says so; true
    /// if it asks. The answer to one question does for one reading.
    pub(super) fn asks_first(
        &mut self,
        session: SessionId,
        namespace: &Namespace,
        source: Option<&Source>,
        risk: Risk,
    ) -> bool {
        if std::mem::take(&mut self.agreed) {
            return false;
        }
        let places = match source {
            Some(Source::Tag(tagged)) => {
                self.members_of(tagged).into_iter().map(|member| (member.session, member.namespace)).collect()
            }
            _ => vec![(session, namespace.clone())],
        };
        let dangerous = |(id, namespace): &(SessionId, Namespace)| {
            let known = self.sessions.get(*id)?;
            Some((known.name(), danger(known.entry.profile.target.preset?, namespace, source)?))
        };
        let found = places.iter().filter_map(dangerous).collect::<Vec<_>>();
        let Some((_, Danger { what, reason })) = found.first() else { return false };
        let (what, reason) = (display::safe(&what.to_string()), display::safe(reason));
        let sessions = found.into_iter().map(|(name, _)| name).collect();
        self.layers.push(Layer::ConfirmDanger(ConfirmDanger { what, reason, sessions, risk, yes: false }));
        true
    }

    /// The answer is yes.
    pub(super) fn dare(&mut self) {
        let Some(Layer::ConfirmDanger(confirm)) = self.layers.pop() else { return };
        self.agreed = true;
        match confirm.risk {
            Risk::Namespace(session, namespace) => self.visit_namespace(session, namespace),
            Risk::Open { session, namespace, source, filter } => self.open_source(session, namespace, source, &filter),
            Risk::OpenTag(tagged, filter) => self.open_tag(tagged, &filter),
            Risk::Refresh => self.refresh_table(),
            Risk::Travel(by) => self.travel(by),
            Risk::Return(at) => self.return_to(at),
        }
        self.agreed = false;
    }

    /// Opens a namespace, after asking where that is needed.
    pub(super) fn visit_namespace(&mut self, session: SessionId, namespace: Namespace) {
        let risk = Risk::Namespace(session, namespace.clone());
        if self.shows_namespace(session, &namespace) || !self.asks_first(session, &namespace, None, risk) {
            self.open_namespace(session, namespace);
        }
    }

    /// Opens the rows of `source` on a page of their own, after asking where that is needed.
    pub(super) fn open_source(&mut self, session: SessionId, namespace: Namespace, source: Source, filter: &str) {
        let risk =
            Risk::Open { session, namespace: namespace.clone(), source: source.clone(), filter: filter.to_owned() };
        if !self.asks_first(session, &namespace, Some(&source), risk) {
            self.trail.clear();
            self.open_page(session, namespace, source, filter);
        }
    }

    /// Reads the table again, after asking where that is needed.
    pub(super) fn refresh_table(&mut self) {
        let Some(table) = &self.table else { return };
        let (session, namespace, source) = (table.session, table.namespace.clone(), table.source.clone());
        if !self.asks_first(session, &namespace, Some(&source), Risk::Refresh) {
            self.enumerate(true);
        }
    }

    /// Whether going to a page that was left asks first: only if it has to be read again.
    pub(super) fn asks_again(
        &mut self,
        session: SessionId,
        namespace: &Namespace,
        source: Option<&Source>,
        risk: Risk,
    ) -> bool {
        let is_there = match source {
            Some(source) => self.kept.iter().chain(&self.table).any(|table| table.shows(session, namespace, source)),
            None => self.shows_namespace(session, namespace),
        };
        !is_there && self.asks_first(session, namespace, source, risk)
    }
}
