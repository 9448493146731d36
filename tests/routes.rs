//! The table of routes: which route takes a call, and for which resource. Against examples,
//! and against a matcher that looks at every route of the document.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may stop at once"
)]

#[path = "routes/linear.rs"]
mod linear;

use postern::graph::document::{
    Anonymous, Document, Entity, Located, Mode, Place, Route, RouteKind, RouteTarget,
};
use postern::graph::snapshot::Snapshot;
use postern::graph::{Options, build};
use postern::limits;
use postern::wire::feed::decode_one;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq};
use proptest::prelude::{any, prop_oneof, proptest};
use proptest::sample::select;

fn snapshot(yaml: &str) -> Snapshot {
    let text = format!("entities:\n{yaml}");
    let document =
        decode_one("a.yaml", text.as_bytes()).unwrap_or_else(|issues| panic!("{issues}"));
    let built = build(&document, None, &Options::default());
    built.unwrap_or_else(|issues| panic!("{issues}")).snapshot
}

/// `NAME RESOURCE`, or `-`.
fn found(snapshot: &Snapshot, call: &str) -> String {
    let mut words = call.split(' ');
    let mut word = || words.next().unwrap();
    let found = snapshot.routes().find(word(), word(), word());
    found.map_or_else(
        || "-".to_owned(),
        |found| {
            format!(
                "{} {}",
                &found.route.name["routes/".len()..],
                found.resource()
            )
        },
    )
}

fn http(name: &str, hosts: &str, methods: &str, path: &str, resource: &str) -> String {
    format!(
        "- route: {{name: routes/{name}, hosts: [{hosts}], kind: HTTP, methods: [{methods}], \
         path_template: '{path}', permission: models.runs.get, \
         resource: 'organizations/{resource}'}}\n"
    )
}

fn grpc(name: &str, method: &str) -> String {
    format!(
        "- route: {{name: routes/{name}, hosts: ['*'], kind: GRPC, grpc_method: {method}, \
         permission: models.runs.get, resource: organizations/a}}\n"
    )
}

// SPEC 13.1: literal segments, `{name}` for exactly one segment (never `-`), a final
// `{name=**}`; most specific wins.
#[test]
fn the_most_specific_template_wins() {
    let all = "'*'";
    let yaml = [
        http("root", all, "GET", "/", "root"),
        http("a", all, "GET", "/a", "a"),
        http("slash", all, "GET", "/a/", "slash"),
        http("one", all, "GET", "/a/{x}", "o/xs/{x}"),
        http("b", all, "GET", "/a/b", "b"),
        http("deep", all, "GET", "/a/b/c/{y}", "o/ys/{y}"),
        http("back", all, "GET", "/a/{x}/c/d/e", "o/xs/{x}"),
        http("rest", all, "GET", "/a/b/{r=**}", "o/{r}"),
        http("any", all, "GET", "/{r=**}", "o/xs/all"),
    ]
    .concat();
    let snapshot = snapshot(&yaml);
    for (call, expected) in [
        ("h GET /", "root organizations/root"),
        ("h GET /a", "a organizations/a"),
        ("h GET /a/", "slash organizations/slash"),
        ("h GET /a/b", "b organizations/b"),
        ("h GET /a/z", "one organizations/o/xs/z"),
        ("h GET /a/%20", "one organizations/o/xs/%20"),
        // `-` is no `{x}`, nor is it in a `{r=**}`.
        ("h GET /a/-", "-"),
        ("h GET /a/b/-", "-"),
        ("h GET /a/b/x/-/y", "-"),
        ("h GET /a/b/c/d", "deep organizations/o/ys/d"),
        ("h GET /a/b/c/", "rest organizations/o/c/"),
        ("h GET /a/b/", "rest organizations/o/"),
        ("h GET /a/b/runs/7", "rest organizations/o/runs/7"),
        // Back out of `/a/b/c/{y}` and `/a/{x}/c/d/e`.
        ("h GET /a/b/c/d/e", "rest organizations/o/c/d/e"),
        ("h GET /a/x/c/d/e", "back organizations/o/xs/x"),
        ("h GET /a/x/c/d", "any organizations/o/xs/all"),
        ("h GET /A", "any organizations/o/xs/all"),
        ("h GET a", "-"),
        ("h GET *", "-"),
        ("h POST /a", "-"),
    ] {
        assert_eq!(found(&snapshot, call), expected, "{call}");
    }
}

