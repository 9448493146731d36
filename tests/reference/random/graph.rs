//! A random, valid snapshot in file form.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::random::dice::Dice;
use crate::random::policies;
use crate::random::rules;
use crate::random::stock::{Account, Role, Stock};
use crate::reference::catalogue::Catalogue;
use crate::reference::keys;
use crate::reference::names;

/// The pepper of the keys that are stored as HMAC.
pub(crate) const PEPPER: &str = "kQ3v9ZpL2mX8rT5wB7nY4cJ6hD1fG0sA";

pub(crate) fn snapshot(dice: &Dice, catalogue: &Catalogue) -> Stock {
    let mut stock = Stock {
        permissions: catalogue.permissions.keys().cloned().collect(),
        built_in: catalogue.permissions.len(),
        ..Stock::default()
    };
    for (name, role) in &catalogue.roles {
        let all = role.permissions.iter().chain(&role.own).cloned().collect();
        stock.carried.insert(name.clone(), all);
    }
    permissions(dice, &mut stock);
    tree(dice, &mut stock);
    users(dice, &mut stock);
    accounts(dice, &mut stock);
    rules::pools(dice, &mut stock);
    groups(dice, &mut stock);
    roles(dice, &mut stock);
    user_keys(dice, &mut stock);
    policies::bind(dice, &mut stock);
    rules::denies(dice, &mut stock);
    rules::boundaries(dice, &mut stock);
    rules::org_policies(dice, &mut stock);
    stock
}

pub(crate) fn add(stock: &mut Stock, kind: &str, body: Value) {
    let mut entity = Map::new();
    entity.insert(kind.to_owned(), body);
    stock.entities.push(Value::Object(entity));
}

/// Tags of a node, if it gets any.
fn tag(dice: &Dice, body: &mut Value) {
    for key in ["env", "tier"] {
        if dice.percent(30) {
            body["tags"][key] = json!(dice.pick(&["prod", "dev", "1"]));
        }
    }
}

fn permissions(dice: &Dice, stock: &mut Stock) {
    let names = [
        "models.notes.create",
        "weave.boards.get",
        "labels.batches.approve",
    ];
    for name in names.into_iter().filter(|_| dice.percent(60)) {
        let product = match name.split('.').next() {
            Some("models") => "MODELS",
            Some("weave") => "WEAVE",
            _ => dice.weighted(&[(3, "NONE"), (1, "MODELS"), (1, "WEAVE")]),
        };
        let body = json!({
            "name": format!("permissions/{name}"),
            "basic_role": dice.pick(&["VIEWER", "EDITOR", "OWNER", "NONE"]),
            "product": product,
            "public_read": dice.percent(30),
            "open_submit": dice.pick(&["NONE", "ANY", "OWN"]),
            "administrative": dice.percent(50),
            "read": dice.percent(40),
            "configures": false,
        });
        add(stock, "permission", body);
        stock.permissions.push(name.to_owned());
    }
}

fn tree(dice: &Dice, stock: &mut Stock) {
    let count = *dice.pick(&[1, 1, 2, 2, 3]);
    for id in ["a", "b", "c"].into_iter().take(count) {
        let name = format!("organizations/{id}");
        let mut body = json!({ "name": name, "settings": {
            "enforce_org_scoped_keys": dice.percent(20),
            "disable_key_creation": dice.percent(30),
            "disable_team_service_account_creation": dice.percent(30),
            "disable_admin_team_access": dice.percent(30),
            "private_projects_only": dice.percent(20),
        }});
        tag(dice, &mut body);
        add(stock, "organization", body);
        stock.organizations.push(name.clone());
        if dice.percent(50) {
            project(dice, stock, &name, "p");
        }
        for team in ["t", "u"] {
            if team == "t" || dice.percent(60) {
                grow(dice, stock, &format!("{name}/teams/{team}"), 1);
            }
        }
    }
}

