//! Sessions from other tools' files and into them, from the `:` line.
//!
//! Owns: the grammar `import FILE [FORMAT]` and `export FORMAT FILE [@SESSION]`, its completions, and the page that lists
//! what came of it. Must not know any format, nor files.

use std::path::PathBuf;

use super::{Change, CommandId, CommandLine, Layer, LineEdit, State, TextView, display};
use crate::session::{exchange::Format, profile::THIS_COMPUTER};

/// What such a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Exchange<'a> {
    Import { file: &'a str, format: Option<Format> },
    Export { format: Format, file: &'a str, session: Option<&'a str> },
}

fn names(formats: &[Format]) -> String {
    formats.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

/// What `text` asks for; `None` where it is another line.
pub(super) fn parse(text: &str) -> Option<Result<Exchange<'_>, String>> {
    if let Some(rest) = text.strip_prefix("import ") {
        let (file, format) = match rest.trim().rsplit_once(' ') {
            Some((file, word)) => Format::from_name(word).map_or((rest, None), |format| (file, Some(format))),
            None => (rest, None),
        };
        let file = file.trim();
        return Some(match (file.is_empty(), Format::from_name(file)) {
            (false, None) => Ok(Exchange::Import { file, format }),
            _ => Err(format!("import wants a file: import FILE [FORMAT]; formats are {}", names(&Format::ALL))),
        });
    }
    let rest = text.strip_prefix("export ")?.trim();
    let (rest, session) = match rest.rsplit_once(" @") {
        Some((rest, session)) if !session.contains('/') => (rest.trim_end(), Some(session.trim())),
        _ => (rest, None),
    };
    let (word, file) = rest.split_once(' ').unwrap_or((rest, ""));
    let Some(format) = Format::WRITTEN.into_iter().find(|format| format.name() == word) else {
        let formats = names(&Format::WRITTEN);
        return Some(Err(format!("export wants a format: export FORMAT FILE [@SESSION]; formats are {formats}")));
    };
    Some(match file.trim() {
        "" => Err(format!("export wants a file: export {word} FILE [@SESSION]")),
        file => Ok(Exchange::Export { format, file, session }),
    })
}

/// What the last word of a line that begins with `before` may be.
pub(super) fn completions(before: &str, word: &str) -> Vec<String> {
    let formats: &[Format] = match before.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["export"] => &Format::WRITTEN,
        ["import", _, ..] => &Format::ALL,
        _ => &[],
    };
    formats.iter().map(|format| format.name()).filter(|name| name.starts_with(word)).map(str::to_owned).collect()
}

impl State {
    /// The `:` line that the command begins.
    pub(super) fn exchange_line(&self, command: CommandId) -> Layer {
        let input = LineEdit::new(&format!("{} ", command.command().name));
        Layer::CommandLine(CommandLine { input, ..CommandLine::default() })
    }

    /// Does what an `import` or `export` line asks for.
    pub(super) fn exchange(&mut self, asked: Exchange<'_>) -> Result<(), String> {
        let change = match asked {
            Exchange::Import { file, format } => {
                if self.saved.is_broken() {
                    return Err(super::palette::BROKEN.to_owned());
                }
                Change::Import { file: PathBuf::from(file), format }
            }
            Exchange::Export { format, file, session } => {
                let mut ids = Vec::new();
                if let Some(name) = session {
                    let session = self.session_named(Some(name))?;
                    let id = self.sessions.get(session).map(|known| known.entry.profile.id.clone());
                    let id = id.filter(|id| self.saved.get(id).is_some());
                    ids.push(id.ok_or_else(|| format!("`{name}` is not in the sessions file"))?);
                } else if self.saved.entries.is_empty() {
                    return Err(format!("there is nothing to export: {THIS_COMPUTER} is served by lazycim alone"));
                }
                Change::Export { file: PathBuf::from(file), format, ids, replace: false }
            }
        };
        self.change(change);
        Ok(())
    }

    /// Sessions were imported or exported: the list of them, and of what could not be carried over, lies over the panes.
    pub(super) fn exchanged(&mut self, change: &Change, told: &str, lines: Vec<String>) {
        let title = match change {
            Change::Import { file, .. } => format!("Import of {}", file.display()),
            Change::Export { file, .. } => format!("Export to {}", file.display()),
            _ => return,
        };
        let lines = [told.to_owned(), String::new()].into_iter().chain(lines).collect::<Vec<_>>();
        let (raw, shown) = (lines.join("\n"), lines.iter().map(|line| display::safe(line)).collect());
        self.layers.push(Layer::Text(TextView::new(display::safe(&title), shown, raw)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_grammar_of_import_and_export() {
        let import = |file, format| Some(Ok(Exchange::Import { file, format }));
        assert_eq!(parse("import ~/my hosts.txt"), import("~/my hosts.txt", None));
        assert_eq!(parse("import a.yaml ansible"), import("a.yaml", Some(Format::Ansible)));
        let export = |format, file, session| Some(Ok(Exchange::Export { format, file, session }));
        assert_eq!(parse("export powershell my out.ps1"), export(Format::PowerShell, "my out.ps1", None));
        assert_eq!(parse("export pywbemcli a.yaml @web01"), export(Format::Pywbemcli, "a.yaml", Some("web01")));
        let wrong = |text: &str| parse(text).unwrap().unwrap_err();
        assert!(wrong("import ").contains("wants a file") && wrong("import hosts").contains("wants a file"));
        assert!(wrong("export ").contains("pywbemcli, pywbemcli-env, powershell"));
        assert!(wrong("export hosts x").contains("wants a format"), "hosts are only read");
        assert!(wrong("export powershell").contains("wants a file"));
        assert_eq!(parse("imports"), None);
    }

    #[test]
    fn formats_are_completed_where_one_is_wanted() {
        assert_eq!(completions("export", "po"), ["powershell"]);
        assert_eq!(completions("import a.yaml", "an"), ["ansible"]);
        assert_eq!((completions("import", "an").len(), completions("export powershell", "p").len()), (0, 0));
    }
}
