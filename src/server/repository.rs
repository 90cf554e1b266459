//! The classes the embedded server knows, and who provides their instances.
//!
//! Owns: loading our MOF once per process, inheritance, the namespaces and the table of providers. Must not know CIM-XML
//! or how a provider learns what it tells.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use super::provider::{self, Placed, Provider};
use crate::cim::{CimClass, CimName, Namespace, QualifierDeclaration, mof, resolve};

/// Where namespaces and the object manager are described.
pub(super) const INTEROP: &str = "root/interop";
/// Where the computer is described.
pub(super) const CIMV2: &str = "root/cimv2";

/// The files of `assets/` that make the schema.
const ASSETS: &[(&str, &str)] = &[
    ("qualifiers.mof", include_str!("../../assets/qualifiers.mof")),
    ("core.mof", include_str!("../../assets/core.mof")),
    ("system.mof", include_str!("../../assets/system.mof")),
    ("interop.mof", include_str!("../../assets/interop.mof")),
];
/// What each namespace is made of.
const NAMESPACES: &[(&str, &str)] = &[
    (CIMV2, "#pragma include (\"qualifiers.mof\")\n#pragma include (\"core.mof\")\n#pragma include (\"system.mof\")\n"),
    (
        INTEROP,
        "#pragma include (\"qualifiers.mof\")\n#pragma include (\"core.mof\")\n#pragma include (\"interop.mof\")\n",
    ),
];

/// Why the embedded schema could not be loaded. A build that passed its tests never shows this.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A file does not parse; the parser names file, line and column.
    #[error("embedded schema: {0}")]
    Mof(#[from] mof::MofError),
    /// A class breaks the rules of inheritance.
    #[error(transparent)]
    Inheritance(#[from] resolve::ResolveError),
}

/// A class with all it inherits, and its place in the tree.
#[derive(Debug)]
pub(super) struct SchemaClass {
    class: CimClass,
    index: HashMap<String, usize>,
    superclass: Option<usize>,
    subclasses: Vec<usize>,
}

impl SchemaClass {
    pub(super) fn new(class: CimClass, superclass: Option<usize>) -> Self {
        let index = class.properties.iter().enumerate().map(|(at, property)| (property.name.to_lower(), at)).collect();
        Self { class, index, superclass, subclasses: Vec::new() }
    }

    /// The class, with inherited elements marked as propagated.
    pub(super) const fn class(&self) -> &CimClass {
        &self.class
    }

    pub(super) const fn name(&self) -> &CimName {
        &self.class.name
    }

    /// Where the property `name` stands, without regard to case.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.index.get(&name.to_ascii_lowercase()).copied()
    }
}

/// The classes of one namespace.
#[derive(Debug)]
pub(super) struct Schema {
    namespace: Namespace,
    classes: Vec<SchemaClass>,
    by_name: HashMap<String, usize>,
    qualifiers: Vec<QualifierDeclaration>,
}

impl Schema {
    fn empty(namespace: &str) -> Self {
        Self {
            namespace: Namespace::new(namespace),
            classes: Vec::new(),
            by_name: HashMap::new(),
            qualifiers: Vec::new(),
        }
    }

    pub(super) const fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The class `name`, without regard to case.
    pub(super) fn class(&self, name: &CimName) -> Option<&SchemaClass> {
        self.position(name).and_then(|at| self.classes.get(at))
    }

    fn position(&self, name: &CimName) -> Option<usize> {
        self.by_name.get(&name.to_lower()).copied()
    }

    /// The classes below `name` (the root classes for `None`), only the next level or all of them, parents first.
    pub(super) fn below(&self, name: Option<&CimName>, deep: bool) -> Option<Vec<&SchemaClass>> {
        let start = match name {
            Some(name) => Some(self.position(name)?),
            None => None,
        };
        let children = |of: Option<usize>| -> Vec<usize> {
            match of {
                Some(at) => self.classes.get(at).map(|class| class.subclasses.clone()).unwrap_or_default(),
                None => (0..self.classes.len())
                    .filter(|at| self.classes.get(*at).is_some_and(|class| class.superclass.is_none()))
                    .collect(),
            }
        };
        let mut left = children(start);
        left.reverse();
        let mut found = Vec::new();
        while let Some(at) = left.pop() {
            found.extend(self.classes.get(at));
            if deep {
                left.extend(children(Some(at)).into_iter().rev());
            }
        }
        Some(found)
    }

