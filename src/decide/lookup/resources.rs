//! On what may P do p?

use super::{Candidate, Context, DECISION, Examined, PASS, Scan, check_parent, is_below, node};
use crate::decide::Refusal;
use crate::decide::shape::Shape;
use crate::decide::subject::{self, Who};
use crate::graph::rows::{Grant, NONE, NodeRow};
use crate::graph::snapshot::Snapshot;
use crate::model::lookup::Item;
use crate::model::node::{NodeKind, Visibility};
use crate::model::outcome::{Actor, Reason};
use crate::model::permission::{OpenSubmit, PermissionIx};
use crate::model::query::Query;

pub(super) struct Resources<'a> {
    context: Context<'a>,
    query: Query<'a>,
    who: Who<'a>,
    permission: PermissionIx,
    /// Node and level.
    parent: Option<(u32, u8)>,
    kinds: &'a [NodeKind],
    roots: Roots,
}

/// Where a grant can be: nothing elsewhere is allowed.
struct Roots {
    /// Nodes with a grant of the subject, sorted.
    nodes: Vec<u32>,
    /// Visibility may grant it.
    visible: bool,
}

pub(super) fn begin<'a>(
    context: Context<'a>,
    query: Query<'a>,
    parent: Option<&'a str>,
    kinds: &'a [NodeKind],
) -> Result<Result<Scan<'a>, Reason>, Refusal> {
    let Context { snapshot, now } = context;
    let known = snapshot.permissions().find(query.permission);
    let shape = Shape::read(&query, true, known.is_some(), false)?;
    if let Some(parent) = parent {
        check_parent(parent)?;
    }
    let who = subject::resolve(snapshot, &query, &shape, None, now);
    if let Some(reason) = who.failed {
        return Ok(Err(reason));
    }
    if who.disabled {
        return Ok(Err(Reason::PrincipalDisabled));
    }
    let parent = match parent.map(|parent| snapshot.find_name(parent)) {
        None => None,
        Some(Some(located)) if !located.is_key => Some((located.node, located.row.level)),
        Some(_) => return Ok(Err(Reason::ResourceNotFound)),
    };
    let Some(permission) = known else {
        return Ok(Err(Reason::PermissionUnknown));
    };
    let roots = Roots::of(snapshot, &who, permission);
    Ok(Ok(Scan::Resources(Resources {
        context,
        query,
        who,
        permission,
        parent,
        kinds,
        roots,
    })))
}

impl Roots {
    /// Every node with a grant that `grants` could count, whatever it comes to there.
    fn of(snapshot: &Snapshot, who: &Who<'_>, permission: PermissionIx) -> Self {
        let mut nodes = Vec::new();
        // A set that says nothing of the permission and has no membership role adds nothing.
        let says = |grant: &Grant| snapshot.sets().class(grant.set(), permission.0) != 0;
        let mut add = |grants: &[Grant]| {
            nodes.extend(grants.iter().filter(|g| says(g)).map(|g| g.node));
        };
        add(snapshot.all_users().as_slice());
        add(snapshot.all_authenticated().as_slice());
        if let Some(row) = who.row {
            add(row.grants.as_slice());
        }
        let standing = who.standing(snapshot);
        for holder in standing.rows() {
            add(snapshot.holder(holder).as_slice());
        }
        let rules = snapshot.rules();
        let own = match who.actor {
            Actor::Known(ix) => rules.principals.get(&ix.0),
            Actor::Anonymous | Actor::Asserted(_) | Actor::Federated(_) | Actor::Unproven => None,
        };
        let lists = standing.rows().filter_map(|row| rules.holders.get(&row));
        for list in own.into_iter().chain(lists) {
            nodes.extend(list.iter().map(|conditional| conditional.grant.node));
        }
        let implicit = who.row.and_then(|row| row.account).map(|a| a.implicit);
        nodes.extend(implicit.filter(|node| *node != NONE));
        nodes.sort_unstable();
        nodes.dedup();
        let visible = snapshot
            .permissions()
            .get(permission)
            .is_none_or(|row| row.flags.public_read || row.flags.open_submit != OpenSubmit::None);
        Self { nodes, visible }
    }

    fn reach(&self, snapshot: &Snapshot, ix: u32, row: &NodeRow) -> bool {
        let has = |node: u32| self.nodes.binary_search(&node).is_ok();
        let above = |level| snapshot.ancestor(ix, row, level).is_none_or(has);
        if (0..=row.level).any(above) {
            return true;
        }
        // `project_level` is beyond `level` where there is no project.
        if !self.visible || row.project_level > row.level {
            return false;
        }
        let project = snapshot.ancestor(ix, row, row.project_level);
        let project = project.and_then(|project| snapshot.node(project));
        project.is_none_or(|row| matches!(row.visibility, Visibility::Public | Visibility::Open))
    }
}

impl Resources<'_> {
    pub(super) fn end(&self) -> u64 {
        u64::from(self.context.snapshot.node_count())
    }

    pub(super) fn examine(&self, at: u64) -> Examined {
        let next = at.saturating_add(1);
        let snapshot = self.context.snapshot;
        let candidate = u32::try_from(at).ok();
        let candidate = candidate.and_then(|ix| Some((ix, snapshot.node(ix)?)));
        let wanted = candidate.filter(|(ix, row)| {
            (self.kinds.is_empty() || self.kinds.contains(&row.kind))
                && (self.parent).is_none_or(|(node, level)| is_below(snapshot, *ix, node, level))
                && self.roots.reach(snapshot, *ix, row)
        });
        match wanted {
            None => Examined {
                item: None,
                next,
                steps: PASS,
            },
            Some((ix, row)) => Examined {
                item: self.item(ix, row),
                next,
                steps: DECISION,
            },
        }
    }

    fn item(&self, ix: u32, row: &NodeRow) -> Option<Item> {
        let name = row.name.as_str();
        let verdict = self.context.judge(&Candidate {
            query: &self.query,
            who: &self.who,
            name,
            permission: self.permission,
            target: &node(self.context.snapshot, ix)?,
        })?;
        Some(Item {
            name: name.to_owned(),
            verdict,
            through: None,
        })
    }
}
