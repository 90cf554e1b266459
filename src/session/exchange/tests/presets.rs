//! The presets parse, and hold no more than their head says.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Presets {
    preset: Vec<Preset>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preset {
    name: String,
    title: String,
    about: String,
    needs: Vec<String>,
    session: toml::Table,
    namespaces: Vec<String>,
    bookmarks: Vec<String>,
    danger: Vec<Danger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Danger {
    class: String,
    reason: String,
}

#[test]
fn presets_have_their_form_and_no_secrets() {
    let Presets { preset } = toml::from_str(include_str!("../../../../config/presets.toml")).unwrap();
    let mut names: Vec<_> = preset.iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), preset.len(), "two presets have one name");
    for name in ["winrm-http", "wmi-dcom", "pegasus", "esxi", "idrac", "amt", "hitachi", "zos"] {
        assert!(names.contains(&name), "{name} is missing");
    }
    let known = ["wsman", "dcom", "negotiate", "digest"];
    for one in &preset {
        assert!(!one.title.is_empty() && one.about.ends_with('.'), "{one:?}");
        assert!(one.needs.iter().all(|need| known.contains(&need.as_str())), "{one:?}");
        let keys = ["protocol", "port", "path", "namespace", "tls", "auth"];
        assert!(one.session.keys().all(|key| keys.contains(&key.as_str())), "{one:?}");
        let is_wsman = one.session.get("protocol").and_then(toml::Value::as_str) == Some("wsman");
        assert_eq!(is_wsman, one.needs.iter().any(|need| need == "wsman"), "{one:?}");
        // Who connects, and with what, is the session's; no preset turns a check off.
        let auth = one.session.get("auth").and_then(toml::Value::as_table);
        assert!(auth.is_none_or(|auth| auth.keys().all(|key| key == "mechanism")), "{one:?}");
        let tls = one.session.get("tls").and_then(toml::Value::as_table);
        assert!(tls.is_none_or(|tls| tls.keys().all(|key| key == "use")), "{one:?}");
        let namespace = one.session.get("namespace").and_then(toml::Value::as_str);
        assert!(namespace.is_none_or(|namespace| one.namespaces.iter().any(|known| known == namespace)), "{one:?}");
        for class in one.bookmarks.iter().chain(one.danger.iter().map(|danger| &danger.class)) {
            assert!(crate::cim::CimName::new(class).is_well_formed(), "{class}");
        }
        assert!(one.danger.iter().all(|danger| !danger.reason.is_empty()), "{one:?}");
    }
}