fn grow(dice: &Dice, stock: &mut Stock, name: &str, depth: usize) {
    let mut body = json!({ "name": name, "settings": {
        "private_projects_only": dice.percent(20),
        "members_may_invite": dice.percent(50),
    }});
    tag(dice, &mut body);
    add(stock, "team", body);
    stock.teams.push(name.to_owned());
    for id in ["p", "q"] {
        if dice.percent(65) {
            project(dice, stock, name, id);
        }
    }
    if depth < 3 && dice.percent(45) {
        grow(
            dice,
            stock,
            &format!("{name}/teams/{}", dice.pick(&["t", "v"])),
            depth + 1,
        );
    }
}

fn project(dice: &Dice, stock: &mut Stock, parent: &str, id: &str) {
    let name = format!("{parent}/projects/{id}");
    let visibility = dice.weighted(&[(3, "TEAM"), (4, "RESTRICTED"), (2, "PUBLIC"), (3, "OPEN")]);
    if visibility == "RESTRICTED" {
        stock.restricted.push(name.clone());
    }
    let mut body = json!({ "name": name, "visibility": visibility });
    if dice.percent(40) {
        body["service_account_quota"] = json!(dice.below(4));
    }
    if dice.percent(25) {
        let all = ["models", "weave", "iam", "resourcemanager", "labels"];
        let values: Vec<&str> = all.into_iter().filter(|_| dice.percent(70)).collect();
        body["services"] = json!({ "values": values });
    }
    tag(dice, &mut body);
    add(stock, "project", body);
    stock.projects.push(name);
}

fn users(dice: &Dice, stock: &mut Stock) {
    let count = dice.range(4, 7);
    for id in ["ann", "bob", "cat", "dan", "eve", "fay", "gil"]
        .into_iter()
        .take(count)
    {
        let email = format!("{id}@{}.example", dice.pick(&["x", "y"]));
        let mut body = json!({
            "name": format!("users/{id}"), "uid": format!("uid-{id}"), "email": cased(dice, &email),
            "username": id,
        });
        if dice.percent(5) {
            body["disabled"] = json!(true);
        }
        let mut seats = Vec::new();
        for organization in stock.organizations.clone() {
            if dice.percent(60) {
                seats.push(json!({
                    "organization": organization,
                    "models": dice.pick(&["FULL", "VIEWER", "VIEWER", "NONE"]),
                    "weave": dice.pick(&["FULL", "VIEWER", "VIEWER", "NONE"]),
                }));
            }
        }
        if !seats.is_empty() {
            body["seats"] = json!(seats);
        }
        add(stock, "user", body);
        stock.users.push(email);
        stock
            .user_ids
            .push((format!("users/{id}"), format!("uid-{id}")));
    }
}

/// The address, sometimes with other letters of the same meaning (SPEC 1.5).
pub(crate) fn cased(dice: &Dice, email: &str) -> String {
    if dice.percent(20) {
        email.to_ascii_uppercase()
    } else {
        email.to_owned()
    }
}

fn accounts(dice: &Dice, stock: &mut Stock) {
    let mut parents = stock.organizations.clone();
    parents.extend(stock.teams.iter().cloned());
    parents.extend(stock.projects.iter().cloned());
    let count = dice.range(5, 9);
    for number in 0..count {
        let parent = dice.pick(&parents).clone();
        let name = format!("{parent}/serviceAccounts/{}", dice.pick(&["s", "r"]));
        if stock.accounts.iter().any(|a| a.name == name) {
            continue;
        }
        let email = format!("sa{number}@svc.example");
        let team_scoped = stock.teams.contains(&parent);
        let federated = team_scoped && dice.percent(35);
        // SPEC 2.5: an earlier account of the same name, and perhaps of the same address.
        if dice.percent(25) {
            let same = dice.percent(50);
            let old = if same {
                email.clone()
            } else {
                format!("old{number}@svc.example")
            };
            let uid = format!("uid-old{number}");
            account(
                dice,
                stock,
                Account {
                    name: name.clone(),
                    uid,
                    email: old,
                    deleted: true,
                    idle: true,
                    federated: false,
                },
            );
        }
        let deleted = dice.percent(8);
        let uid = format!("uid-sa{number}");
        let idle = deleted || dice.percent(8);
        account(
            dice,
            stock,
            Account {
                name,
                uid,
                email,
                deleted,
                idle,
                federated,
            },
        );
    }
}