    /// The qualifiers declared, in the order of their declarations.
    pub(super) fn qualifiers(&self) -> &[QualifierDeclaration] {
        &self.qualifiers
    }

    /// Whether `class` is `ancestor` or stands below it.
    pub(super) fn is_a(&self, class: &CimName, ancestor: &CimName) -> bool {
        let mut at = self.position(class);
        while let Some(class) = at.and_then(|at| self.classes.get(at)) {
            if class.name() == ancestor {
                return true;
            }
            at = class.superclass;
        }
        false
    }

    fn add(&mut self, class: &CimClass) -> Result<(), RepositoryError> {
        let mut class = resolve::full(class, |name| self.class(name).map(SchemaClass::class))?;
        class.namespace = Some(self.namespace.clone());
        let superclass = class.superclass.as_ref().and_then(|name| self.position(name));
        let at = self.classes.len();
        self.by_name.insert(class.name.to_lower(), at);
        self.classes.push(SchemaClass::new(class, superclass));
        if let Some(parent) = superclass.and_then(|parent| self.classes.get_mut(parent)) {
            parent.subclasses.push(at);
        }
        Ok(())
    }
}

/// Classes and providers together.
pub(super) struct Repository {
    schemas: Arc<Vec<Schema>>,
    host: String,
    providers: Vec<Placed>,
}

impl Repository {
    /// The repository of this computer. The MOF is read once per process.
    pub(super) fn embedded() -> Result<Self, RepositoryError> {
        static SCHEMAS: OnceLock<Result<Arc<Vec<Schema>>, RepositoryError>> = OnceLock::new();
        let schemas = SCHEMAS.get_or_init(|| load().map(Arc::new)).clone()?;
        let names = schemas.iter().map(|schema| schema.namespace.clone()).collect();
        let (host, providers) = provider::all(names);
        Ok(Self { schemas, host, providers })
    }

    /// The classes of `namespace`.
    pub(super) fn schema(&self, namespace: &Namespace) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.namespace() == namespace)
    }

    /// All namespaces that hold classes.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = &Namespace> {
        self.schemas.iter().map(Schema::namespace)
    }

    /// The computer's name, for the paths that need one.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Every provider of a namespace, with the class each one serves.
    pub(super) fn all_providers<'a>(
        &'a self,
        schema: &'a Schema,
    ) -> impl Iterator<Item = (&'a SchemaClass, &'a dyn Provider)> {
        let served = self.providers.iter().filter(|(namespace, _)| namespace == schema.namespace());
        served.filter_map(|(_, provider)| Some((schema.class(&CimName::new(provider.class()))?, provider.as_ref())))
    }

    /// The providers of `class` and of everything below it, with the class each one serves.
    pub(super) fn providers<'a>(
        &'a self,
        schema: &'a Schema,
        class: &'a CimName,
    ) -> impl Iterator<Item = (&'a SchemaClass, &'a dyn Provider)> {
        self.providers.iter().filter_map(move |(namespace, provider)| {
            let served = CimName::new(provider.class());
            if namespace != schema.namespace() || !schema.is_a(&served, class) {
                return None;
            }
            Some((schema.class(&served)?, provider.as_ref()))
        })
    }
}

/// The embedded files, as the parser asks for them.
struct Assets;

impl mof::Library for Assets {
    fn include(&mut self, path: &str) -> Result<String, String> {
        let found = ASSETS.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| format!("assets/{path} is not embedded"))
    }
}

fn load() -> Result<Vec<Schema>, RepositoryError> {
    NAMESPACES
        .iter()
        .map(|(namespace, text)| {
            let mut schema = Schema::empty(namespace);
            let unit = mof::parse("embedded.mof", text, &mut Assets)?;
            schema.qualifiers.extend(unit.qualifiers().cloned());
            unit.classes().try_for_each(|class| schema.add(class))?;
            Ok(schema)
        })
        .collect()
}
