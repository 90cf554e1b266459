//! Sessions in the formats of other tools: from their files and into them.
//!
//! Owns: which formats there are, how one is recognised, and the list of what cannot be carried over. Must not read files
//! or the environment: text and variables come in, sessions and lists go out. A password that stands in a file is handed
//! on as a secret and never repeated in a list or an error.
//!
//! ```text
//! text -> format -> Draft -> Found + LeftOut          Profile -> format -> text + LeftOut
//! ```

mod address;
mod ansible;
mod draft;
mod hosts;
mod meshcommander;
mod outgoing;
mod powershell;
mod pywbemcli;
mod variables;
mod yaml;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::Path,
};

use secrecy::SecretString;

use super::{Colour, Parent, Profile, Proxy, SecretSource, Target, store::SessionsFile, url::TargetUrl};
use crate::cim::text::escape_for_terminal;

/// A file of sessions may have this many bytes: 4 MiB, ten thousand sessions of the longest format.
pub const MAX_BYTES: usize = 4 << 20;
/// One import may bring this many sessions.
pub const MAX_SESSIONS: usize = 1_000;
/// A list of what was left out may have this many lines; one more says how many are missing.
const MAX_LEFT_OUT: usize = 10_000;
/// A value in such a list is cut after this many characters.
const MAX_SHOWN: usize = 120;

/// The formats of other tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A sessions.toml.
    Sessions,
    /// The connections file of pywbemcli (YAML).
    Pywbemcli,
    /// The environment variables of pywbemcli, as `export` lines.
    PywbemcliVariables,
    /// `New-CimSession` and `New-CimSessionOption` command lines.
    PowerShell,
    /// The computer list of MeshCommander, JSON or CSV.
    MeshCommander,
    /// An inventory of Ansible, INI or YAML.
    Ansible,
    /// A host on each line: `host[,user[,preset]]`.
    Hosts,
}

/// What an import brought.
#[derive(Debug, Default)]
pub struct Import {
    /// The sessions, in the order of the file.
    pub sessions: Vec<Found>,
    /// What could not be carried over.
    pub left_out: Vec<LeftOut>,
    /// How many lines the list is too long by.
    more: usize,
}

/// A session found in a foreign file. It has no id yet: [`Import::place`] gives one.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its name for people.
    pub name: String,
    /// Where and as whom it connects.
    pub target: Target,
    /// Words it is found by.
    pub tags: Vec<String>,
    /// What people want to remember about it.
    pub notes: String,
    /// The colour it is marked with.
    pub colour: Option<Colour>,
    /// What it takes over where it says nothing itself.
    pub inherits: Option<Parent>,
    /// The password that stood in the file, for a keyring; never written anywhere by us.
    pub password: Option<SecretString>,
}

/// A session with its place in sessions.toml.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The session.
    pub profile: Profile,
    /// The id its name would have given it, where another session has that one.
    pub taken: Option<String>,
    /// The password that stood in the file.
    pub password: Option<SecretString>,
}

/// What an export wrote.
#[derive(Debug, Default)]
pub struct Export {
    /// The text of the format.
    pub text: String,
    /// What could not be carried over.
    pub left_out: Vec<LeftOut>,
}

/// Something that could not be carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The session's name, or what else it belongs to.
    pub session: String,
    /// The field, in the words of the format.
    pub field: String,
    /// Its value; never a secret's.
    pub value: Option<String>,
    /// Why.
    pub reason: String,
}

impl LeftOut {
    /// All texts made safe for a terminal and bounded.
    fn new(session: &str, field: &str, value: Option<&str>, reason: &str) -> Self {
        let value = value.map(shown);
        Self { session: shown(session), field: shown(field), value, reason: reason.to_owned() }
    }
}

