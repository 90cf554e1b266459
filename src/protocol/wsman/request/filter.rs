//! Filters: which instances of a resource an enumeration brings (DSP0226 section 8.3, DSP0227 section 8).
//!
//! Owns: the dialects and how each is written. Must not know which of them a server has.

use super::{escape, push_selector, resource::Naming, write_reference};
use crate::{
    cim::{CimName, Namespace, ObjectPath},
    op::QueryLanguage,
};

/// WQL, as servers call it.
const WQL: &str = "http://schemas.microsoft.com/wbem/wsman/1/WQL";
/// CQL (DSP0202).
const CQL: &str = "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf";
/// Values of properties (DSP0226 annex E).
const SELECTORS: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter";
/// Associations of an object (DSP0227 section 8.2).
const ASSOCIATIONS: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter<'a> {
    /// A query.
    Query {
        /// The dialect's URI.
        dialect: &'a str,
        /// Its text.
        text: &'a str,
    },
    /// Instances whose properties have these values.
    Selectors(&'a [(&'a str, &'a str)]),
    /// What is associated with an object.
    Associated(Along<'a>),
    /// The associations of an object; of the restrictions, class and role of the result alone.
    Associations(Along<'a>),
}

/// An object and what of its associations is wanted. Everything, where nothing is named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Along<'a> {
    /// The object.
    pub object: &'a ObjectPath,
    /// `AssociationClassName`
    pub association: Option<&'a CimName>,
    /// `Role`
    pub role: Option<&'a CimName>,
    /// `ResultClassName`
    pub result: Option<&'a CimName>,
    /// `ResultRole`
    pub result_role: Option<&'a CimName>,
}

/// The URI of a query language by any name it goes by; what is none of them is taken for a URI.
pub fn dialect(language: &str) -> &str {
    let is = |known: QueryLanguage| {
        let short = known.identifier().trim_start_matches("DMTF:");
        language.eq_ignore_ascii_case(known.identifier()) || language.eq_ignore_ascii_case(short)
    };
    match language {
        _ if is(QueryLanguage::Wql) => WQL,
        _ if is(QueryLanguage::Cql) => CQL,
        other => other,
    }
}

impl Filter<'_> {
    pub(super) fn write(
        &self,
        namespace: &Namespace,
        naming: Naming<'_>,
        out: &mut String,
        unsendable: &mut Option<char>,
    ) {
        out.push_str("<w:Filter Dialect=\"");
        match self {
            Self::Query { dialect, text } => {
                escape(dialect, out, unsendable);
                out.push_str("\">");
                escape(text, out, unsendable);
            }
            Self::Selectors(selectors) => {
                out.push_str(SELECTORS);
                out.push_str("\"><w:SelectorSet>");
                for (name, value) in *selectors {
                    push_selector(name, value, out, unsendable);
                }
                out.push_str("</w:SelectorSet>");
            }
            Self::Associated(along) => {
                out.push_str(&format!("{ASSOCIATIONS}\"><b:AssociatedInstances>"));
                along.write(namespace, naming, out, unsendable);
                out.push_str("</b:AssociatedInstances>");
            }
            Self::Associations(along) => {
                let along = Along { association: None, result_role: None, ..*along };
                out.push_str(&format!("{ASSOCIATIONS}\"><b:AssociationInstances>"));
                along.write(namespace, naming, out, unsendable);
                out.push_str("</b:AssociationInstances>");
            }
        }
        out.push_str("</w:Filter>");
    }
}

impl Along<'_> {
    fn write(&self, namespace: &Namespace, naming: Naming<'_>, out: &mut String, unsendable: &mut Option<char>) {
        out.push_str("<b:Object>");
        let namespace = self.object.namespace.as_ref().unwrap_or(namespace);
        write_reference(self.object, namespace, naming, out, unsendable);
        out.push_str("</b:Object>");
        let restrictions = [
            ("AssociationClassName", self.association),
            ("Role", self.role),
            ("ResultClassName", self.result),
            ("ResultRole", self.result_role),
        ];
        for (element, name) in restrictions {
            let Some(name) = name else { continue };
            out.push_str(&format!("<b:{element}>"));
            escape(name.as_str(), out, unsendable);
            out.push_str(&format!("</b:{element}>"));
        }
    }
}
