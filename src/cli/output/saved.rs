//! Saved sessions, for `sessions`.
//!
//! Owns: their columns and objects in every format. Must not choose sessions, and must not know a secret.

use serde::Serialize;

use super::{Screen, csv::put_record, json, table::put_aligned};
use crate::{cli::args::RowFormat, session::Profile};

/// What a session is listed with, in this order: what a narrow screen must not cut off stands before what may be long.
#[derive(Serialize)]
struct Row<'p> {
    id: &'p str,
    computer: Option<&'p str>,
    protocol: &'p str,
    port: u16,
    tls: bool,
    dangers: Vec<&'static str>,
    read_only: bool,
    user: Option<&'p str>,
    tags: &'p [String],
    name: &'p str,
}

const COLUMNS: [&str; 10] =
    ["id", "computer", "protocol", "port", "tls", "dangers", "read_only", "user", "tags", "name"];

impl<'p> Row<'p> {
    fn of(profile: &'p Profile) -> Self {
        let target = &profile.target;
        Self {
            id: profile.id.as_str(),
            computer: target.computer.as_deref(),
            protocol: &target.protocol,
            port: target.port,
            tls: target.tls.is_some(),
            dangers: target.dangers(),
            read_only: target.read_only,
            user: target.user.as_deref(),
            tags: &profile.tags,
            name: &profile.name,
        }
    }

    /// The row in words.
    fn cells(&self) -> Vec<String> {
        let yes = |it: bool| if it { "yes" } else { "no" }.to_owned();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        vec![
            self.id.to_owned(),
            text(self.computer),
            self.protocol.to_owned(),
            self.port.to_string(),
            yes(self.tls),
            self.dangers.join(", "),
            yes(self.read_only),
            text(self.user),
            self.tags.join(", "),
            self.name.to_owned(),
        ]
    }

    fn record(&self) -> [Option<String>; COLUMNS.len()] {
        let list = |texts: serde_json::Value| Some(texts.to_string());
        [
            Some(self.id.to_owned()),
            self.computer.map(str::to_owned),
            Some(self.protocol.to_owned()),
            Some(self.port.to_string()),
            Some(self.tls.to_string()),
            list(self.dangers.clone().into()),
            Some(self.read_only.to_string()),
            self.user.map(str::to_owned),
            list(self.tags.into()),
            Some(self.name.to_owned()),
        ]
    }
}

/// `sessions` in `format`.
pub(in crate::cli) fn list_sessions(format: RowFormat, sessions: &[&Profile], screen: Screen) -> Vec<u8> {
    let rows: Vec<Row<'_>> = sessions.iter().map(|profile| Row::of(profile)).collect();
    let mut out = Vec::new();
    match format {
        RowFormat::Table => put_aligned(&COLUMNS, &rows.iter().map(Row::cells).collect::<Vec<_>>(), screen, &mut out),
        RowFormat::Csv => {
            put_record(COLUMNS.iter().map(|name| Some((*name).to_owned())), screen, &mut out);
            rows.iter().for_each(|row| put_record(row.record().into_iter(), screen, &mut out));
        }
        RowFormat::Json => objects(json::Frame::Array, rows.iter(), &mut out),
        RowFormat::Ndjson => objects(json::Frame::Lines, rows.iter(), &mut out),
    }
    out
}

/// Keys with their values and where those come from, as one JSON array.
pub(in crate::cli) fn list_values(values: impl Iterator<Item = (&'static str, serde_json::Value, String)>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Said {
        key: &'static str,
        value: serde_json::Value,
        source: String,
    }
    let mut out = Vec::new();
    objects(json::Frame::Array, values.map(|(key, value, source)| Said { key, value, source }), &mut out);
    out
}

fn objects(frame: json::Frame, objects: impl Iterator<Item = impl Serialize>, out: &mut Vec<u8>) {
    let mut writer = json::Writer::new(frame);
    // Texts, numbers and lists of them can always be written.
    objects.filter_map(|object| serde_json::to_string(&object).ok()).for_each(|object| writer.item(None, &object, out));
    writer.end(out);
}
