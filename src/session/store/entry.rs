//! The sessions of a file: from its text to profiles.
//!
//! Owns: what the keys of `[[session]]` mean, their defaults, and who inherits from whom. Must not touch the file system.

use std::{collections::HashMap, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    SessionsError,
    keys::{KEYS, names_in},
    layers::{Layer, Layers, Origin},
    reader::Reader,
};
use crate::{
    cim::Namespace,
    op::Fingerprint,
    session::{
        Mechanism, Parent, Profile, ProfileId, Target, Tls, TlsVersion,
        options::Colour,
        preset,
        profile::{AUTO, THIS_COMPUTER},
        secret::SecretSource,
        url::{Scheme, is_host, is_path_byte},
    },
};

const TOP: &[&str] = &["version", "session"];
/// The longest chain of parents.
const MAX_PARENTS: usize = 8;

/// What a file says.
#[derive(Default)]
pub(super) struct Read {
    pub(super) entries: Vec<Profile>,
    /// Of each entry, where the values of the keys come from.
    pub(super) origins: HashMap<ProfileId, Vec<Origin>>,
    pub(super) problems: Vec<SessionsError>,
}

/// The entries of `text` without a mistake, and all mistakes in order.
pub(super) fn read(file: &Path, text: &str) -> Read {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(file, text);
    let syntax = reader.syntax(&errors);
    let document = document.get_ref();
    reader.check_keys(document, TOP, "the file");
    let mut read = Read::default();
    if reader.version_is_ours(document) {
        match document.get("session").map(|value| (value.span().start, value.get_ref())) {
            None => {}
            Some((_, DeValue::Array(items))) => {
                let items = items.iter().collect::<Vec<_>>();
                for (number, item) in items.iter().enumerate() {
                    // A syntax error between this header and the next makes what was read of the entry unreliable.
                    let from = item.span().start;
                    let to = items.get(number + 1).map_or(text.len() + 1, |next| next.span().start);
                    if !syntax.iter().any(|at| (from..to).contains(at)) {
                        reader.session(&items, number, &mut read);
                    }
                }
            }
            Some((at, _)) => reader.problem(at, "`session` must be a list of tables".to_owned(), "write [[session]]"),
        }
    }
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.place);
    // What is wrong with a parent is found again by each of its children.
    problems.dedup();
    read.problems = problems;
    read
}

type Items<'a, 't> = &'a [&'t Spanned<DeValue<'t>>];

/// The session with this id, among `items`.
fn item_with<'t>(items: Items<'_, 't>, id: &str) -> Option<(usize, &'t DeTable<'t>)> {
    items.iter().enumerate().find_map(|(number, item)| {
        let table = item.get_ref().as_table()?;
        (table.get("id")?.get_ref().as_str() == Some(id)).then_some((number, table))
    })
}

