//! Finds the parts of a configuration that the checks look at, wherever they stand.

use std::collections::BTreeMap;

use crate::lint::tree::Value;
use crate::lint::tree::at::{At, same_field};

/// An HTTP connection manager and where it is reached.
#[derive(Debug, Clone)]
pub(super) struct Manager<'t> {
    /// Its settings.
    pub(super) at: At<'t>,
    /// The listener and the filter chain around it.
    pub(super) here: Here<'t>,
}

/// What surrounds a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Here<'t> {
    pub(super) listener: Option<At<'t>>,
    pub(super) chain: Option<At<'t>>,
    manager: Option<usize>,
}

/// A route configuration, and the manager that holds it (else one names it).
#[derive(Debug, Clone)]
pub(super) struct Routes<'t> {
    pub(super) at: At<'t>,
    pub(super) manager: Option<usize>,
}

/// An `ext_authz` filter, wherever it stands.
#[derive(Debug, Clone)]
pub(super) struct Filter<'t> {
    pub(super) at: At<'t>,
    pub(super) here: Here<'t>,
}

/// The parts of one file.
#[derive(Debug)]
pub(super) struct Parts<'t> {
    pub(super) root: At<'t>,
    pub(super) managers: Vec<Manager<'t>>,
    /// HTTP filters, those of the managers too.
    pub(super) filters: Vec<Filter<'t>>,
    /// Network filters.
    pub(super) network: Vec<Filter<'t>>,
    pub(super) routes: Vec<Routes<'t>>,
    pub(super) clusters: BTreeMap<&'t str, At<'t>>,
    /// Filter settings that come by discovery, by name.
    pub(super) discovered: BTreeMap<&'t str, At<'t>>,
    /// Updates that Envoy refused.
    pub(super) refused: Vec<At<'t>>,
    /// Clusters may come from elsewhere.
    pub(super) has_other_clusters: bool,
    is_whole: bool,
    listener_count: usize,
    has_listeners_dump: bool,
    has_clusters_dump: bool,
}

/// What the fields of an object say it is.
const ROOT_FIELDS: [&str; 7] = [
    "static_resources",
    "dynamic_resources",
    "configs",
    "resources",
    "listeners",
    "clusters",
    "admin",
];

impl<'t> Parts<'t> {
    fn new(root: &At<'t>) -> Self {
        let has = |field: &str| root.get(field).is_some();
        let is_whole = has("static_resources") || has("configs");
        let has_cds = root.find(&["dynamic_resources", "cds_config"]).is_some();
        Self {
            root: root.clone(),
            managers: Vec::new(),
            filters: Vec::new(),
            network: Vec::new(),
            routes: Vec::new(),
            clusters: BTreeMap::new(),
            discovered: BTreeMap::new(),
            refused: Vec::new(),
            has_other_clusters: !is_whole || has_cds,
            is_whole,
            listener_count: 0,
            has_listeners_dump: false,
            has_clusters_dump: false,
        }
    }

    /// The parts below `root`; `None`: nothing in it is known.
    pub(super) fn of(root: &At<'t>) -> Option<Self> {
        let mut parts = Self::new(root);
        for config in root.list("configs") {
            let Some((name, _)) = config.typed() else {
                continue;
            };
            parts.has_listeners_dump |= name.ends_with(".ListenersConfigDump");
            parts.has_clusters_dump |= name.ends_with(".ClustersConfigDump");
        }
        if root.get("configs").is_some() {
            parts.has_other_clusters = !parts.has_clusters_dump;
        }
        parts.visit(root, ["", ""], &Here::default());
        let is_known = ROOT_FIELDS.iter().any(|field| root.get(field).is_some());
        (is_known || !parts.is_empty()).then_some(parts)
    }

    /// Whether the file is a part of a configuration, such as a listener.
    pub(super) const fn is_fragment(&self) -> bool {
        !self.is_whole
    }

    fn is_empty(&self) -> bool {
        self.managers.is_empty()
            && self.filters.is_empty()
            && self.network.is_empty()
            && self.routes.is_empty()
            && self.clusters.is_empty()
            && self.discovered.is_empty()
            && self.listener_count == 0
    }

    /// `trail`: the two keys above, the nearer one last.
    fn visit(&mut self, at: &At<'t>, trail: [&str; 2], here: &Here<'t>) {
        match &at.node().value {
            Value::List(_) => {
                for item in at.items() {
                    self.visit(&item, trail, here);
                }
            }
            Value::Map(_) => self.object(at, trail, here),
            Value::Null | Value::Plain(_) | Value::Text(_) => {}
        }
    }

