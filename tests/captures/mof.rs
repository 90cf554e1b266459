//! The MOF files the captured servers were loaded with.

use std::path::Path;

use lazycim::cim::{
    CimClass, CimName, Namespace,
    mof::{self, Library, NoLibrary},
};
use libtest_mimic::{Failed, Trial};

/// Knows the classes of `lab_classes.mof`.
struct Lab(Vec<CimClass>);

impl Library for Lab {
    fn include(&mut self, path: &str) -> Result<String, String> {
        Err(format!("{path} is not to be included"))
    }

    fn class(&self, _namespace: Option<&Namespace>, name: &CimName) -> Option<CimClass> {
        self.0.iter().find(|class| class.name == *name).cloned()
    }
}

/// The trials.
pub fn trials(folder: &Path) -> Vec<Trial> {
    let trial = |file: &'static str, instances: usize| {
        let folder = folder.to_owned();
        Trial::test(format!("{file} parses"), move || parses(&folder, file, instances))
    };
    vec![trial("lab_classes.mof", 0), trial("lab_instances.mof", 10), trial("lab_links.mof", 2)]
}

fn parses(folder: &Path, file: &str, instances: usize) -> Result<(), Failed> {
    let read = |file: &str| std::fs::read_to_string(folder.join(file));
    let classes = mof::parse("lab_classes.mof", &read("lab_classes.mof")?, &mut NoLibrary)?;
    let mut lab = Lab(classes.classes().cloned().collect());
    if lab.0.len() != 6 {
        return Err(format!("6 classes expected, {} found", lab.0.len()).into());
    }
    let unit = mof::parse(file, &read(file)?, &mut lab)?;
    if unit.instances().count() != instances {
        return Err(format!("{instances} instances expected, {} found", unit.instances().count()).into());
    }
    match unit.instances().find(|instance| instance.path.is_none()) {
        Some(pathless) => Err(format!("an instance of {} has no path", pathless.class).into()),
        None => Ok(()),
    }
}