// SPEC 13.1: the method comes after the path. A route that asks for less must not take what
// the specific one does not.
#[test]
fn a_method_that_the_most_specific_template_does_not_take_has_no_route() {
    let all = "'*'";
    let yaml = [
        http("get", all, "GET", "/a/{x}", "o/xs/{x}"),
        http("put", all, "'PUT', 'PATCH'", "/a/{y}", "o/ys/{y}"),
        http("some", all, "'*'", "/{r=**}", "o/{r}"),
        http("b", all, "'*'", "/b/{x}", "o/bs/{x}"),
        http("bget", all, "GET", "/b/{y}", "o/cs/{y}"),
        http("host", "a.example", "GET", "/b/{z}", "o/hs/{z}"),
    ]
    .concat();
    let snapshot = snapshot(&yaml);
    for (call, expected) in [
        ("h GET /a/1", "get organizations/o/xs/1"),
        ("h PUT /a/1", "put organizations/o/ys/1"),
        ("h PATCH /a/1", "put organizations/o/ys/1"),
        ("h DELETE /a/1", "-"),
        ("h get /a/1", "-"),
        ("h * /a/1", "-"),
        ("h DELETE /x/1", "some organizations/o/x/1"),
        ("h GET /b/1", "bget organizations/o/cs/1"),
        ("h PUT /b/1", "b organizations/o/bs/1"),
        ("a.example GET /b/1", "host organizations/o/hs/1"),
        ("a.example PUT /b/1", "-"),
        ("a.example PUT /x/1", "some organizations/o/x/1"),
    ] {
        assert_eq!(found(&snapshot, call), expected, "{call}");
    }
}

// SPEC 13.1
#[test]
fn the_most_specific_host_that_has_the_path_decides() {
    let yaml = [
        http("exact", "x.a.example", "GET", "/p", "exact"),
        http("below", "'*.a.example'", "GET", "/p", "below"),
        http("above", "'*.example'", "GET", "/p", "above"),
        http("q", "'*.example'", "GET", "/q", "q"),
        http("any", "'*'", "GET", "/{r=**}", "o/{r}"),
    ]
    .concat();
    let snapshot = snapshot(&yaml);
    let long = format!("{}.a.example", "x".repeat(limits::HOST_BYTES_MAX));
    for (host, p, q) in [
        ("x.a.example", "exact", "q"),
        ("y.a.example", "below", "q"),
        ("z.x.a.example", "below", "q"),
        ("a.example", "above", "q"),
        ("b.example", "above", "q"),
        ("example", "any", "any"),
        (".example", "any", "any"),
        ("xa.example", "above", "q"),
        ("a.example.", "any", "any"),
        ("", "any", "any"),
        (long.as_str(), "-", "-"),
    ] {
        for (path, expected) in [("/p", p), ("/q", q)] {
            let found = found(&snapshot, &format!("{host} GET {path}"));
            assert_eq!(found.split(' ').next(), Some(expected), "{host} {path}");
        }
    }
}