    fn object(&mut self, at: &At<'t>, trail: [&str; 2], here: &Here<'t>) {
        let mut here = here.clone();
        self.recognise(at, trail, &mut here);
        let is_bootstrap =
            same_field(trail[0], "bootstrap") && same_field(trail[1], "static_resources");
        for (key, below) in at.entries() {
            // It is being taken away, and its successor stands beside it.
            let is_leaving = same_field(key, "draining_state");
            // A dump says these twice.
            let is_twice = is_bootstrap
                && (self.has_listeners_dump && key == "listeners"
                    || self.has_clusters_dump && key == "clusters");
            if is_leaving || is_twice {
                continue;
            }
            if same_field(key, "error_state") && below.is_map() {
                self.refused.push(below);
                continue;
            }
            self.visit(&below, [trail[1], key], &here);
        }
    }

    fn recognise(&mut self, at: &At<'t>, trail: [&str; 2], here: &mut Here<'t>) {
        let (name, inner) = at.typed().unwrap_or_else(|| ("", at.clone()));
        let is_static = |field: &str| {
            same_field(trail[1], field)
                && (trail[0].is_empty() || same_field(trail[0], "static_resources"))
        };
        let is_root = trail[1].is_empty();
        let has = |field: &str| inner.get(field).is_some();
        let is_listener = name == "envoy.config.listener.v3.Listener"
            || is_static("listeners")
            || name.is_empty() && (has("filter_chains") || has("default_filter_chain"));
        if is_listener {
            self.listener_count = self.listener_count.saturating_add(1);
            here.listener = Some(at.clone());
        } else if same_field(trail[1], "filter_chains")
            || same_field(trail[1], "default_filter_chain")
        {
            here.chain = Some(at.clone());
        } else if name.ends_with(".HttpConnectionManager") || is_root && has("http_filters") {
            here.manager = Some(self.managers.len());
            self.managers.push(Manager {
                at: inner,
                here: here.clone(),
            });
        } else if is_http_filter(name) || is_root && name.is_empty() && is_settings(at) {
            let here = here.clone();
            self.filters.push(Filter { at: inner, here });
        } else if is_network_filter(name) {
            let here = here.clone();
            self.network.push(Filter { at: inner, here });
        } else if name == "envoy.config.cluster.v3.Cluster"
            || is_static("clusters")
            || is_root && name.is_empty() && has("load_assignment")
        {
            if let Some(name) = inner.text_of("name") {
                self.clusters.insert(name, inner);
            }
        } else if name == "envoy.config.core.v3.TypedExtensionConfig" {
            if let (Some(name), Some(settings)) = (inner.text_of("name"), inner.get("typed_config"))
            {
                self.discovered.insert(name, settings);
            }
        } else if name == "envoy.config.route.v3.RouteConfiguration" || has("virtual_hosts") {
            self.routes(inner, here);
        }
    }

    /// A dump shows the routes of a manager twice: in the manager, and among the routes.
    fn routes(&mut self, at: At<'t>, here: &Here<'t>) {
        let is_there = self
            .routes
            .iter()
            .any(|routes| same_fields(&routes.at, &at));
        if !is_there {
            let manager = here.manager;
            self.routes.push(Routes { at, manager });
        }
    }
}

/// Whether this type is the HTTP filter's settings, in any version.
pub(super) fn is_http_filter(name: &str) -> bool {
    name.contains(".http.ext_authz.") && name.ends_with(".ExtAuthz")
}

fn is_network_filter(name: &str) -> bool {
    name.contains(".network.ext_authz.") && name.ends_with(".ExtAuthz")
}

fn is_settings(at: &At<'_>) -> bool {
    ["grpc_service", "http_service", "failure_mode_allow"]
        .iter()
        .any(|field| at.get(field).is_some())
}

/// Whether two objects say the same, lines and the type's name aside.
fn same_fields(a: &At<'_>, b: &At<'_>) -> bool {
    let fields = |at: &At<'_>| {
        at.entries()
            .into_iter()
            .filter(|(key, _)| *key != "@type")
            .map(|(key, at)| (key.to_owned(), at.node().clone()))
            .collect::<Vec<_>>()
    };
    let (a, b) = (fields(a), fields(b));
    a.len() == b.len()
        && a.iter()
            .zip(&b)
            .all(|((x, m), (y, n))| x == y && same_content(&m.value, &n.value))
}

fn same_content(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| same_content(&a.value, &b.value))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((x, a), (y, b))| x == y && same_content(&a.value, &b.value))
        }
        (a, b) => a == b,
    }
}
