//! The table of routes: which permission and resource an HTTP or gRPC call needs (SPEC 13.1).
//!
//! A tree of path segments for every host pattern. A segment's literal child is tried before
//! its variable one, and that before what takes all the rest: the first template found is the
//! most specific one. A node is visited at most once, so a table that an operator makes badly
//! costs at most its own size.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::graph::at;
use crate::limits;
use crate::model::route::{Anonymous, Mode, RouteKind};
use crate::model::template::{Piece, Segment};

/// The method of every gRPC call.
pub const GRPC_METHOD: &str = "POST";
/// In `hosts` and `methods`: any.
pub const ANY: &str = "*";
/// A segment that stands for something else to whoever serves the resource; no variable
/// takes it.
const RESERVED: &str = "-";

/// All routes of a snapshot.
#[derive(Debug, Default)]
pub struct Routes {
    rows: Vec<RouteRow>,
    nodes: Vec<Node>,
    /// Roots by exact host.
    exact: BTreeMap<Box<str>, u32>,
    /// Roots by what follows the `*.` of a pattern.
    below: BTreeMap<Box<str>, u32>,
    /// The root of the host `*`.
    any: Option<u32>,
}

/// One route.
#[derive(Debug, PartialEq, Eq)]
pub struct RouteRow {
    /// `routes/{id}`.
    pub name: Box<str>,
    /// HTTP or gRPC.
    pub kind: RouteKind,
    /// The permission that is needed.
    pub permission: Box<str>,
    /// What happens without a credential.
    pub anonymous: Anonymous,
    /// Whether a deny is a deny.
    pub mode: Mode,
    /// The resource, with the path's variables.
    pub(super) resource: Box<[Piece]>,
}

/// A route that takes a call.
#[derive(Debug, Clone, Copy)]
pub struct RouteMatch<'r> {
    /// The route.
    pub route: &'r RouteRow,
    /// The path without its first slash.
    path: &'r str,
}

/// A place in a tree of segments.
#[derive(Debug, Default)]
struct Node {
    literals: BTreeMap<Box<str>, u32>,
    variable: Option<u32>,
    /// Routes whose template ends here.
    here: Methods,
    /// Routes whose template ends here with `{name=**}`.
    rest: Methods,
}

/// Routes of one template, by method.
#[derive(Debug, Default)]
struct Methods(Vec<(Box<str>, u32)>);

impl Methods {
    const fn are_some(&self) -> Option<&Self> {
        if self.0.is_empty() { None } else { Some(self) }
    }

    /// The route of exactly this method, else the one of any.
    fn find(&self, method: &str) -> Option<u32> {
        let of = |method: &str| self.0.iter().find(|(m, _)| **m == *method);
        let (_, ix) = of(method).or_else(|| of(ANY))?;
        Some(*ix)
    }
}

impl Routes {
    /// The route that takes a call: `host` in lower case and without a port, `path` without
    /// its query. The most specific host pattern that has a template for the path decides,
    /// and of that the most specific template; if that one does not take the method, no other
    /// does, for it could ask for less.
    #[must_use]
    pub fn find<'r>(&'r self, host: &str, method: &str, path: &'r str) -> Option<RouteMatch<'r>> {
        let path = path.strip_prefix('/')?;
        let methods = self
            .roots(host)
            .find_map(|root| self.walk(root, Some(path)))?;
        let route = at(&self.rows, methods.find(method)?)?;
        Some(RouteMatch { route, path })
    }

    /// How many routes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no route.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All routes, in input order.
    pub fn iter(&self) -> impl Iterator<Item = &RouteRow> {
        self.rows.iter()
    }

    /// The roots of the host patterns that take `host`, the most specific first.
    fn roots(&self, host: &str) -> impl Iterator<Item = u32> {
        let fits = host.len() <= limits::HOST_BYTES_MAX;
        let exact = self.exact.get(host).copied();
        let suffixes = host.match_indices('.').filter(|(dot, _)| *dot > 0);
        let below = suffixes.filter_map(|(dot, _)| self.below.get(host.get(dot + 1..)?).copied());
        let all = exact.into_iter().chain(below).chain(self.any);
        all.filter(move |_| fits)
    }