impl fmt::Display for LeftOut {
    /// `SESSION: FIELD = VALUE: REASON`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.session, self.field)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// `list` with what several sessions share said once, each in a line.
pub fn summed_up(list: &[LeftOut]) -> Vec<String> {
    const NAMED: usize = 3;
    let mut groups: Vec<(&LeftOut, Vec<&str>)> = Vec::new();
    let mut places = HashMap::new();
    for one in list {
        let place = *places.entry((&one.field, &one.value, &one.reason)).or_insert(groups.len());
        if place == groups.len() {
            groups.push((one, Vec::new()));
        }
        let sessions = &mut groups[place].1;
        if sessions.last() != Some(&one.session.as_str()) {
            sessions.push(&one.session);
        }
    }
    let line = |(one, sessions): (&LeftOut, Vec<&str>)| {
        let mut session = sessions[..sessions.len().min(NAMED)].join(", ");
        if sessions.len() > NAMED {
            session.push_str(&format!(" and {} more", sessions.len() - NAMED));
        }
        LeftOut { session, ..one.clone() }.to_string()
    };
    groups.into_iter().map(line).collect()
}

/// A line for each session: its id and where it connects.
pub fn listed(placed: &[Placed]) -> Vec<String> {
    let width = placed.iter().map(|one| one.profile.id.as_str().len()).max().unwrap_or(0);
    let line = |Placed { profile, .. }: &Placed| {
        let target = &profile.target;
        let url = TargetUrl::of(target).map_or_else(|| target.protocol.clone(), |url| url.to_string());
        format!("{:width$}  {url}", profile.id.as_str())
    };
    placed.iter().map(line).collect()
}

/// What to know of sessions that were imported: the ids that were taken, and those that check less than they could.
pub fn remarks(placed: &[Placed]) -> Vec<String> {
    let taken = |one: &Placed| {
        let (name, id) = (&one.profile.name, one.profile.id.as_str());
        Some(format!("the id `{}` is taken: {name} is `{id}`", one.taken.as_ref()?))
    };
    let mut lines = placed.iter().filter_map(taken).collect::<Vec<_>>();
    let skips = |one: &&Placed| one.profile.target.tls.as_ref().is_some_and(|tls| tls.skip_chain || tls.skip_name);
    let unchecked = placed.iter().filter(skips).map(|one| one.profile.id.as_str()).collect::<Vec<_>>().join(", ");
    if !unchecked.is_empty() {
        lines.push(format!("the server's certificate is not checked, or not wholly, as the file says: {unchecked}"));
    }
    lines
}

/// `text` cut to what a list can show, control characters written out.
fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(MAX_SHOWN).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    escape_for_terminal(&cut).into_owned()
}

/// Why a text gives no sessions, or sessions no text. Repeats nothing that could be a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeError {
    /// Line and column, counted from 1; `None` for the text as a whole.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub hint: String,
}

impl ExchangeError {
    fn new(cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place: None, cause: cause.into(), hint: hint.into() }
    }

    fn at(place: (usize, usize), cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place: Some(place), ..Self::new(cause, hint) }
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.cause)
    }
}

impl std::error::Error for ExchangeError {}

impl Format {
    /// Every format.
    pub const ALL: [Self; 7] = [
        Self::Sessions,
        Self::Pywbemcli,
        Self::PywbemcliVariables,
        Self::PowerShell,
        Self::MeshCommander,
        Self::Ansible,
        Self::Hosts,
    ];

    /// The formats that can be written.
    pub const WRITTEN: [Self; 3] = [Self::Pywbemcli, Self::PywbemcliVariables, Self::PowerShell];

    /// The format called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The format's name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Pywbemcli => "pywbemcli",
            Self::PywbemcliVariables => "pywbemcli-env",
            Self::PowerShell => "powershell",
            Self::MeshCommander => "meshcommander",
            Self::Ansible => "ansible",
            Self::Hosts => "hosts",
        }
    }

    /// The format `text` looks like; `None` where nothing tells. The marks are looked for from the surest to the vaguest.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
        let any = |mark: &dyn Fn(&str) -> bool| lines().any(mark);
        if meshcommander::is_list(text) {
            return Some(Self::MeshCommander);
        }
        if any(&|line| line.replace(['"', '\'', ' '], "").starts_with("connection_definitions:")) {
            return Some(Self::Pywbemcli);
        }
        if any(&powershell::is_command) {
            return Some(Self::PowerShell);
        }
        if any(&|line| line.trim_start_matches("export ").trim_start().starts_with(variables::PREFIX)) {
            return Some(Self::PywbemcliVariables);
        }
        if any(&|line| line.replace(' ', "").starts_with("[[session]]")) {
            return Some(Self::Sessions);
        }
        if ansible::is_inventory(text) {
            return Some(Self::Ansible);
        }
        (lines().next().is_some() && lines().all(hosts::is_line)).then_some(Self::Hosts)
    }
}

/// Reads sessions from `text`, which is in `format` or, without one, in the format it looks like. File names in it that are
/// relative to nothing lie in `dir`.
///
/// # Errors
/// Where the text is too long, in no known format or not in the one named. A mistake in one session costs that session
/// alone and is in the list of what was left out.
pub fn import(text: &str, format: Option<Format>, dir: &Path) -> Result<Import, ExchangeError> {
    if text.len() > MAX_BYTES {
        let cause = format!("the text is longer than {} MiB", MAX_BYTES >> 20);
        return Err(ExchangeError::new(cause, "split it"));
    }
    let text = text.trim_start_matches('\u{feff}');
    let Some(format) = format.or_else(|| Format::of(text)) else {
        let hint = format!("name it: --format {}", Format::ALL.map(Format::name).join("|"));
        return Err(ExchangeError::new("the text is in no format lazycim knows by its looks", hint));
    };
    let mut import = match format {
        Format::Sessions => own(text, dir),
        Format::Pywbemcli => pywbemcli::read(text, dir),
        Format::PywbemcliVariables => variables::read(&variables::of_lines(text)?, dir),
        Format::PowerShell => powershell::read(text),
        Format::MeshCommander => meshcommander::read(text),
        Format::Ansible => ansible::read(text, dir),
        Format::Hosts => hosts::read(text),
    }?;
    import.bound()?;
    Ok(import)
}

