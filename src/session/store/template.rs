//! A sessions.toml to begin with.
//!
//! Owns: the commented template, made of the table of keys. Must not touch the file system.

use super::keys::KEYS;

/// The width keys and examples are padded to, so that what they are for stands in a column.
const COLUMN: usize = 44;

/// A file in which every key is explained and none is set.
pub fn template() -> String {
    let mut out = String::from(
        "# lazycim's sessions: one [[session]] each, shown in this order. Take the # away from what you want to set.\n\
         # Only id and computer are needed; everything else has the usual value, shown or told behind it.\n\
         # No password is ever in this file: `secret` says where it comes from.\n\
         version = 1\n\n# [[session]]\n",
    );
    for key in KEYS {
        let said = format!("# {} = {}", key.name, key.example);
        out.push_str(&format!("{said:<COLUMN$}  # {}\n", key.about));
    }
    out
}