// SPEC 13.1: a route says whether it is HTTP or gRPC.
#[test]
fn grpc_routes_take_posts_to_service_and_method() {
    let yaml = [
        grpc("get", "a.v1.Runs/Get"),
        grpc("runs", "a.v1.Runs/*"),
        http("page", "'*'", "GET", "/a.v1.Runs/Get", "page"),
    ]
    .concat();
    let snapshot = snapshot(&yaml);
    for (call, expected) in [
        ("h POST /a.v1.Runs/Get", "get organizations/a"),
        ("h POST /a.v1.Runs/List", "runs organizations/a"),
        ("h GET /a.v1.Runs/Get", "page organizations/page"),
        ("h PUT /a.v1.Runs/Get", "-"),
        ("h GET /a.v1.Runs/List", "-"),
        ("h POST /a.v1.Runs/", "-"),
        ("h POST /a.v1.Runs/-", "-"),
        ("h POST /a.v1.Runs/Get/", "-"),
        ("h POST /a.v1.Runs", "-"),
        ("h POST /a.v1.runs/Get", "-"),
    ] {
        assert_eq!(found(&snapshot, call), expected, "{call}");
    }
}

// SPEC 2.1: `_UNSPECIFIED` is ENFORCE and DENY.
#[test]
fn a_route_enforces_and_denies_the_anonymous_unless_it_says_otherwise() {
    let silent = http("r", "'*'", "GET", "/a", "a");
    let said = http("s", "'*'", "GET", "/b", "a")
        .replace("kind:", "mode: SHADOW, anonymous: ALLOW, kind:");
    let snapshot = snapshot(&[silent, said].concat());
    let routes = snapshot.routes();
    let row = |path| routes.find("h", "GET", path).unwrap().route;
    assert_eq!(row("/a").mode, Mode::Enforce);
    assert_eq!(row("/a").anonymous, Anonymous::Deny);
    assert_eq!(row("/b").mode, Mode::Shadow);
    assert_eq!(row("/b").anonymous, Anonymous::Allow);
    assert_eq!(&*row("/b").permission, "models.runs.get");
    assert_eq!(row("/b").kind, RouteKind::Http);
    assert_eq!(snapshot.counts().routes, 2);
    assert_eq!(routes.iter().count(), routes.len());
}

fn document(routes: Vec<Route>) -> Document {
    let located = |entity| Located {
        place: Place::default(),
        entity: Entity::Route(entity),
    };
    Document {
        revision: None,
        entities: routes.into_iter().map(located).collect(),
    }
}

fn codes(routes: Vec<Route>) -> Vec<&'static str> {
    let issues = build(&document(routes), None, &Options::default()).unwrap_err();
    issues
        .list()
        .iter()
        .map(|issue| issue.code.word())
        .collect()
}

fn plain(ix: usize) -> Route {
    Route {
        name: format!("routes/r{ix}"),
        hosts: vec!["*".to_owned()],
        kind: RouteKind::Http,
        methods: vec!["GET".to_owned()],
        target: RouteTarget::PathTemplate(format!("/{ix}")),
        permission: "models.runs.get".to_owned(),
        resource: "organizations/a".to_owned(),
        anonymous: Anonymous::Deny,
        mode: Mode::Enforce,
    }
}

// SPEC 2.4: every bound.
#[test]
fn more_routes_or_hosts_than_the_bounds_are_refused() {
    let many = (0..=limits::ROUTES_MAX).map(plain).collect();
    assert_eq!(codes(many), ["out_of_bounds"]);
    let hosts = |count| (0..count).map(|n| format!("h{n}")).collect();
    let mut route = plain(0);
    route.hosts = hosts(limits::ROUTE_HOSTS_MAX + 1);
    assert_eq!(codes(vec![route]), ["out_of_bounds"]);
    let wide = |ix| {
        let methods = (0..limits::ROUTE_METHODS_MAX).map(|n| format!("M{n}"));
        Route {
            hosts: hosts(limits::ROUTE_HOSTS_MAX),
            methods: methods.collect(),
            ..plain(ix)
        }
    };
    let each = limits::ROUTE_HOSTS_MAX * limits::ROUTE_METHODS_MAX;
    let all = (0..=limits::ROUTE_ENTRIES_MAX / each).map(wide).collect();
    assert_eq!(codes(all), ["out_of_bounds"]);
}

