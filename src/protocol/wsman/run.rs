//! Operations as sequences of requests, and their answers as events.
//!
//! Owns: which requests an operation takes, the ways tried one after the other where servers differ, what is learned about the
//! server. Must not know XML, or how rows are completed.

use std::sync::Arc;

use super::{
    call::{Reading, Reply, ask, identify, is_elsewhere},
    classes::fetch,
    decode::{Decoded, Expect},
    discover,
    narrowing::{Projected, Spares, says_no},
    picking::has_no_get,
    pull::{Pulling, Takes},
    request::{self, Along, Enumeration, Filter, Mode, Polymorphism, Request, dialect},
    resource::{AllClasses, Naming, Style},
    typing::typed,
};
use crate::{
    cim::{CimClass, CimName, CimStatus, Namespace, ObjectPath},
    op::{BoxFuture, ErrorKind, OpError, Operation, OperationKind, Phase, Purpose, explain::answer::content},
    protocol::{
        OpContext,
        delivery::{Rows, status_of, with_facts},
    },
    wire::Exchange,
};

/// The query language asked for where none was named.
const DEFAULT_LANGUAGE: &str = "WQL";

/// Runs `op`.
///
/// # Errors
/// Why it failed; what was delivered before stays.
pub async fn run(op: &Operation, cx: &OpContext<'_>) -> Result<(), OpError> {
    let mut exchange = cx.dial.dial(Purpose::Server);
    let namespace = op.options.namespace.clone().unwrap_or_else(|| cx.target.namespace.clone());
    let mut running = Running { op, cx, namespace, exchange: &mut *exchange };
    match &op.kind {
        OperationKind::TestConnection => running.test().await,
        OperationKind::EnumerateNamespaces => discover::namespaces(op, cx, running.exchange).await,
        OperationKind::EnumerateClasses { parent, deep, names_only } => {
            running.classes(parent.as_ref(), *deep, *names_only).await
        }
        OperationKind::GetClass { class } => running.class(class).await,
        OperationKind::EnumerateInstances { class } => running.instances(class).await,
        OperationKind::GetInstance { path } => running.instance(path).await,
        OperationKind::AssociatorInstances { object, .. } | OperationKind::ReferenceInstances { object, .. }
            if object.keys.is_empty() =>
        {
            Err(running.not_here())
        }
        OperationKind::AssociatorInstances { object, assoc_class, result_class, role, result_role } => {
            let along = Along {
                object,
                association: assoc_class.as_ref(),
                role: role.as_ref(),
                result: result_class.as_ref(),
                result_role: result_role.as_ref(),
            };
            running.related(along, Filter::Associated).await
        }
        OperationKind::ReferenceInstances { object, result_class, role } => {
            let (role, result) = (role.as_ref(), result_class.as_ref());
            let along = Along { object, association: None, role, result, result_role: None };
            running.related(along, Filter::Associations).await
        }
        OperationKind::QueryInstances { query } => running.query(query).await,
        OperationKind::Subscribe { query } => running.subscribe(query).await,
        OperationKind::EnumerateQualifiers | OperationKind::GetQualifier { .. } => Err(running.not_here()),
    }
}

/// One operation on its way.
pub(super) struct Running<'r, 'c> {
    pub(super) op: &'r Operation,
    pub(super) cx: &'r OpContext<'c>,
    pub(super) namespace: Namespace,
    pub(super) exchange: &'r mut dyn Exchange,
}

/// One way to the same objects.
struct Way {
    open: Request,
    expect: Expect,
    learned: Learned,
    /// What it spares, compared with the way behind it. That is no condition: what it is refused for tells nothing of the
    /// operation.
    spares: Option<Spares>,
}

/// What a query is about.
pub(super) struct Querying<'r, 'c> {
    pub(super) rows: Rows<'r, 'c>,
    pub(super) language: &'r str,
    pub(super) class: Option<CimName>,
    pub(super) known: Option<Arc<CimClass>>,
}

/// What is known about a server once a way worked.
#[derive(Clone, Copy, Default)]
struct Learned {
    style: Option<Style>,
    all_classes: Option<AllClasses>,
    no_eprs: bool,
    no_references: bool,
}