fn account(dice: &Dice, stock: &mut Stock, account: Account) {
    let parent = names::parent(&account.name).unwrap();
    let mut body = json!({
        "name": account.name, "uid": account.uid, "email": cased(dice, &account.email),
        "kind": dice.weighted(&[(8, "USER_MANAGED"), (1, "DEFAULT"), (1, "SERVICE_AGENT")]),
    });
    if account.federated {
        body["authentication"] = json!("FEDERATED");
        body["federated_subject"] = json!(format!("subject of {}", account.uid));
    }
    if stock.organizations.contains(&parent) {
        let below = |t: &&String| names::at_or_below(t, &parent);
        let teams: Vec<String> = stock.teams.iter().filter(below).cloned().collect();
        body["default_team"] = json!(dice.pick(&teams));
    }
    if account.deleted {
        let day = dice.range(10, 29);
        body["deleted_at"] = json!(format!("2026-05-{day}T00:00:00Z"));
    }
    if account.idle && !account.deleted {
        body["disabled"] = json!(true);
    }
    tag(dice, &mut body);
    add(stock, "service_account", body);
    if !account.federated {
        let many = dice.percent(3);
        let few = if account.deleted { 2 } else { 3 };
        let count = if many {
            dice.range(97, 101)
        } else {
            dice.below(few)
        };
        for number in 0..count {
            let id = format!("{}-{number}", account.uid);
            let name = format!("{}/keys/{id}", account.name);
            let reach = names::organization_of(&account.name).unwrap();
            key(dice, stock, &name, &account.uid, "", &reach);
        }
    }
    stock.accounts.push(account);
}

fn user_keys(dice: &Dice, stock: &mut Stock) {
    for (name, uid) in stock.user_ids.clone() {
        for number in 0..dice.below(3) {
            let organization = dice.pick(&stock.organizations).clone();
            let own = if dice.percent(50) {
                organization.as_str()
            } else {
                ""
            };
            let name = format!("{name}/keys/{uid}-{number}");
            key(dice, stock, &name, &uid, own, &organization);
        }
    }
}

fn key(dice: &Dice, stock: &mut Stock, name: &str, uid: &str, organization: &str, reach: &str) {
    let text = key_text(dice, &name.replace('/', "."));
    let mut body =
        json!({ "name": name, "uid": format!("k-{}", stock.keys.len()), "owner_uid": uid });
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    body["api_key"] = if dice.percent(80) {
        json!({ "sha256": hex(&Sha256::digest(&text)) })
    } else {
        json!({ "hmac_sha256": hex(&keys::hmac(PEPPER.as_bytes(), &text)) })
    };
    if !organization.is_empty() {
        body["organization"] = json!(organization);
    }
    // NOW of the questions is 2026-06-01T00:00:00Z.
    let from = dice.weighted(&[
        (80, ""),
        (8, "2026-05-31T23:59:59Z"),
        (6, "2026-06-01T00:00:00Z"),
        (6, "2026-06-01T00:00:01Z"),
    ]);
    let to = dice.weighted(&[
        (80, ""),
        (8, "2026-06-01T00:00:02Z"),
        (6, "2026-06-01T00:00:00Z"),
        (6, "2026-05-31T23:59:59Z"),
    ]);
    if !from.is_empty() && (to.is_empty() || from < to) {
        body["not_before"] = json!(from);
    }
    if !to.is_empty() {
        body["not_after"] = json!(to);
    }
    if dice.percent(6) {
        body["disabled"] = json!(true);
    }
    if dice.percent(5) {
        body["exposed_at"] = json!("2026-05-01T00:00:00Z");
    }
    if dice.percent(25) {
        body["restrictions"] = restrictions(dice, stock, reach);
    }
    add(stock, "key", body);
    stock.keys.push(text);
    stock.key_names.push(name.to_owned());
}

/// A key of our own form, or somebody else's.
fn key_text(dice: &Dice, salt: &str) -> String {
    if dice.percent(50) {
        return format!("foreign_{salt}");
    }
    let hex: String = Sha256::digest(salt)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let covered = format!("pst_{}_{}", &hex[..12], &hex[12..55]);
    let check = keys::check_sum(&covered);
    format!("{covered}_{check}")
}

