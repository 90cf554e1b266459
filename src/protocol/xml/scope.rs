//! XML namespaces (Namespaces in XML 1.0): which namespace a prefix stands for here.
//!
//! Owns: [`Scope`], the declarations in force, and [`Qualified`], a cursor over an item that keeps them. Must not know any
//! namespace but that of `xml`.

use quick_xml::events::BytesStart;

use super::{
    fault::{DecodeError, Fault},
    reader::{Read, Xml},
};

/// The most declarations in force at one place.
const MAX_BINDINGS: usize = 1_024;
/// What the prefix `xml` stands for everywhere.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The declarations in force, innermost last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    bindings: Vec<(Box<str>, Box<str>)>,
    /// How many were in force outside each open element.
    marks: Vec<usize>,
}

impl Scope {
    /// An element opens: its declarations come into force. `xml` tells where errors are.
    ///
    /// # Errors
    /// Ill-formed attributes, too many declarations.
    pub fn open(&mut self, xml: &Xml<'_>, tag: &BytesStart<'_>) -> Read<()> {
        self.marks.push(self.bindings.len());
        for attribute in tag.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| xml.error(format!("ill-formed attribute: {error}")).of(Fault::IllFormed))?;
            let key: &str = attribute.key.as_ref();
            let Some(rest) = key.strip_prefix("xmlns") else { continue };
            let prefix = match rest.strip_prefix(':') {
                Some(prefix) => prefix,
                None if rest.is_empty() => "",
                None => continue,
            };
            if self.bindings.len() >= MAX_BINDINGS {
                return Err(xml.error(format!("more than {MAX_BINDINGS} namespace declarations are in force")));
            }
            let namespace = xml.attribute_value(attribute.value)?;
            xml.check_name(prefix)?;
            xml.check_name(&namespace)?;
            self.bindings.push((Box::from(prefix), Box::from(&*namespace)));
        }
        Ok(())
    }

    /// The element opened last ends.
    pub fn close(&mut self) {
        if let Some(mark) = self.marks.pop() {
            self.bindings.truncate(mark);
        }
    }

    /// What `prefix` is declared for here, innermost first; the empty prefix is the default namespace.
    fn declared(&self, prefix: &str) -> Option<&str> {
        self.bindings.iter().rev().find(|(known, _)| &**known == prefix).map(|(_, namespace)| &**namespace)
    }

    /// The namespace `prefix` stands for; `None` where it stands for none.
    pub fn namespace(&self, prefix: &str) -> Option<&str> {
        known(prefix, self.declared(prefix))
    }
}

fn known<'n>(prefix: &str, declared: Option<&'n str>) -> Option<&'n str> {
    if prefix == "xml" { Some(XML) } else { declared.filter(|namespace| !namespace.is_empty()) }
}

/// A name as written, in its prefix and local name.
pub fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// A cursor over an item, with the namespaces in force at each place.
#[derive(Debug)]
pub struct Qualified<'a> {
    /// The cursor underneath. Elements must be begun and ended through [`Qualified`].
    pub xml: Xml<'a>,
    outer: &'a Scope,
    inner: Scope,
}

impl<'a> Qualified<'a> {
    /// A cursor over the item `xml` reads, which stands where `outer` is in force.
    pub fn new(xml: Xml<'a>, outer: &'a Scope) -> Self {
        Self { xml, outer, inner: Scope::default() }
    }

    /// The next child's start tag, or `None` at the end of the element the cursor is in, or of the item.
    ///
    /// # Errors
    /// As [`Xml::token`] and [`Scope::open`].
    pub fn child(&mut self) -> Read<Option<BytesStart<'a>>> {
        match self.xml.child()? {
            Some(tag) => {
                self.inner.open(&self.xml, &tag)?;
                Ok(Some(tag))
            }
            None => {
                self.inner.close();
                Ok(None)
            }
        }
    }

    /// Passes over the rest of the element `tag` began.
    ///
    /// # Errors
    /// Ill-formed XML.
    pub fn skip(&mut self, tag: &BytesStart<'_>) -> Read<()> {
        self.inner.close();
        self.xml.skip(tag)
    }

    /// The character data of the element `tag` began.
    ///
    /// # Errors
    /// As [`Xml::content`].
    pub fn content(&mut self, tag: &BytesStart<'_>) -> Read<std::borrow::Cow<'a, str>> {
        self.inner.close();
        self.xml.content(tag)
    }

    /// Reads the rest of the element begun last with a reader that knows no namespaces.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn plainly<T>(&mut self, read: impl FnOnce(&mut Xml<'a>) -> Read<T>) -> Read<T> {
        self.inner.close();
        read(&mut self.xml)
    }

    /// The qualified name that the element `tag` began holds as its text: namespace, empty for none, and local name.
    ///
    /// # Errors
    /// As [`Xml::content`]; the name is too long.
    pub fn name(&mut self, tag: &BytesStart<'_>) -> Read<(String, String)> {
        let text = self.xml.content(tag)?;
        let text = text.trim_ascii();
        self.xml.check_name(text)?;
        let (prefix, local) = split(text);
        // The element itself may declare the prefix.
        let namespace = self.namespace(prefix).unwrap_or_default().to_owned();
        self.inner.close();
        Ok((namespace, local.to_owned()))
    }

    /// The namespace `prefix` stands for here; `None` where it stands for none.
    pub fn namespace(&self, prefix: &str) -> Option<&str> {
        known(prefix, self.inner.declared(prefix).or_else(|| self.outer.declared(prefix)))
    }

    /// Whether `tag` is the element `local` of one of `namespaces`.
    pub fn is(&self, tag: &BytesStart<'_>, namespaces: &[&str], local: &str) -> bool {
        let name = tag.name();
        let (prefix, own) = split(name.as_ref());
        own == local && self.namespace(prefix).is_some_and(|namespace| namespaces.contains(&namespace))
    }

    /// The value of the attribute `local` of `namespace` of `tag`. An attribute without a prefix is in no namespace.
    ///
    /// # Errors
    /// As [`Xml::attributes`].
    pub fn attribute(&self, tag: &BytesStart<'_>, namespace: &str, local: &str) -> Read<Option<String>> {
        let mut found = None;
        self.xml.attributes(tag, |key, value| {
            if let Some((prefix, own)) = key.split_once(':')
                && own == local
                && self.namespace(prefix) == Some(namespace)
            {
                found = Some(value.into_owned());
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// An error here.
    pub fn error(&self, message: impl Into<String>) -> DecodeError {
        self.xml.error(message)
    }
}