impl Learned {
    /// What is known once a way worked that was gone after `refused`.
    fn after(refused: &[(Mode, Expect)]) -> Self {
        let has = |mode| refused.iter().any(|(refused, _)| *refused == mode);
        Self { no_eprs: has(Mode::Epr), no_references: has(Mode::ObjectAndEpr), ..Self::default() }
    }
}

impl<'r, 'c> Running<'r, 'c> {
    /// What the operation is called where something of it is released.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.op.name(), self.op.subject()).trim_end().to_owned()
    }

    pub(super) fn not_here(&self) -> OpError {
        content::NOT_IN_WSMAN.error(Phase::Send, self.cx.dial.peer_name(), ErrorKind::NotSupported)
    }

    /// Identify. A fault is proof too, unless it refuses the user: only a WS-Man server answers one.
    async fn test(&mut self) -> Result<(), OpError> {
        let answered = async {
            let mut reply = identify(self.cx, self.exchange).await?;
            while reply.next().await?.is_some() {}
            Ok::<(), OpError>(())
        };
        match answered.await {
            Err(error) if error.kind == ErrorKind::NotSupported => Ok(()),
            Err(error) if status_of(&error).is_some_and(|status| status != CimStatus::ACCESS_DENIED) => Ok(()),
            answered => answered,
        }
    }

    /// Rows of this operation. No request of WS-Man names the properties wanted, a query excepted.
    pub(super) fn rows(&self) -> Rows<'r, 'c> {
        let mut rows = Rows::new(self.op, self.cx, self.namespace.clone(), fetch);
        rows.types = Some(typed);
        rows.is_elsewhere = is_elsewhere;
        rows.narrowed = self.op.options.property_list.clone().filter(|_| !self.op.options.keys_only);
        rows
    }

    /// The style the session fixes, or the one the server took.
    pub(super) fn style(&self) -> Option<Style> {
        Style::fixed(self.cx.target.wsman.uri_style).or_else(|| with_facts(self.cx, |facts| facts.wsman.style))
    }

    /// How classes are named in `style`.
    pub(super) fn naming(&self, style: Style) -> Naming<'c> {
        Naming { style, vendors: &self.cx.target.wsman.vendor_namespaces }
    }

    /// The styles worth trying for a class; the URI given by hand is the only one.
    fn resources(&self, class: &CimName) -> Vec<(String, Style)> {
        let known = self.style();
        let named = |style: Style| (self.naming(style).class(&self.namespace, class), style);
        match (&self.op.options.resource_uri, known) {
            (Some(uri), style) => vec![(uri.clone(), style.unwrap_or_default())],
            (None, Some(style)) => vec![named(style)],
            (None, None) => [Style::Schema, Style::Wmi].map(named).into(),
        }
    }

    /// How objects are asked for. Where the class tells the keys, instances suffice; else their references are wanted too.
    /// Of keys alone the references are enough, where the server sends them without the objects.
    pub(super) fn modes(&self, knows_keys: bool) -> Vec<(Mode, Expect)> {
        let (no_eprs, no_references) = with_facts(self.cx, |facts| (facts.wsman.no_eprs, facts.wsman.no_references));
        let object = (Mode::Object, Expect::Instances);
        if self.op.options.keys_only {
            let modes = [(Mode::Epr, no_eprs), (Mode::ObjectAndEpr, no_references), (Mode::Object, !knows_keys)];
            let modes = modes.into_iter().filter(|(_, is_refused)| !is_refused);
            let modes: Vec<_> = modes.map(|(mode, _)| (mode, Expect::InstanceNames)).collect();
            if modes.is_empty() { vec![(Mode::Epr, Expect::InstanceNames)] } else { modes }
        } else if knows_keys || no_references {
            vec![object]
        } else {
            vec![(Mode::ObjectAndEpr, Expect::ObjectsAndEprs), object]
        }
    }

    async fn instances(&mut self, class: &CimName) -> Result<(), OpError> {
        let mut rows = self.rows();
        rows.only = self.op.options.shallow.then(|| class.clone());
        rows.names_only = self.op.options.keys_only;
        let known = rows.before(self.exchange, class).await?;
        let condition = self.condition(class).map(|condition| format!("SELECT * FROM {class} WHERE {condition}"));
        let filter = self.op.options.filter.as_ref().map(|filter| {
            let text = condition.as_deref().unwrap_or(&filter.text);
            Filter::Query { dialect: dialect(&filter.language), text }
        });
        let modes = self.modes(known.as_ref().is_some_and(|class| class.keys().next().is_some()));
        let mut ways = Vec::new();
        if let Some((resource, query)) = known.as_deref().and_then(|class| self.projection(class)) {
            let filter = Some(Filter::Query { dialect: dialect(DEFAULT_LANGUAGE), text: &query });
            let how = Enumeration { filter, ..Enumeration::default() };
            let open = request::enumerate(&self.namespace, &resource, &how, Style::Schema);
            let (expect, learned) = (Expect::Instances, Learned::default());
            ways.push(Way { open, expect, learned, spares: Some(Spares::Properties) });
        }
        let resources = match condition {
            Some(_) => self.all_classes(Some(class)).into_iter().map(|(uri, all)| (uri, None, all)).collect::<Vec<_>>(),
            None => self.resources(class).into_iter().map(|(uri, style)| (uri, Some(style), None)).collect(),
        };
        for (resource, style, all_classes) in resources {
            for (index, (mode, expect)) in modes.iter().enumerate() {
                let learned = Learned { style, all_classes, ..Learned::after(&modes[..index]) };
                let subclasses = style.and_then(|style| self.subclasses_spared(style, known.as_deref()));
                for spares in subclasses.into_iter().map(Some).chain([None]) {
                    let polymorphism = spares.map(|_| Polymorphism::Without);
                    let how = Enumeration { mode: *mode, polymorphism, filter: filter.clone() };
                    let naming = self.naming(style.unwrap_or_default());
                    let open = request::enumerate(&self.namespace, &resource, &how, naming);
                    ways.push(Way { open, expect: expect.clone(), learned, spares });
                }
            }
        }
        self.enumerate(ways, known, &mut rows).await
    }

    async fn instance(&mut self, path: &ObjectPath) -> Result<(), OpError> {
        self.namespace = path.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        let mut rows = self.rows();
        let class = rows.before(self.exchange, &path.class).await?;
        let path = match &class {
            Some(class) => path.clone().typed_by(class),
            None => path.clone(),
        };
        let path = ObjectPath { host: None, namespace: Some(self.namespace.clone()), ..path };
        let fragment_refused = match self.one_property(&path, &class, &mut rows).await? {
            Some(true) => return Ok(()),
            told => told == Some(false),
        };
        let (mut first, mut without_get) = (None, None);
        for (index, (resource, style)) in self.resources(&path.class).into_iter().enumerate() {
            let request = request::get(&self.namespace, &resource, &path, self.naming(style));
            let reading = Reading { expect: Expect::Instance(path.clone()), class: class.clone(), previous: None };
            match self.deliver(&request, reading, &mut rows).await {
                Ok(()) if rows.delivered > 0 => {
                    self.learn(Learned { style: Some(style), ..Learned::default() }, None);
                    with_facts(self.cx, |facts| facts.wsman.no_fragments |= fragment_refused && index == 0);
                    return Ok(());
                }
                Ok(()) => break,
                Err(error) if is_refusal(&error) => {
                    without_get = without_get.or(has_no_get(&error).then_some((resource, style)));
                    first = first.or(Some(error));
                }
                Err(error) => return Err(first.unwrap_or(error)),
            }
            rows.restart();
        }
        if let Some(of) = without_get {
            match self.picked(of, &path, &class, &mut rows).await {
                Ok(true) => return Ok(()),
                Err(error) if rows.delivered > 0 || !says_no(&error) => return Err(error),
                // That there is no Get is what went wrong first.
                Ok(false) | Err(_) => {}
            }
        }
        let kind = ErrorKind::BadAnswer { offset: 0, item: None };
        Err(first.unwrap_or_else(|| content::NO_INSTANCE.error(Phase::Receive, self.cx.dial.peer_name(), kind)))
    }

    /// Asks for the only property wanted. Whether it came; `None` where it was not asked for or said nothing.
    async fn one_property(
        &mut self,
        path: &ObjectPath,
        class: &Option<Arc<CimClass>>,
        rows: &mut Rows<'_, '_>,
    ) -> Result<Option<bool>, OpError> {
        let property = class.as_deref().and_then(|class| self.fragment(class));
        let (Some(property), Some((resource, style))) = (property, self.resources(&path.class).into_iter().next())
        else {
            return Ok(None);
        };
        let request = request::get_fragment(&self.namespace, &resource, path, &property, self.naming(style));
        let reading = Reading { expect: Expect::Instance(path.clone()), class: class.clone(), previous: None };
        let told = match self.deliver(&request, reading, rows).await {
            Ok(()) if rows.delivered > 0 => {
                self.learn(Learned { style: Some(style), ..Learned::default() }, None);
                return Ok(Some(true));
            }
            // NULL is told by a fragment without anything in it, but so is a property the server does not find.
            Ok(()) => None,
            Err(error) if rows.delivered == 0 && says_no(&error) => Some(false),
            Err(error) => return Err(error),
        };
        rows.restart();
        Ok(told)
    }

    /// Asks and delivers the rows of one answer.
    async fn deliver(&mut self, request: &Request, reading: Reading, rows: &mut Rows<'_, '_>) -> Result<(), OpError> {
        let locale = self.op.options.locale.as_deref();
        let mut reply = ask(self.cx, self.exchange, request, locale, reading).await?;
        while let Some(decoded) = reply.next().await? {
            if !rows.deliver(&mut reply, decoded.into()).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What is associated with an instance, or the associations themselves.
    async fn related<'f>(&mut self, along: Along<'f>, filter: fn(Along<'f>) -> Filter<'f>) -> Result<(), OpError> {
        let object = along.object;
        self.namespace = object.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        let mut rows = self.rows();
        rows.names_only = self.op.options.keys_only;
        rows.only = along.result.filter(|_| self.op.options.shallow).cloned();
        // What comes is of many classes: only its references tell its keys before its classes are known.
        let modes = self.modes(false);
        let mut ways = Vec::new();
        for (resource, all_classes) in self.all_classes(Some(&object.class)) {
            let style = if all_classes == Some(AllClasses::Wmi) { Style::Wmi } else { Style::Schema };
            for (index, (mode, expect)) in modes.iter().enumerate() {
                let how = Enumeration { mode: *mode, polymorphism: None, filter: Some(filter(along)) };
                let open = request::enumerate(&self.namespace, &resource, &how, self.naming(style));
                let learned = Learned { all_classes, ..Learned::after(&modes[..index]) };
                ways.push(Way { open, expect: expect.clone(), learned, spares: None });
            }
        }
        self.enumerate(ways, None, &mut rows).await
    }

    /// What a query may be asked of, where it is of `class`.
    fn all_classes(&self, class: Option<&CimName>) -> Vec<(String, Option<AllClasses>)> {
        if let Some(uri) = &self.op.options.resource_uri {
            return vec![(uri.clone(), None)];
        }
        let known = with_facts(self.cx, |facts| facts.wsman.all_classes);
        let options = &self.cx.target.wsman;
        let ways = known.map_or_else(|| AllClasses::of(options.uri_style).to_vec(), |known| vec![known]);
        let uri = |way: AllClasses| way.uri(&self.namespace, class, &options.vendor_namespaces);
        ways.into_iter().filter_map(|way| Some((uri(way)?, Some(way)))).collect()
    }

    /// Where the rows go that `query` selects, its language, and its class: by name, and itself where it is known.
    pub(super) async fn querying(&mut self, query: &str) -> Result<Querying<'r, 'c>, OpError> {
        let mut rows = self.rows();
        rows.projected = !selects_all(query);
        let class = queried(query);
        let known = match &class {
            Some(class) => rows.before(self.exchange, class).await?,
            None => None,
        };
        let language = self.op.options.query_dialect.as_deref().unwrap_or(DEFAULT_LANGUAGE);
        Ok(Querying { rows, language, class, known })
    }

    async fn query(&mut self, query: &str) -> Result<(), OpError> {
        let Querying { mut rows, language, class, known } = self.querying(query).await?;
        let ways = self.all_classes(class.as_ref()).into_iter().map(|(resource, all_classes)| {
            let filter = Some(Filter::Query { dialect: dialect(language), text: query });
            let how = Enumeration { filter, ..Enumeration::default() };
            let open = request::enumerate(&self.namespace, &resource, &how, Style::Schema);
            let learned = Learned { all_classes, ..Learned::default() };
            Way { open, expect: Expect::Instances, learned, spares: None }
        });
        let ways = ways.collect();
        self.enumerate(ways, known, &mut rows).await
    }

    /// Enumerates in the first of `ways` the server takes. If it takes none, the first error tells most.
    async fn enumerate(
        &mut self,
        ways: Vec<Way>,
        class: Option<Arc<CimClass>>,
        rows: &mut Rows<'_, '_>,
    ) -> Result<(), OpError> {
        let (mut first, mut refused) = (None, None);
        for Way { open, expect, learned, spares } in ways {
            let (title, locale) = (self.title(), self.op.options.locale.as_deref());
            let (cx, class) = (self.cx, class.clone());
            let exchange = &mut *self.exchange;
            let pulling = Pulling { cx, exchange, title, locale, expect, class, subscription: None };
            let mut projected = Projected::new(rows);
            let takes: &mut dyn Takes =
                if spares == Some(Spares::Properties) { &mut projected } else { projected.rows };
            let result = pulling.run(&open, takes).await;
            let is_nameless = projected.is_nameless;
            match result {
                // What it left open is released before the next one opens another.
                Ok(()) if is_nameless => refused = spares,
                Ok(()) => {
                    self.learn(learned, refused);
                    return Ok(());
                }
                Err(error)
                    if rows.delivered == 0
                        && !self.cx.cleanup.is_open()
                        && (is_refusal(&error) || spares.is_some() && says_no(&error)) =>
                {
                    // Refused because of what it spares, if the way behind it is not.
                    refused = spares;
                    first = first.or(Some(error).filter(|_| spares.is_none()));
                }
                Err(error) => return Err(if rows.delivered == 0 { first.unwrap_or(error) } else { error }),
            }
            rows.restart();
        }
        Err(first.unwrap_or_else(|| self.not_here()))
    }

    /// Remembers what worked, and that the same was refused where it spared something.
    fn learn(&self, learned: Learned, refused: Option<Spares>) {
        with_facts(self.cx, |facts| {
            facts.wsman.style = learned.style.filter(|_| self.op.options.resource_uri.is_none()).or(facts.wsman.style);
            facts.wsman.all_classes = learned.all_classes.or(facts.wsman.all_classes);
            facts.wsman.no_eprs |= learned.no_eprs;
            facts.wsman.no_references |= learned.no_references;
            facts.wsman.no_polymorphism |= refused == Some(Spares::Subclasses { tells: true });
            facts.wsman.no_projection |= refused == Some(Spares::Properties);
        });
    }
}

impl Takes for Rows<'_, '_> {
    fn take<'a>(&'a mut self, reply: &'a mut Reply, decoded: Decoded) -> BoxFuture<'a, Result<bool, OpError>> {
        Box::pin(self.deliver(reply, decoded.into()))
    }

    fn wanted(&self) -> Option<u64> {
        self.wanted()
    }
}

/// Whether the server may take the same in another way.
pub(super) fn is_refusal(error: &OpError) -> bool {
    match &error.kind {
        ErrorKind::Cim(error) => {
            matches!(error.status, CimStatus::FAILED | CimStatus::INVALID_PARAMETER | CimStatus::NOT_SUPPORTED)
        }
        ErrorKind::NotSupported | ErrorKind::Http(400 | 500) => true,
        _ => false,
    }
}

/// Whether a query selects every property: then one that was not sent is missing, else it was not asked for.
fn selects_all(query: &str) -> bool {
    let mut words = query.split_whitespace();
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("select")) && words.next() == Some("*")
}

/// The class a query is of, where it says so in the usual place.
fn queried(query: &str) -> Option<CimName> {
    let mut words = query.split_whitespace().skip_while(|word| !word.eq_ignore_ascii_case("from"));
    words.nth(1).map(CimName::new).filter(CimName::is_well_formed)
}
