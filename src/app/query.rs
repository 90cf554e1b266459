//! The query prompt: a line for a query in one of three languages, whose result is a page of its own.
//!
//! Owns: what it is prefilled with, its history, what submitting does. Must not know the grammar of any query language.

use super::{Key, KeyCode, Layer, LineEdit, Pane, SessionRow, Source, State, display, source::Query};
use crate::{
    cim::{CimName, Namespace},
    op::{QueryLanguage, SessionId},
};

/// The most queries the history keeps.
const QUERIES: usize = 100;

/// The query prompt.
#[derive(Clone, Debug)]
pub struct QueryPrompt {
    /// What is typed.
    pub input: LineEdit,
    /// The language it is in.
    pub language: QueryLanguage,
    /// The session it will be sent to.
    pub session: SessionId,
    /// The name of that session, escaped.
    pub name: String,
    /// The namespace it will be asked in.
    pub namespace: Namespace,
    /// How far back in the history it is; 0 is the line being typed.
    pub back: usize,
    /// The line being typed while an older one is shown.
    draft: Query,
    /// Why it was not sent, escaped.
    pub error: Option<String>,
}

impl State {
    /// The prompt for what is under the cursor; none while there is no session.
    pub(super) fn query_prompt(&self) -> Option<QueryPrompt> {
        let selected = self.sessions.selected().filter(|_| self.focus == Pane::Sessions);
        let session = match selected {
            Some(SessionRow::Session(id) | SessionRow::Namespace(id, _)) => *id,
            _ => self.session().or_else(|| self.sessions.all().first())?.entry.id,
        };
        let namespace = match (selected, self.focus, &self.table) {
            (Some(SessionRow::Namespace(_, namespace)), ..) => namespace.clone(),
            (_, Pane::Table | Pane::Detail, Some(table)) => table.selected_place().1,
            _ => self.namespace_of(session),
        };
        let Query { text, language } = self.query_under_cursor();
        let draft = Query { text: text.clone(), language };
        let name = self.sessions.get(session).map(super::Session::name).unwrap_or_default();
        Some(QueryPrompt {
            input: LineEdit::new(&text),
            language,
            session,
            name,
            namespace,
            back: 0,
            draft,
            error: None,
        })
    }

    /// The query of the page shown, so that one that failed can be corrected; else one for the class under the cursor.
    fn query_under_cursor(&self) -> Query {
        let on_page = matches!(self.focus, Pane::Table | Pane::Detail | Pane::Operations);
        let table = self.table.as_ref().filter(|_| on_page);
        if let Some(query) = table.and_then(|table| table.source.query()) {
            return query.clone();
        }
        let class: Option<&CimName> = match self.focus {
            Pane::Classes => self.classes.as_ref().and_then(|classes| classes.selected()).map(|row| &row.name),
            Pane::Detail => self.detail.instance().map(|instance| &instance.class),
            _ => None,
        };
        let class = class.or_else(|| table.and_then(super::Table::class));
        let text = format!("SELECT * FROM {}", class.map_or("", CimName::as_str));
        Query { text, language: QueryLanguage::Wql }
    }

    pub(super) fn query_key(&mut self, key: Key) {
        let last = self.queries.len();
        let Some(Layer::Query(prompt)) = self.layers.last_mut() else { return };
        match key.code {
            KeyCode::Enter => self.submit_query(),
            KeyCode::Tab => prompt.language = prompt.language.next(),
            KeyCode::BackTab => prompt.language = prompt.language.next().next(),
            KeyCode::Up | KeyCode::Down => {
                if prompt.back == 0 {
                    prompt.draft = Query { text: prompt.input.text().to_owned(), language: prompt.language };
                }
                let back = if key.code == KeyCode::Up { prompt.back + 1 } else { prompt.back.saturating_sub(1) };
                prompt.back = back.min(last);
                let older = last.checked_sub(prompt.back).and_then(|at| self.queries.get(at));
                let query = older.unwrap_or(&prompt.draft).clone();
                prompt.input.set(&query.text);
                prompt.language = query.language;
            }
            KeyCode::Backspace if prompt.input.is_empty() => {
                self.layers.pop();
            }
            _ => {
                if prompt.input.key(key) {
                    prompt.error = None;
                }
            }
        }
    }

    fn submit_query(&mut self) {
        let Some(Layer::Query(prompt)) = self.layers.last_mut() else { return };
        let text = prompt.input.text().trim().to_owned();
        if text.is_empty() {
            prompt.error = Some("type a query, such as SELECT * FROM CIM_Process".to_owned());
            return;
        }
        let (session, namespace, language) = (prompt.session, prompt.namespace.clone(), prompt.language);
        self.layers.pop();
        self.open_query(session, namespace, Query { text, language });
    }

    /// Runs a query on a page of its own and puts it into the history.
    pub(super) fn open_query(&mut self, session: SessionId, namespace: Namespace, query: Query) {
        self.queries.retain(|known| *known != query);
        self.queries.push_back(query.clone());
        while self.queries.len() > QUERIES {
            self.queries.pop_front();
        }
        self.open_source(session, namespace, Source::Query(query), "");
    }
}

impl QueryPrompt {
    /// Where it will be asked, escaped: `root/cimv2 on this-computer`.
    pub fn place(&self) -> String {
        format!("{} on {}", display::safe(self.namespace.as_str()), self.name)
    }
}