const HOSTS: [&str; 6] = [
    "*",
    "*.example",
    "*.a.example",
    "a.example",
    "x.a.example",
    "other",
];
const CALLED: [&str; 8] = [
    "example",
    "a.example",
    "x.a.example",
    "y.x.a.example",
    "b.example",
    ".example",
    "other",
    "",
];

/// A template of few different segments, so that many are alike.
fn template() -> impl Strategy<Value = RouteTarget> {
    let segment = select(vec!["a", "b", "-", "{}", "{}"]);
    let end = select(vec!["", "", "/", "/{=**}"]);
    let path = (prop::collection::vec(segment, 0..4), end).prop_map(|(segments, end)| {
        let mut text = String::new();
        for (ix, segment) in segments.into_iter().enumerate() {
            text.push('/');
            text.push_str(&segment.replace("{}", &format!("{{v{ix}}}")));
        }
        text.push_str(&end.replace('=', "rest="));
        let text = if text.is_empty() {
            "/".to_owned()
        } else {
            text
        };
        RouteTarget::PathTemplate(text)
    });
    let grpc = select(vec!["a/a", "a/b", "b/*", "a/*"]);
    prop_oneof![6 => path, 1 => grpc.prop_map(|m| RouteTarget::GrpcMethod(m.to_owned()))]
}

fn subset(of: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let some = prop::sample::subsequence(of, 1..=of.len().min(3));
    some.prop_map(|some| some.into_iter().map(str::to_owned).collect())
}

fn route() -> impl Strategy<Value = Route> {
    let methods = prop_oneof![
        3 => subset(&["GET", "POST", "PUT"]),
        1 => Just(vec!["*".to_owned()]),
    ];
    (template(), subset(&HOSTS), methods).prop_map(|(target, hosts, methods)| {
        let (kind, methods, resource) = match &target {
            RouteTarget::PathTemplate(text) => (RouteKind::Http, methods, linear::resource(text)),
            RouteTarget::GrpcMethod(_) => {
                (RouteKind::Grpc, Vec::new(), "organizations/g".to_owned())
            }
        };
        Route {
            hosts,
            kind,
            methods,
            target,
            resource,
            ..plain(0)
        }
    })
}

fn call() -> impl Strategy<Value = (&'static str, &'static str, String)> {
    let method = select(vec!["GET", "POST", "PUT", "get", "*"]);
    let segment = select(vec!["a", "a", "b", "-", "c", ""]);
    let path = (any::<bool>(), prop::collection::vec(segment, 0..5))
        .prop_map(|(rooted, parts)| [if rooted { "/" } else { "" }, &parts.join("/")].concat());
    (select(CALLED.to_vec()), method, path)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    // SPEC 13.1: two equally specific routes are an issue, and of others the most specific wins.
    #[test]
    fn the_table_finds_what_a_look_at_every_route_finds(
        routes in prop::collection::vec(route(), 1..14),
        calls in prop::collection::vec(call(), 60),
    ) {
        let mut routes = routes;
        for (ix, route) in routes.iter_mut().enumerate() {
            route.name = format!("routes/r{ix}");
        }
        if linear::conflicts(&routes) {
            let codes = codes(routes.clone());
            prop_assert!(codes.iter().all(|code| *code == "ambiguous_route"), "{codes:?}");
            routes = linear::without_conflicts(routes);
        }
        let built = build(&document(routes.clone()), None, &Options::default());
        let snapshot = built.unwrap_or_else(|issues| panic!("{issues}")).snapshot;
        for (host, method, path) in calls {
            let found = snapshot.routes().find(host, method, &path);
            let found = found.map(|f| (f.route.name.to_string(), f.resource().into_owned()));
            let expected = linear::find(&routes, host, method, &path);
            prop_assert_eq!(found, expected, "{} {} {}", host, method, path);
        }
    }
}
