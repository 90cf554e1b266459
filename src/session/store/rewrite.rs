//! Changing a session as text, as people do in an editor.
//!
//! Owns: what such a text may be, and where in it a mistake is. Must not judge values: the reader does, when the file with
//! the text in it is read.

use toml::de::DeTable;

use super::{SaveError, SessionsError, SessionsFile, edit, reader::Reader, save::conflict};
use crate::session::ProfileId;

const ONE: &str = "leave one [[session]] in it";

impl SessionsFile {
    /// What the session `id` itself says: its lines of the file, the comments above them too.
    ///
    /// # Errors
    /// Where it is not there, or its lines are not its own.
    pub fn text_of(&self, id: &ProfileId) -> Result<&str, SaveError> {
        self.block(id)
    }

    /// Whether the session `id` may say `text`.
    ///
    /// # Errors
    /// The first mistake: its place is counted in `text`, and missing where it is another session that would suffer.
    pub fn check(&self, id: &ProfileId, text: &str) -> Result<(), SessionsError> {
        let mut reader = Reader::new(&self.path, text);
        reader.syntax(&DeTable::parse_recoverable(text).1);
        let blocks = edit::blocks(text).unwrap_or_default();
        match blocks.get(1) {
            Some(second) => reader.problem(second.range.start, "a second session stands in it".to_owned(), ONE),
            None if blocks.is_empty() => reader.problem(0, "no [[session]] stands in it".to_owned(), ONE),
            None => {}
        }
        if let Some(problem) = reader.problems.into_iter().next() {
            return Err(problem);
        }
        let whole = self.rewritten(id, text).map_err(|error| match error {
            SaveError::Refused(error) => error,
            other => super::whole(&self.path, other.to_string(), &other.hint()),
        })?;
        let before = edit::blocks(&self.text).unwrap_or_default().into_iter().find(|block| block.id == id.as_str());
        let above = before.map_or(0, |block| self.text[..block.range.start].matches('\n').count());
        match self.with_text(whole).problems.into_iter().next() {
            None => Ok(()),
            Some(mut problem) => {
                let place = problem.place.and_then(|(line, column)| Some((line.checked_sub(above)?, column)));
                problem.place = place.filter(|(line, _)| (1..=text.lines().count()).contains(line));
                Err(problem)
            }
        }
    }

    /// Makes the session `id` say `text`. Sessions that inherit from it follow a new id.
    ///
    /// # Errors
    /// As for [`SessionsFile::update`]; a conflict also where somebody else changed a comment of the session.
    pub fn rewrite(&mut self, id: &ProfileId, text: &str) -> Result<(), SaveError> {
        let base = self.block(id)?.to_owned();
        self.save(|now| match edit::block(&now.text, id.as_str()) {
            Some(theirs) if theirs == text => Ok((now.text.clone(), ())),
            Some(theirs) if theirs == base => Ok((now.rewritten(id, text)?, ())),
            theirs => Err(conflict(id, &base, Some(text), theirs)),
        })
    }

    fn rewritten(&self, id: &ProfileId, text: &str) -> Result<String, SaveError> {
        let line = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        let whole = self.changed(edit::replace(&self.text, id.as_str(), &line))?;
        let new = edit::blocks(text).and_then(|blocks| ProfileId::new(&blocks.first()?.id));
        match new.filter(|new| new != id) {
            Some(new) => self.changed(edit::reparented(&whole, id, &new).or(Some(whole))),
            None => Ok(whole),
        }
    }
}
