//! The form of a new session.
//!
//! Owns: its fields, their defaults and the checks that make a profile of them. Must not know files.

use std::path::{Path, PathBuf};

use super::LineEdit;
use crate::{
    cim::Namespace,
    op::Fingerprint,
    session::{Profile, ProfileId, Target, Tls, TlsVersion, url::is_host},
};

/// A field of the form, in the order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The name for people.
    Name,
    /// Host name or address.
    Computer,
    /// TCP port; empty is the default of the scheme.
    Port,
    /// TLS on or off.
    Tls,
    /// The user; empty sends no Authorization header.
    User,
    /// The default namespace.
    Namespace,
    /// Basic over clear text is allowed.
    ClearText,
    /// The certificates to trust.
    CaFile,
    /// The client's certificate.
    ClientCert,
    /// Its key.
    ClientKey,
    /// The name to check instead of the computer's.
    ServerName,
    /// The one certificate to accept.
    Pin,
    /// TLS 1.3 or nothing.
    OnlyTls13,
    /// Who signed the certificate is not checked.
    SkipChain,
    /// The certificate's name is not checked.
    SkipName,
}

impl Field {
    /// Every field in order.
    pub const ALL: [Self; 15] = [
        Self::Name,
        Self::Computer,
        Self::Port,
        Self::Tls,
        Self::User,
        Self::Namespace,
        Self::ClearText,
        Self::CaFile,
        Self::ClientCert,
        Self::ClientKey,
        Self::ServerName,
        Self::Pin,
        Self::OnlyTls13,
        Self::SkipChain,
        Self::SkipName,
    ];

    /// Its label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Computer => "Computer",
            Self::Port => "Port",
            Self::Tls => "TLS",
            Self::User => "User",
            Self::Namespace => "Namespace",
            Self::ClearText => "Allow clear text",
            Self::CaFile => "CA file or folder",
            Self::ClientCert => "Client cert",
            Self::ClientKey => "Client key",
            Self::ServerName => "Server name",
            Self::Pin => "Pin (SHA-256)",
            Self::OnlyTls13 => "TLS 1.3 only",
            Self::SkipChain => "Skip chain check",
            Self::SkipName => "Skip name check",
        }
    }

    /// What to type.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Name => "what you call it; the id is made from it",
            Self::Computer => "host name or address",
            Self::Port => "empty: 5989 with TLS, 5988 without",
            Self::Tls => "space switches it",
            Self::User => "empty: no credentials are sent; the password is asked for later",
            Self::Namespace => "where classes are looked for first",
            Self::ClearText => "space switches it; sends the password readable by anyone on the way",
            Self::CaFile => "empty: what this computer trusts; else the whole path of PEM file or folder",
            Self::ClientCert => "for servers that want one: the whole path of a PEM file",
            Self::ClientKey => "empty: in the same file as the certificate",
            Self::ServerName => "empty: the computer's; what the certificate is for instead",
            Self::Pin => "empty: none; else only the certificate with this fingerprint is accepted",
            Self::OnlyTls13 => "space switches it",
            Self::SkipChain => "space switches it; anyone could have signed the certificate",
            Self::SkipName => "space switches it; the certificate may be another server's",
        }
    }

    /// Whether it is switched rather than typed.
    pub const fn is_switch(self) -> bool {
        matches!(self, Self::Tls | Self::ClearText | Self::OnlyTls13 | Self::SkipChain | Self::SkipName)
    }
}

/// The form.
#[derive(Clone, Debug)]
pub struct Form {
    /// The field with the cursor.
    pub field: Field,
    texts: [LineEdit; 15],
    switches: [bool; 15],
    /// What is wrong, and in which field.
    pub error: Option<(Field, String)>,
    /// It is being saved.
    pub saving: bool,
}

impl Default for Form {
    fn default() -> Self {
        let mut texts: [LineEdit; 15] = Default::default();
        texts[Field::Namespace as usize].set("root/cimv2");
        let mut switches = [false; 15];
        switches[Field::Tls as usize] = true;
        Self { field: Field::Name, texts, switches, error: None, saving: false }
    }
}

impl Form {
    /// What is typed in `field`.
    pub fn text(&self, field: Field) -> &LineEdit {
        &self.texts[field as usize]
    }

    /// Whether the switch `field` is on.
    pub fn is_on(&self, field: Field) -> bool {
        self.switches[field as usize]
    }

    pub(super) fn edit(&mut self) -> &mut LineEdit {
        self.error = None;
        &mut self.texts[self.field as usize]
    }

    pub(super) fn step(&mut self, by: isize) {
        let len = Field::ALL.len() as isize;
        let at = (self.field as isize + by).rem_euclid(len);
        self.field = Field::ALL.get(at as usize).copied().unwrap_or(self.field);
    }

    pub(super) fn switch(&mut self) {
        self.error = None;
        self.switches[self.field as usize] ^= self.field.is_switch();
    }

    fn trimmed(&self, field: Field) -> &str {
        self.text(field).text().trim()
    }

