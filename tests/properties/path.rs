//! What must hold of object paths, whatever is read as one.
//!
//! What was read prints, in both spellings, as text that is read as the same path, and then prints the same again. Text in
//! single quotes, which is never a reference, may become one: it prints in double quotes.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use lazycim::cim::ObjectPath;

/// Reads `data` as a path.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let path = match text.parse::<ObjectPath>() {
        Ok(path) => path,
        Err(error) => {
            assert!((1..=text.chars().count() + 1).contains(&error.at), "{error} in {text:?}");
            return;
        }
    };
    for (printed, again) in
        [(path.to_string(), ObjectPath::to_string as fn(&_) -> _), (path.to_wmi(), ObjectPath::to_wmi)]
    {
        match printed.parse::<ObjectPath>() {
            Ok(back) => {
                if back == path {
                    assert_eq!(hash(&back), hash(&path), "equal paths hash alike");
                    assert_eq!(again(&back), printed);
                } else {
                    assert!(text.contains('\''), "{path:?} printed as {printed:?} is read as {back:?}");
                    assert_eq!(again(&back).parse::<ObjectPath>().as_ref(), Ok(&back));
                }
            }
            Err(error) => panic!("{printed:?}: {error}"),
        }
    }
}

fn hash(path: &ObjectPath) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