fn restrictions(dice: &Dice, stock: &Stock, reach: &str) -> Value {
    let any = json!({ "any": true });
    let (mut permissions, mut resources, mut cidrs) = (any.clone(), any.clone(), any);
    if dice.percent(40) {
        let count = dice.range(0, 40);
        let values: Vec<&String> = (0..count).map(|_| dice.pick(&stock.permissions)).collect();
        permissions = json!({ "values": unique(values) });
    }
    if dice.percent(40) {
        let below = |n: &String| names::at_or_below(n, reach);
        let nodes: Vec<String> = stock.nodes().into_iter().filter(below).collect();
        let values: Vec<&String> = (0..dice.range(0, 3)).map(|_| dice.pick(&nodes)).collect();
        resources = json!({ "values": unique(values) });
    }
    if dice.percent(40) {
        let all = [
            "10.0.0.0/8",
            "192.0.2.0/25",
            "2001:db8::/32",
            "192.0.2.200/32",
        ];
        let values: Vec<&str> = all.into_iter().filter(|_| dice.percent(40)).collect();
        cidrs = json!({ "values": values });
    }
    json!({ "permissions": permissions, "resources": resources, "cidrs": cidrs })
}

fn unique(mut values: Vec<&String>) -> Vec<&String> {
    values.sort();
    values.dedup();
    values
}

fn groups(dice: &Dice, stock: &mut Stock) {
    for number in 0..dice.range(2, 5) {
        let organization = dice.pick(&stock.organizations).clone();
        let email = format!("g{number}@groups.example");
        let mut members = Vec::new();
        for _ in 0..dice.range(0, 3) {
            let member = match dice.below(10) {
                0..=3 => format!("user:{}", dice.pick(&stock.users)),
                4..=6 => policies::account_member(dice, stock),
                // Only groups that are there already: no cycles.
                7..=8 if !stock.groups.is_empty() => format!("group:{}", dice.pick(&stock.groups)),
                _ => dice
                    .pick(&[
                        "user:gone@x.example".to_owned(),
                        "user:stranger@x.example".to_owned(),
                        "serviceAccount:stranger@svc.example".to_owned(),
                        rules::federated(dice, stock),
                        rules::federated(dice, stock),
                    ])
                    .clone(),
            };
            if !members.contains(&member) {
                members.push(member);
            }
        }
        let body = json!({
            "name": format!("{organization}/groups/g{number}"), "uid": format!("uid-g{number}"),
            "email": email, "members": members,
        });
        add(stock, "group", body);
        stock.groups.push(email);
    }
}

fn roles(dice: &Dice, stock: &mut Stock) {
    let mut owners = stock.organizations.clone();
    owners.extend(stock.projects.iter().filter(|_| dice.percent(20)).cloned());
    for owner in owners {
        for number in 0..dice.below(4) {
            let name = format!("{owner}/roles/r{number}");
            let inherits =
                dice.weighted(&[(2, ""), (1, "roles/team.member"), (1, "roles/team.viewer")]);
            let some = |count: usize| {
                let picked = (0..count).map(|_| dice.pick(&stock.permissions)).collect();
                unique(picked).into_iter().cloned().collect::<Vec<String>>()
            };
            let (always, own) = (some(8), some(5));
            let mut body = json!({
                "name": name, "title": format!("role {number}"), "inherits": inherits,
                "permissions": always, "own_permissions": own,
                "stage": dice.weighted(&[(2, "GA"), (1, "DISABLED")]),
            });
            if dice.percent(25) {
                body["deleted"] = json!(true);
            }
            add(stock, "role", body);
            let mut carried = stock.carried.get(inherits).cloned().unwrap_or_default();
            carried.extend(always.into_iter().chain(own));
            stock.carried.insert(name.clone(), carried);
            let membership = !inherits.is_empty();
            stock.roles.push(Role {
                name,
                owner: owner.clone(),
                membership,
            });
        }
    }
}