    /// The profile the form describes, its id unlike those in `taken`; else the field that is wrong and why.
    pub fn profile(&self, taken: &[&str]) -> Result<Profile, (Field, String)> {
        let wrong = |field, why: &str| Err((field, why.to_owned()));
        let computer = self.trimmed(Field::Computer).trim_start_matches('[').trim_end_matches(']');
        let unfit = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '?' | '#' | '\\');
        if computer.is_empty() {
            return wrong(Field::Computer, "a host name or an address is needed");
        }
        if computer.contains(unfit) {
            return wrong(Field::Computer, "a host name or an address alone: no URL, user or path");
        }
        if computer.contains(':') && computer.parse::<std::net::Ipv6Addr>().is_err() {
            return wrong(Field::Computer, "not an IPv6 address; the port has its own field");
        }
        let port = match self.trimmed(Field::Port) {
            "" => {
                if self.is_on(Field::Tls) {
                    5989
                } else {
                    5988
                }
            }
            text => match text.parse::<u16>() {
                Ok(port) if port > 0 => port,
                _ => return wrong(Field::Port, "a number from 1 to 65535, or empty"),
            },
        };
        let namespace = Namespace::new(self.trimmed(Field::Namespace));
        if namespace.is_empty() {
            return wrong(Field::Namespace, "a namespace such as root/cimv2");
        }
        let name = match self.trimmed(Field::Name) {
            "" => computer,
            name => name,
        };
        let Some(id) = free_id(name, taken) else {
            return wrong(Field::Name, "no id can be made of it: use letters and digits");
        };
        let user = self.trimmed(Field::User);
        let target = Target {
            computer: Some(computer.to_owned()),
            port,
            tls: self.tls()?,
            user: (!user.is_empty()).then(|| user.to_owned()),
            allow_clear_text: self.is_on(Field::ClearText) && !self.is_on(Field::Tls),
            namespace,
            ..Target::this_computer()
        };
        Ok(Profile::new(id, name.to_owned(), target))
    }

    /// How TLS is checked, unless it is off.
    fn tls(&self) -> Result<Option<Tls>, (Field, String)> {
        use Field::{CaFile, ClientCert, ClientKey, OnlyTls13, Pin, ServerName, SkipChain, SkipName};
        fn wrong<T>(field: Field, why: &str) -> Result<T, (Field, String)> {
            Err((field, why.to_owned()))
        }
        if !self.is_on(Field::Tls) {
            let used = |field: &Field| self.is_on(*field) || !self.trimmed(*field).is_empty();
            let all = [CaFile, ClientCert, ClientKey, ServerName, Pin, OnlyTls13, SkipChain, SkipName];
            return all.into_iter().find(used).map_or(Ok(None), |field| wrong(field, "means nothing while TLS is off"));
        }
        let file = |field: Field| match self.trimmed(field) {
            "" => Ok(None),
            text if Path::new(text).is_absolute() => Ok(Some(PathBuf::from(text))),
            _ => wrong(field, "the whole path, wherever lazycim is started"),
        };
        let (client_cert, client_key) = (file(ClientCert)?, file(ClientKey)?);
        if client_key.is_some() && client_cert.is_none() {
            return wrong(ClientCert, "the key needs its certificate");
        }
        let name = self.trimmed(ServerName);
        if !name.is_empty() && !is_host(name) {
            return wrong(ServerName, "a host name or an address alone");
        }
        let pin = self.trimmed(Pin);
        let fingerprint = Fingerprint::parse(pin);
        if !pin.is_empty() && fingerprint.is_none() {
            return wrong(Pin, "64 hexadecimal digits, with or without colons");
        }
        Ok(Some(Tls {
            ca_file: file(CaFile)?,
            client_cert,
            client_key,
            skip_chain: self.is_on(SkipChain),
            skip_name: self.is_on(SkipName),
            min_version: if self.is_on(OnlyTls13) { TlsVersion::Tls13 } else { TlsVersion::Tls12 },
            server_name: (!name.is_empty()).then(|| name.to_owned()),
            pin: fingerprint,
        }))
    }
}

/// An id made of `name`, with a number behind it if it is taken.
fn free_id(name: &str, taken: &[&str]) -> Option<ProfileId> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    let lower = name.to_lowercase();
    let mut base = lower.chars().map(|c| if fits(c) { c } else { '-' }).take(56).collect::<String>();
    while base.contains("--") {
        base = base.replace("--", "-");
    }
    let base = base.trim_matches('-');
    let mut candidates = std::iter::once(base.to_owned()).chain((2..1_000).map(|n| format!("{base}-{n}")));
    candidates.find(|id| !taken.contains(&id.as_str())).and_then(|id| ProfileId::new(&id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn filled(fields: &[(Field, &str)]) -> Form {
        let mut form = Form::default();
        for (field, text) in fields {
            form.field = *field;
            form.edit().set(text);
        }
        form
    }

    #[test]
    fn a_filled_form_is_a_profile() {
        let form = filled(&[(Field::Name, "Web server 1"), (Field::Computer, "web01.example"), (Field::User, "ann")]);
        let profile = form.profile(&["web-server-1"]).unwrap();
        assert_eq!(profile.id.as_str(), "web-server-1-2");
        assert_eq!((profile.target.port, profile.target.user.as_deref()), (5989, Some("ann")));
        assert!(profile.target.tls.is_some());
    }

    #[test]
    fn wrong_fields_are_named() {
        let field = |form: Form| form.profile(&[]).unwrap_err().0;
        assert_eq!(field(Form::default()), Field::Computer);
        assert_eq!(field(filled(&[(Field::Computer, "https://x")])), Field::Computer);
        assert_eq!(field(filled(&[(Field::Computer, "x"), (Field::Port, "70000")])), Field::Port);
        assert_eq!(field(filled(&[(Field::Computer, "x"), (Field::Namespace, "/")])), Field::Namespace);
        assert_eq!(field(filled(&[(Field::Computer, "x"), (Field::Name, "☃")])), Field::Name);
    }
}