    /// The routes of the most specific template below `node` for `path`; `None`: its end.
    /// As deep as the templates have segments.
    fn walk(&self, node: u32, path: Option<&str>) -> Option<&Methods> {
        let node = at(&self.nodes, node)?;
        let Some(path) = path else {
            return node.here.are_some();
        };
        let (segment, after) = match path.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (path, None),
        };
        let literal = node.literals.get(segment);
        let variable = node
            .variable
            .filter(|_| !segment.is_empty() && segment != RESERVED);
        let next = literal.copied().into_iter().chain(variable);
        let mut below = next.filter_map(|next| self.walk(next, after));
        below.next().or_else(|| {
            let rest = node.rest.are_some();
            rest.filter(|_| path.split('/').all(|segment| segment != RESERVED))
        })
    }

    /// Adds a route whose entries no other route has.
    pub(super) fn insert<'e>(
        &mut self,
        row: RouteRow,
        hosts: impl Iterator<Item = &'e str>,
        methods: &[&str],
        path: &[Segment<'_>],
    ) {
        let ix = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.push(row);
        for host in hosts {
            let mut node = self.root(host);
            let mut is_rest = false;
            for segment in path {
                node = match segment {
                    Segment::Literal(text) => self.child(node, Some(text)),
                    Segment::One(_) => self.child(node, None),
                    Segment::Rest(_) => {
                        is_rest = true;
                        break;
                    }
                };
            }
            let Some(node) = usize::try_from(node)
                .ok()
                .and_then(|n| self.nodes.get_mut(n))
            else {
                continue;
            };
            let entries = if is_rest {
                &mut node.rest
            } else {
                &mut node.here
            };
            entries
                .0
                .extend(methods.iter().map(|m| (Box::from(*m), ix)));
        }
    }

    fn root(&mut self, host: &str) -> u32 {
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let root = match host.strip_prefix("*.") {
            _ if host == ANY => *self.any.get_or_insert(next),
            Some(parent) => *self.below.entry(parent.into()).or_insert(next),
            None => *self.exact.entry(host.into()).or_insert(next),
        };
        self.grow(root)
    }

    fn child(&mut self, node: u32, literal: Option<&str>) -> u32 {
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let Some(node) = usize::try_from(node)
            .ok()
            .and_then(|n| self.nodes.get_mut(n))
        else {
            return next;
        };
        let child = match literal {
            Some(text) => *node.literals.entry(text.into()).or_insert(next),
            None => *node.variable.get_or_insert(next),
        };
        self.grow(child)
    }

    /// Makes the node `ix` if it is the next one.
    fn grow(&mut self, ix: u32) -> u32 {
        if usize::try_from(ix).is_ok_and(|ix| ix == self.nodes.len()) {
            self.nodes.push(Node::default());
        }
        ix
    }
}

impl RouteMatch<'_> {
    /// The resource: the route's template, filled in from the path. What a client wrote may
    /// make it no name; the decision says so.
    #[must_use]
    pub fn resource<'s>(&'s self) -> Cow<'s, str> {
        if let [Piece::Text(text)] = &*self.route.resource {
            return Cow::Borrowed(text);
        }
        let piece = |piece: &'s Piece| match piece {
            Piece::Text(text) => &**text,
            Piece::One(ix) => self
                .segments_from(*ix)
                .split('/')
                .next()
                .unwrap_or_default(),
            Piece::Rest(ix) => self.segments_from(*ix),
        };
        let pieces = self.route.resource.iter().map(piece);
        let mut filled = String::with_capacity(pieces.clone().map(str::len).sum());
        filled.extend(pieces);
        Cow::Owned(filled)
    }

    /// The path from the segment at `ix` on.
    fn segments_from(&self, ix: u32) -> &str {
        let (mut rest, mut left) = (self.path, ix);
        while left > 0 {
            rest = rest.split_once('/').map_or("", |(_, after)| after);
            left -= 1;
        }
        rest
    }
}