impl Reader<'_> {
    fn session(&mut self, items: Items<'_, '_>, number: usize, read: &mut Read) {
        let item = items[number];
        let header = item.span().start;
        let DeValue::Table(table) = item.get_ref() else {
            self.problem(header, "a session must be a table".to_owned(), "write [[session]]");
            return;
        };
        let seen = self.problems.len();
        self.check_keys(table, &names_in(""), "[[session]]");
        for key in ["tls", "auth", "wsman", "timeouts", "limits"] {
            if let Some(nested) = table.get(key) {
                self.check_table(nested, key);
            }
        }
        let before = self.problems.len();
        let layers = self.layers(items, number, table);
        let orphaned = self.problems.len() > before;
        let id = self.id(&layers, header, &read.entries);
        // A parent that is not there may have had one.
        let computer =
            if orphaned { self.text_of(&layers, "computer") } else { self.required(&layers, "computer", header) };
        let profile = self.profile(&layers, id, computer);
        if let Some(profile) = profile.filter(|_| self.problems.len() == seen) {
            let origins = KEYS.iter().map(|key| layers.origin(key.name)).collect();
            read.origins.insert(profile.id.clone(), origins);
            read.entries.push(profile);
        }
    }

    /// The session's own table and those of its parents. Stops at the first parent that is not there.
    fn layers<'t>(&mut self, items: Items<'_, 't>, number: usize, table: &'t DeTable<'t>) -> Layers<'t> {
        let mut layers = vec![Layer::own(table)];
        let (mut visited, mut told_at) = (vec![number], None);
        let mut next = Some(table);
        while let Some(table) = next.take() {
            let own = Layers(vec![Layer::own(table)]);
            let Some(text) = self.text_of(&own, "inherits") else { break };
            let at = *told_at.get_or_insert_with(|| own.get("inherits").map_or(0, |found| found.at));
            let shown = text.escape_debug();
            let parent = Parent::from_text(&text);
            let (found, hint) = match &parent {
                Some(Parent::Preset(name)) => {
                    let known = preset::all().iter().map(|preset| preset.name.as_str());
                    (preset::session_table(name).map(|table| (usize::MAX, table)), super::suggest(name, known))
                }
                _ => {
                    let ids = items.iter().filter_map(|item| item.get_ref().as_table()?.get("id")?.get_ref().as_str());
                    (item_with(items, &text), super::suggest(&text, ids))
                }
            };
            let (Some((number, table)), Some(parent)) = (found, parent) else {
                self.problem(at, format!("there is no `{shown}` to inherit from"), &hint);
                break;
            };
            if visited.contains(&number) {
                self.problem(
                    at,
                    "it inherits from itself in the end".to_owned(),
                    "leave `inherits` out of one of them",
                );
                break;
            }
            if visited.len() > MAX_PARENTS {
                let cause = format!("more than {MAX_PARENTS} sessions inherit one from the other");
                self.problem(at, cause, "let it inherit from the last of them");
                break;
            }
            visited.push(number);
            next = (number != usize::MAX).then_some(table);
            layers.push(Layer::parent(parent, table, at));
        }
        Layers(layers)
    }

    fn id(&mut self, table: &Layers<'_>, header: usize, before: &[Profile]) -> Option<ProfileId> {
        let text = self.required(table, "id", header)?;
        let at = place_of(table, "id");
        let Some(id) = ProfileId::new(&text) else {
            let cause = format!("`id` must be 1 to 64 of a-z, 0-9, `.`, `_` and `-`, not {text:?}");
            self.problem(at, cause, "the name may have any characters");
            return None;
        };
        if text == THIS_COMPUTER {
            let cause = format!("the id `{THIS_COMPUTER}` is reserved and never stored");
            self.problem(at, cause, "choose another id");
            return None;
        }
        if before.iter().any(|entry| entry.id == id) {
            self.problem(at, format!("the id `{text}` is used twice"), "give each session its own id");
            return None;
        }
        Some(id)
    }

    fn profile(&mut self, table: &Layers<'_>, id: Option<ProfileId>, computer: Option<String>) -> Option<Profile> {
        if let Some(computer) = computer.as_deref().filter(|computer| !is_host(computer)) {
            let cause = format!("`computer` is not a host name or an address: {computer:?}");
            self.problem(place_of(table, "computer"), cause, "write the name or the address alone");
        }
        let name = self.text_of(table, "name");
        let tags = self.texts(table, "tags").unwrap_or_default();
        let notes = self.lines(table, "notes").unwrap_or_default();
        let colour = self.choice(table, "colour").and_then(|name| Colour::named(&name));
        let inherits = self.text_of(table, "inherits").and_then(|text| Parent::from_text(&text));
        let target = self.target(table, computer);
        let (id, target) = (id?, target?);
        let name = name.unwrap_or_else(|| id.as_str().to_owned());
        Some(Profile { tags, notes, colour, inherits, ..Profile::new(id, name, target) })
    }

    fn target(&mut self, table: &Layers<'_>, computer: Option<String>) -> Option<Target> {
        let protocol = self.choice(table, "protocol").unwrap_or_else(|| Scheme::CimXml.name().to_owned());
        let auto = self.tried(table);
        let auto = if protocol == AUTO { auto.unwrap_or_else(|| Scheme::ALL.to_vec()) } else { Vec::new() };
        let scheme = Scheme::from_name(&protocol).or(auto.first().copied()).unwrap_or(Scheme::CimXml);
        let tls = self.tls(table);
        let port = self.port(table).unwrap_or_else(|| scheme.default_port(tls.is_some()));
        let path = self.text_of(table, "path").unwrap_or_else(|| scheme.default_path().to_owned());
        if !path.starts_with('/') || !path.bytes().all(is_path_byte) {
            let cause = "`path` must begin with / and be percent-encoded".to_owned();
            self.problem(place_of(table, "path"), cause, &format!("usual is {:?}", scheme.default_path()));
        }
        let namespace = self.text_of(table, "namespace").map(|text| Namespace::new(&text));
        if namespace.as_ref().is_some_and(Namespace::is_empty) {
            let at = place_of(table, "namespace");
            self.problem(at, "`namespace` is empty".to_owned(), "write one, such as \"root/cimv2\"");
        }
        let (user, mechanism, secret) = self.auth(table);
        let target = Target {
            owner: crate::session::profile::Owner::default(),
            computer,
            protocol,
            auto,
            port,
            path,
            tls,
            user,
            mechanism,
            secret,
            allow_clear_text: self.switch(table, "allow_clear_text").unwrap_or(false),
            namespace: namespace.unwrap_or_else(|| Namespace::new("root/cimv2")),
            timeouts: self.timeouts(table),
            limits: self.limits(table),
            proxy: self.proxy(table),
            culture: self.culture(table),
            read_only: self.switch(table, "read_only").unwrap_or(false),
            pull: self.pull(table),
            wsman: self.wsman(table),
            preset: table.preset(),
        };
        target.computer.is_some().then_some(target)
    }

    /// The protocols to try in turn.
    fn tried(&mut self, table: &Layers<'_>) -> Option<Vec<Scheme>> {
        let names = self.texts(table, "auto")?;
        let schemes = names.iter().map(|name| Scheme::from_name(name)).collect::<Option<Vec<_>>>();
        let all_differ =
            |schemes: &Vec<Scheme>| schemes.iter().enumerate().all(|(at, one)| !schemes[..at].contains(one));
        let schemes = schemes.filter(|schemes| !schemes.is_empty()).filter(all_differ);
        if schemes.is_none() {
            let cause = "`auto` must be a list of protocols, each once".to_owned();
            self.problem(
                place_of(table, "auto"),
                cause,
                "write auto = [\"wsman\", \"cimxml\"], in the order to try them",
            );
        }
        schemes
    }

    /// TLS is on unless the file says otherwise.
    fn tls(&mut self, table: &Layers<'_>) -> Option<Tls> {
        let tls = &table.table("tls");
        // A file named relative to nothing would depend on where lazycim is started: it lies beside sessions.toml.
        let dir = self.file.parent().unwrap_or(Path::new(""));
        let mut file = |tls: &Layers<'_>, key| self.text_of(tls, key).map(|file| dir.join(file));
        let (ca_file, client_cert) = (file(tls, "ca_file"), file(tls, "client_cert"));
        // A key belongs to the certificate it stands with, or to one below.
        let keys = tls.down_to(tls.get("client_cert").map_or(usize::MAX - 1, |found| found.layer));
        let client_key = file(&keys, "client_key");
        if client_key.is_some() && client_cert.is_none() {
            let cause = "`client_key` stands without `client_cert`".to_owned();
            self.problem(place_of(tls, "client_key"), cause, "write client_cert = \"FILE\"");
        }
        let min_version = self.read_of(tls, "min_version", "is not a version", "write \"1.2\" or \"1.3\"", |text| {
            TlsVersion::from_text(text)
        });
        let server_name =
            self.read_of(tls, "server_name", "is not a host name or an address", "write the name alone", |text| {
                is_host(text).then(|| text.to_owned())
            });
        let hint = "write the SHA-256 of the server's certificate: 64 hexadecimal digits, colons allowed";
        let pin = self.read_of(tls, "pin", "is not a fingerprint", hint, Fingerprint::parse);
        let (skip_chain, skip_name) = (self.switch(tls, "skip_chain"), self.switch(tls, "skip_name"));
        self.switch(tls, "use").unwrap_or(true).then(|| Tls {
            ca_file,
            client_cert,
            client_key,
            skip_chain: skip_chain.unwrap_or(false),
            skip_name: skip_name.unwrap_or(false),
            min_version: min_version.unwrap_or_default(),
            server_name,
            pin,
        })
    }

    /// The text of `key` as `read` takes it; one it does not take is a problem: the key, `what`, `hint`.
    fn read_of<T>(
        &mut self,
        table: &Layers<'_>,
        key: &str,
        what: &str,
        hint: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text_of(table, key)?;
        let value = read(&text);
        if value.is_none() {
            self.problem(place_of(table, key), format!("`{key}` {what}"), hint);
        }
        value
    }

    fn auth(&mut self, table: &Layers<'_>) -> (Option<String>, Mechanism, SecretSource) {
        let auth = table.table("auth");
        let mechanism = self.choice(&auth, "mechanism");
        let chosen = mechanism.as_deref().and_then(Mechanism::named).unwrap_or_default();
        let none = auth.get("mechanism").filter(|_| mechanism.as_deref() == Some("none"));
        let found = auth.get("user");
        let user = self.text_of(&auth, "user");
        match (none, found) {
            // Whoever says that nobody authenticates turns off the user of those below.
            (Some(none), Some(found)) if none.layer < found.layer => {
                return (None, Mechanism::default(), SecretSource::Prompt);
            }
            (Some(none), Some(found)) if none.layer == found.layer => {
                let cause = "`auth` has a user and mechanism \"none\"".to_owned();
                self.problem(found.at, cause, "leave mechanism out");
            }
            (None, None) if chosen != Mechanism::Certificate => {
                // A preset knows the mechanism and not the user.
                let said = auth.0.iter().any(|layer| !matches!(layer.origin, Origin::Inherited(Parent::Preset(_))));
                let wrong = mechanism.is_none() && auth.get("mechanism").is_some();
                if said && !wrong {
                    let (at, hint) = (place_of(table, "auth"), "write user = \"NAME\", or leave auth out");
                    self.problem(at, "`auth` names no user".to_owned(), hint);
                }
            }
            _ => {}
        }
        // Where the secret comes from belongs to the user it stands with, or to one below.
        let secrets = auth.down_to(found.map_or(usize::MAX - 1, |found| found.layer));
        let secret = self.secret(&secrets, "secret").unwrap_or(SecretSource::Prompt);
        let chosen = match chosen {
            Mechanism::Certificate => chosen,
            _ if user.is_none() => Mechanism::default(),
            _ => chosen,
        };
        (user, chosen, secret)
    }
}

/// Where the value of `key` stands.
pub(super) fn place_of(table: &Layers<'_>, key: &str) -> usize {
    table.get(key).map_or(0, |found| found.at)
}
