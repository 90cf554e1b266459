//! The fuzz targets, compiled as they are with a stand-in for libFuzzer, so that none falls behind what it fuzzes.

macro_rules! targets {
    ($($name:ident = $path:literal),* $(,)?) => {
        $(
            #[allow(dead_code, unused_attributes, clippy::module_inception)]
            #[path = $path]
            mod $name;
        )*

        /// Every target, by its name.
        const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($name), $name::run)),*];
    };
}

targets! {
    challenge = "../../fuzz/fuzz_targets/challenge.rs",
    datetime = "../../fuzz/fuzz_targets/datetime.rs",
    decoder = "../../fuzz/fuzz_targets/decoder.rs",
    fault = "../../fuzz/fuzz_targets/fault.rs",
    framer = "../../fuzz/fuzz_targets/framer.rs",
    mof = "../../fuzz/fuzz_targets/mof.rs",
    path = "../../fuzz/fuzz_targets/path.rs",
    wsman = "../../fuzz/fuzz_targets/wsman.rs",
}

/// What libFuzzer's macro of this name is called with, as a function.
#[macro_export]
macro_rules! fuzz_target {
    (|$data:ident: &[u8]| $body:expr) => {
        pub fn run($data: &[u8]) {
            $body
        }
    };
}

#[test]
fn every_target_is_listed_for_cargo_fuzz_and_takes_whatever_comes() {
    let manifest = include_str!("../../fuzz/Cargo.toml");
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/fuzz_targets")).unwrap();
    assert_eq!(files.count(), TARGETS.len(), "a target is missing here");
    for (name, run) in TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not in fuzz/Cargo.toml");
        for data in
            [&b""[..], b"\x0a\0\0\0\0<", b"\x0a\x01\x02\x03\x04\xff\xfe\0\0a=\"b\"", super::ODD_ANSWER, super::PAGE]
        {
            run(data);
        }
    }
}