/// Reads the session that the environment variables of pywbemcli describe.
///
/// # Errors
/// Where they name no server.
pub fn import_variables(variables: &BTreeMap<String, String>, dir: &Path) -> Result<Import, ExchangeError> {
    variables::read(variables, dir)
}

/// Writes `profiles` in `format`.
///
/// # Errors
/// Where the format cannot be written, or cannot hold as many sessions.
pub fn export(profiles: &[&Profile], format: Format) -> Result<Export, ExchangeError> {
    match format {
        Format::Pywbemcli => Ok(pywbemcli::write(profiles)),
        Format::PywbemcliVariables => variables::write(profiles),
        Format::PowerShell => Ok(powershell::write(profiles)),
        Format::Sessions | Format::MeshCommander | Format::Ansible | Format::Hosts => {
            let cause = format!("{} is only read", format.name());
            Err(ExchangeError::new(cause, format!("--format {}", Format::WRITTEN.map(Format::name).join("|"))))
        }
    }
}

impl Import {
    /// Gives every session an id that neither `file` nor another of them has.
    pub fn place(self, file: &SessionsFile) -> Vec<Placed> {
        let nothing = SessionsFile::parse(&file.path, "");
        let mut planned = file.clone();
        let place = |found: Found| {
            let Found { name, target, tags, notes, colour, inherits, password } = found;
            let (wanted, id) = (nothing.free_id(&name), planned.free_id(&name));
            let taken = (wanted != id).then(|| wanted.as_str().to_owned());
            let profile = Profile { tags, notes, colour, inherits, ..Profile::new(id, name, target) };
            planned.entries.push(profile.clone());
            Placed { profile, taken, password }
        };
        self.sessions.into_iter().map(place).collect()
    }

    fn left_out(&mut self, session: &str, field: &str, value: Option<&str>, reason: &str) {
        self.leave(vec![LeftOut::new(session, field, value, reason)]);
    }

    fn leave(&mut self, mut list: Vec<LeftOut>) {
        let room = MAX_LEFT_OUT.saturating_sub(self.left_out.len());
        self.more += list.len().saturating_sub(room);
        list.truncate(room);
        self.left_out.append(&mut list);
    }

    fn bound(&mut self) -> Result<(), ExchangeError> {
        if self.sessions.len() > MAX_SESSIONS {
            let cause = format!("the text describes more than {MAX_SESSIONS} sessions");
            return Err(ExchangeError::new(cause, "split it"));
        }
        if self.more > 0 {
            let reason = format!("{} more are not shown", self.more);
            self.left_out.push(LeftOut::new("the list", "lines", None, &reason));
        }
        Ok(())
    }
}

/// The sessions of a sessions.toml that came from elsewhere.
fn own(text: &str, dir: &Path) -> Result<Import, ExchangeError> {
    let SessionsFile { entries, problems, .. } = SessionsFile::parse(dir.join("sessions.toml"), text);
    if let (true, Some(first)) = (entries.is_empty(), problems.first()) {
        return Err(ExchangeError { place: first.place, cause: first.cause.clone(), hint: first.hint.clone() });
    }
    let mut import = Import::default();
    for problem in problems {
        let line = problem.place.map_or_else(|| "the file".to_owned(), |(line, _)| format!("line {line}"));
        import.left_out(&line, "session", None, &problem.cause);
    }
    for Profile { id, name, mut target, tags, notes, colour, inherits } in entries {
        let mut leave = |field: &str, value: &str, reason| import.left_out(id.as_str(), field, Some(value), reason);
        // The parent may get another id here; what came from it is in the session itself by now.
        let inherits = inherits.filter(|parent| match parent {
            Parent::Preset(_) => true,
            Parent::Profile(parent) => {
                target.preset = None;
                leave("inherits", parent.as_str(), "what it takes over is written into the session itself");
                false
            }
        });
        let proxy = match &mut target.proxy {
            Proxy::Http(proxy) => Some(&mut proxy.secret),
            Proxy::None | Proxy::System => None,
        };
        for secret in [Some(&mut target.secret), proxy].into_iter().flatten() {
            if let SecretSource::Command(command) = secret {
                command.confirmed = false;
                leave("secret", &command.words.join(" "), "its command is inactive until you confirm it");
            }
        }
        import.sessions.push(Found { name, target, tags, notes, colour, inherits, password: None });
    }
    Ok(import)
}

#[cfg(test)]
mod tests;
