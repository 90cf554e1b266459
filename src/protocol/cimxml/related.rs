//! What is not enumerated by class: associations of an object, queries, qualifier types.
//!
//! Owns: which requests these take and what becomes of their answers. Must not know XML.

use std::sync::Arc;

use super::{
    decode::Expect,
    pull::Ways,
    request::{self, Filter, Request},
    run::{Running, fetch},
};
use crate::{
    cim::{CimName, ObjectPath},
    op::{ErrorKind, Names, OpError, OpEventKind, OperationKind, Phase, explain::answer::content},
    protocol::delivery::{Rows, room, take},
};

/// The query language asked for where none was named.
const DEFAULT_LANGUAGE: &str = "WQL";

impl Running<'_, '_> {
    /// Associators, References and their names, of an instance or of a class.
    pub(super) async fn associations(
        &mut self,
        object: &ObjectPath,
        result_class: Option<&CimName>,
    ) -> Result<(), OpError> {
        self.namespace = object.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        let mut rows = Rows::new(self.op, self.cx, self.namespace.clone(), fetch);
        rows.names_only = self.op.options.keys_only;
        rows.only = result_class.filter(|_| self.op.options.shallow).cloned();
        // Only the class of the source can tell what type its keys have.
        let class = match object.keys.is_empty() {
            true => None,
            false => rows.before(self.exchange, &object.class).await?,
        };
        let object = match &class {
            Some(class) => object.clone().typed_by(class),
            None => object.clone(),
        };
        let ways = self.ways_along(&object);
        self.enumerate(&ways, &mut rows).await
    }

    /// The requests for what is associated. Only of an instance can the answer be pulled.
    fn ways_along(&self, object: &ObjectPath) -> Ways {
        let (namespace, options) = (&self.namespace, &self.op.options);
        let (plain, open) = match &self.op.kind {
            OperationKind::AssociatorInstances { assoc_class, result_class, role, result_role, .. } => {
                let filter = Filter {
                    assoc_class: assoc_class.as_ref(),
                    result_class: result_class.as_ref(),
                    role: role.as_ref(),
                    result_role: result_role.as_ref(),
                };
                let open = request::open_associators(namespace, object, &filter, options);
                (request::associators(namespace, object, &filter, options), open)
            }
            OperationKind::ReferenceInstances { result_class, role, .. } => {
                let filter = Filter { result_class: result_class.as_ref(), role: role.as_ref(), ..Filter::default() };
                let open = request::open_references(namespace, object, &filter, options);
                (request::references(namespace, object, &filter, options), open)
            }
            _ => {
                let open = request::open_references(namespace, object, &Filter::default(), options);
                (request::references(namespace, object, &Filter::default(), options), open)
            }
        };
        let paths = options.keys_only;
        Ways {
            open: Some(open).filter(|_| !object.keys.is_empty()),
            pull: if paths { "PullInstancePaths" } else { "PullInstancesWithPath" },
            plain,
            expect: if paths { Expect::ObjectPaths } else { Expect::Objects },
        }
    }

    /// Asks and delivers rows, classes and names of classes, whichever come.
    pub(super) async fn objects(
        &mut self,
        request: Request,
        expect: Expect,
        rows: &mut Rows<'_, '_>,
    ) -> Result<(), OpError> {
        let mut left = self.op.options.max_rows;
        let mut reply = self.ask(request, expect).await?;
        while let Some(mut decoded) = reply.next().await? {
            let classes = std::mem::take(&mut decoded.classes);
            let mut names = std::mem::take(&mut decoded.class_names);
            if !rows.deliver(&mut reply, decoded.into()).await? {
                return Ok(());
            }
            for mut class in classes {
                // Not learned: what is associated need not be told whole (a property list).
                class.namespace.get_or_insert_with(|| self.namespace.clone());
                self.cx.sink.deliver(OpEventKind::Class(Arc::new(class))).await;
                if !take(&mut left, 1) {
                    return Ok(());
                }
            }
            names.truncate(room(left));
            if !names.is_empty() {
                let count = names.len();
                self.cx.sink.deliver(OpEventKind::Names(Names::Classes(names))).await;
                if !take(&mut left, count) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// ExecQuery.
    pub(super) async fn query(&mut self, query: &str) -> Result<(), OpError> {
        let mut rows = Rows::new(self.op, self.cx, self.namespace.clone(), fetch);
        rows.projected = !selects_all(query);
        let language = self.op.options.query_dialect.as_deref().unwrap_or(DEFAULT_LANGUAGE);
        let ways = Ways {
            open: Some(request::open_query(&self.namespace, language, query)),
            pull: "PullInstances",
            plain: request::exec_query(&self.namespace, language, query),
            expect: Expect::Objects,
        };
        self.enumerate(&ways, &mut rows).await
    }

    /// Asks for qualifier types and tells each; answers how many came.
    pub(super) async fn qualifiers(&mut self, request: Request) -> Result<u64, OpError> {
        let operation = request.operation();
        let result = async {
            let (mut left, mut told) = (self.op.options.max_rows, 0);
            let mut reply = self.ask(request, Expect::Qualifiers).await?;
            while let Some(decoded) = reply.next().await? {
                for declaration in decoded.qualifiers {
                    told += 1;
                    self.cx.sink.deliver(OpEventKind::Qualifier(Arc::new(declaration))).await;
                    if !take(&mut left, 1) {
                        return Ok(told);
                    }
                }
            }
            Ok(told)
        }
        .await;
        self.learn(operation, result)
    }

    /// GetQualifier.
    pub(super) async fn qualifier(&mut self, name: &CimName) -> Result<(), OpError> {
        if self.qualifiers(request::get_qualifier(&self.namespace, name)).await? > 0 {
            return Ok(());
        }
        let kind = ErrorKind::BadAnswer { offset: 0, item: None };
        Err(content::NO_QUALIFIER.error(Phase::Receive, self.cx.dial.peer_name(), kind))
    }
}

/// Whether a query selects every property: then one that was not sent is missing, else it was not asked for.
fn selects_all(query: &str) -> bool {
    let mut words = query.split_whitespace();
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("select")) && words.next() == Some("*")
}
