//! Classes that are better asked about: the question before one is read.
//!
//! Owns: when the question comes, and what is done when the answer is yes. Which classes they are, and why, is the preset's.

use super::{ConfirmDanger, Layer, Source, State, Tagged, display};
use crate::{
    cim::Namespace,
    op::SessionId,
    session::preset::{Danger, Preset},
};

/// What waits for the answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Risk {
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

/// Why `source` is dangerous to read, by a preset that lists it.
fn danger(preset: &'static Preset, source: &Source) -> Option<&'static Danger> {
    match source {
        Source::Class(class) => preset.danger_of(class),
        Source::Query(query) => preset.danger_of_query(&query.text),
        Source::Tag(tagged) => danger(preset, &tagged.of),
        Source::Associators(_) => None,
    }
}

impl State {
    /// Asks before `source` is read, if a preset of the sessions it is read from says so; true if it asks. The answer to
    /// one question does for one reading.
    pub(super) fn asks_first(&mut self, session: SessionId, source: &Source, risk: Risk) -> bool {
        if std::mem::take(&mut self.agreed) {
            return false;
        }
        let sessions = match source {
            Source::Tag(tagged) => self.members_of(tagged).into_iter().map(|member| member.session).collect(),
            _ => vec![session],
        };
        let dangerous = |id: &SessionId| {
            let known = self.sessions.get(*id)?;
            Some((known.name(), danger(known.entry.profile.target.preset?, source)?))
        };
        let found = sessions.iter().filter_map(dangerous).collect::<Vec<_>>();
        let Some((_, Danger { class, reason })) = found.first() else { return false };
        let (class, reason) = (display::safe(class.as_str()), display::safe(reason));
        let sessions = found.into_iter().map(|(name, _)| name).collect();
        self.layers.push(Layer::ConfirmDanger(ConfirmDanger { class, reason, sessions, risk, yes: false }));
        true
    }

    /// The answer is yes.
    pub(super) fn dare(&mut self) {
        let Some(Layer::ConfirmDanger(confirm)) = self.layers.pop() else { return };
        self.agreed = true;
        match confirm.risk {
            Risk::Open { session, namespace, source, filter } => self.open_source(session, namespace, source, &filter),
            Risk::OpenTag(tagged, filter) => self.open_tag(tagged, &filter),
            Risk::Refresh => self.refresh_table(),
            Risk::Travel(by) => self.travel(by),
            Risk::Return(at) => self.return_to(at),
        }
        self.agreed = false;
    }

    /// Opens the rows of `source` on a page of their own, after asking where that is needed.
    pub(super) fn open_source(&mut self, session: SessionId, namespace: Namespace, source: Source, filter: &str) {
        let risk =
            Risk::Open { session, namespace: namespace.clone(), source: source.clone(), filter: filter.to_owned() };
        if !self.asks_first(session, &source, risk) {
            self.trail.clear();
            self.open_page(session, namespace, source, filter);
        }
    }

    /// Reads the table again, after asking where that is needed.
    pub(super) fn refresh_table(&mut self) {
        let Some((session, source)) = self.table.as_ref().map(|table| (table.session, table.source.clone())) else {
            return;
        };
        if !self.asks_first(session, &source, Risk::Refresh) {
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
        let Some(source) = source else { return false };
        let mut pages = self.kept.iter().chain(&self.table);
        !pages.any(|table| table.shows(session, namespace, source)) && self.asks_first(session, source, risk)
    }
}
