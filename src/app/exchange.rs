//! Sessions from other tools' files and into them, from the `:` line.
//!
//! Owns: the grammar `import FILE [FORMAT]` and `export FORMAT FILE [@SESSION ...] [#TAG]`, its completions, and the page that lists
//! what came of it. Must not know any format, nor files.

use std::path::PathBuf;

use super::{Change, CommandId, CommandLine, Layer, LineEdit, State, TextView, display};
use crate::session::{exchange::Format, profile::THIS_COMPUTER};

/// What such a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Exchange<'a> {
    Import {
        file: &'a str,
        format: Option<Format>,
    },
    /// Of the sessions named and those with the tag; of all where neither is.
    Export {
        format: Format,
        file: &'a str,
        sessions: Vec<&'a str>,
        tag: Option<&'a str>,
    },
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
    let mut rest = text.strip_prefix("export ")?.trim();
    let (mut sessions, mut tag) = (Vec::new(), None);
    if let Some((before, last)) = rest.rsplit_once(" #").filter(|(_, last)| !last.contains(['/', '@'])) {
        (rest, tag) = (before.trim_end(), Some(last.trim()));
    }
    while let Some((before, last)) = rest.rsplit_once(" @").filter(|(_, last)| !last.contains('/')) {
        rest = before.trim_end();
        sessions.insert(0, last.trim());
    }
    let (word, file) = rest.split_once(' ').unwrap_or((rest, ""));
    let Some(format) = Format::WRITTEN.into_iter().find(|format| format.name() == word) else {
        let formats = names(&Format::WRITTEN);
        return Some(Err(format!(
            "export wants a format: export FORMAT FILE [@SESSION ...] [#TAG]; formats are {formats}"
        )));
    };
    Some(match file.trim() {
        "" => Err(format!("export wants a file: export {word} FILE [@SESSION ...] [#TAG]")),
        file => Ok(Exchange::Export { format, file, sessions, tag }),
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
            Exchange::Export { format, file, sessions, tag } => {
                let mut ids = Vec::new();
                for name in &sessions {
                    let session = self.session_named(Some(name))?;
                    let id = self.sessions.get(session).map(|known| known.entry.profile.id.clone());
                    let id = id.filter(|id| self.saved.get(id).is_some());
                    ids.push(id.ok_or_else(|| format!("`{name}` is not in the sessions file"))?);
                }
                if let Some(tag) = tag {
                    self.sessions_with(tag)?;
                    let tagged = self.saved.entries.iter().filter(|entry| entry.tags.iter().any(|own| own == tag));
                    ids.extend(tagged.map(|entry| entry.id.clone()));
                    if ids.is_empty() {
                        return Err(format!("no session of the sessions file has the tag `{tag}`"));
                    }
                }
                if ids.is_empty() && self.saved.entries.is_empty() {
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
        let export = |format, file, sessions, tag| Some(Ok(Exchange::Export { format, file, sessions, tag }));
        assert_eq!(parse("export powershell my out.ps1"), export(Format::PowerShell, "my out.ps1", vec![], None));
        let yaml = |sessions, tag| export(Format::Pywbemcli, "a.yaml", sessions, tag);
        assert_eq!(parse("export pywbemcli a.yaml @web01"), yaml(vec!["web01"], None));
        assert_eq!(parse("export pywbemcli a.yaml @web01 @esx7 #my lab"), yaml(vec!["web01", "esx7"], Some("my lab")));
        let file = parse("export pywbemcli a #1/b @c.yaml");
        assert_eq!(file, export(Format::Pywbemcli, "a #1/b", vec!["c.yaml"], None));
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
