//! A host on each line: `host[,user[,preset]]`, where host is a name, an address or a URL.
//!
//! Owns: the columns, and what a URL means for a session. Must not know other formats.

use super::{
    ExchangeError, Import, LeftOut,
    address::Address,
    draft::{Draft, Unchecked},
};
use crate::session::url::Scheme;

/// Whether `line` can be one of such a list.
pub(super) fn is_line(line: &str) -> bool {
    let mut fields = line.split(',').map(|field| field.trim().trim_matches('"'));
    let host = fields.next().unwrap_or_default();
    Address::parse(host).is_ok() && fields.count() <= 2
}

/// Reads the list. A first line that begins with `host` or `computer` names the columns.
pub(super) fn read(text: &str) -> Result<Import, ExchangeError> {
    let mut import = Import::default();
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).trim(csv::Trim::All).comment(Some(b'#'));
    let mut is_first = true;
    for record in reader.from_reader(text.as_bytes()).records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
            ExchangeError::at((line, 1), "the line is not CSV", "write host, host,user or host,user,preset")
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let names_columns =
            ["host", "computer"].iter().any(|name| record.get(0).is_some_and(|one| one.eq_ignore_ascii_case(name)));
        if std::mem::take(&mut is_first) && names_columns && record.len() > 1 {
            continue;
        }
        let (host, user, preset) = (record.get(0).unwrap_or_default(), record.get(1), record.get(2));
        let given = |field: Option<&str>| field.filter(|text| !text.is_empty()).map(str::to_owned);
        let address = match Address::parse(host) {
            Ok(address) => address,
            Err(cause) => {
                import.leave(vec![LeftOut::new(&format!("line {line}"), "host", None, cause)]);
                continue;
            }
        };
        let is_url = address.tls.is_some();
        let mut draft = draft_of(address);
        draft.user = given(user).or(draft.user);
        if let Some(preset) = given(preset) {
            draft.preset("preset", &preset, is_url);
        }
        if record.len() > 3 {
            draft.leave("columns", None, "after the third nothing is read");
        }
        draft.finish(&mut import);
    }
    Ok(import)
}

/// The session an address describes; CIM-XML over TLS where it does not say otherwise.
fn draft_of(address: Address) -> Draft {
    let scheme = address.scheme.unwrap_or(match address.path.as_deref() {
        Some("/wsman") => Scheme::WsMan,
        _ => Scheme::CimXml,
    });
    let mut draft = Draft::new(&address.host, scheme);
    draft.computer.clone_from(&address.host);
    draft.tls = address.tls.unwrap_or(true);
    draft.port = address.port;
    draft.user = address.user;
    if let Some(path) = address.path {
        draft.path("path", &path);
    }
    if let Some(password) = address.password {
        draft.password("password", password);
    }
    for (key, value) in address.query {
        match key.as_str() {
            "namespace" => draft.namespace(&key, &value),
            "no_ssl_verify" if value == "yes" => draft.unchecked(Unchecked::Both),
            "no_ssl_verify" => {}
            _ => draft.leave_unknown(&key),
        }
    }
    draft
}
