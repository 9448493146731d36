//! Every bound of the program: value, unit, reason, and what happens at the bound.
//!
//! Nothing else in the crate writes a bound as a bare number.

use std::time::Duration;

// === names (SPEC 1.2) ===

/// Longest id, bytes. Longer: the name is malformed.
pub const ID_BYTES_MAX: usize = 128;
/// Longest resource name, bytes. Longer: the name is malformed.
pub const NAME_BYTES_MAX: usize = 1_024;
/// Most segments of a resource name. More: the name is malformed.
pub const NAME_SEGMENTS_MAX: usize = 32;
/// Most nodes from an organization down: two segments each.
pub const NODE_LEVELS_MAX: usize = NAME_SEGMENTS_MAX / 2;
/// Longest e-mail address, bytes (RFC 5321 path limit less the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Longest permission name, bytes; three ids would fit, nobody needs them.
pub const PERMISSION_BYTES_MAX: usize = 256;
/// Longest member or principal string, bytes: a name plus prefix and uid.
pub const MEMBER_BYTES_MAX: usize = 2_048;
/// Longest uid, bytes.
pub const UID_BYTES_MAX: usize = 128;
/// Longest title or display name, bytes.
pub const TEXT_BYTES_MAX: usize = 1_024;

// === one snapshot ===

/// Most entities of a snapshot. Ids are `u32`; the rest is head room. More: rejected.
pub const ENTITIES_MAX: usize = 64_000_000;
/// Most permissions, built-in and extended together: the width of a permission set.
/// More: rejected.
pub const PERMISSIONS_MAX: usize = 1_024;
/// Most bindings of one allow policy. More: rejected.
pub const BINDINGS_MAX: usize = 1_500;
/// Most members of one binding (Google: 1,500 principals a policy). More: rejected.
pub const BINDING_MEMBERS_MAX: usize = 1_500;
/// Most direct members of one group. More: rejected.
pub const GROUP_MEMBERS_MAX: usize = 100_000;
/// Deepest nesting of groups. Deeper, or a cycle: rejected.
pub const GROUP_DEPTH_MAX: usize = 16;
/// Most groups that one principal may belong to, nested ones counted: the decision's
/// longest loop. More: rejected.
pub const GROUPS_PER_PRINCIPAL_MAX: usize = 2_048;
/// Most seats of one user. More: rejected.
pub const SEATS_MAX: usize = 256;
/// Most tags of one node. More: rejected.
pub const TAGS_MAX: usize = 64;
/// Most entries of one list of a key's restrictions. More: rejected.
pub const RESTRICTIONS_MAX: usize = 100;
/// Most services that a project names. More: rejected.
pub const SERVICES_MAX: usize = 256;
/// Most values that one organization policy allows or denies (Google: 500). More: rejected.
pub const ORG_POLICY_VALUES_MAX: usize = 500;
/// Most deny rules attached to one node, over all its policies (FACTS B1.5a). More: rejected.
pub const DENY_RULES_PER_NODE_MAX: usize = 500;
/// Most principals of one list of a deny rule (FACTS B1.5e). More: rejected.
pub const RULE_PRINCIPALS_MAX: usize = 2_500;
/// Most resources of one access boundary (FACTS B1.6f). More: rejected.
pub const BOUNDARY_RESOURCES_MAX: usize = 500;
/// Most boundaries bound to one principal set (FACTS B1.6f). More: rejected.
pub const BOUNDARIES_PER_SET_MAX: usize = 10;
/// Most permissions that one role lists. More: rejected.
pub const ROLE_PERMISSIONS_MAX: usize = PERMISSIONS_MAX;
/// Most routes. More: rejected.
pub const ROUTES_MAX: usize = 100_000;
/// Most hosts of one route. More: rejected.
pub const ROUTE_HOSTS_MAX: usize = 64;
/// Most methods of one route. More: rejected.
pub const ROUTE_METHODS_MAX: usize = 16;
/// Most pairs of a host and a method of all routes together: the entries of the table of
/// routes. More: rejected.
pub const ROUTE_ENTRIES_MAX: usize = 1_000_000;
/// Longest path template or gRPC method of a route, bytes. Longer: rejected.
pub const TEMPLATE_BYTES_MAX: usize = 1_024;
/// Most segments of a path template: the deepest turn of the matching. More: rejected.
pub const TEMPLATE_SEGMENTS_MAX: usize = 32;
/// Longest host, bytes (RFC 1035). A route's longer one is rejected; a request's has no route.
pub const HOST_BYTES_MAX: usize = 253;
/// Longest label of a host, bytes (RFC 1035).
pub const HOST_LABEL_BYTES_MAX: usize = 63;
/// Longest HTTP method of a route, bytes. Longer: rejected.
pub const METHOD_BYTES_MAX: usize = 32;
/// Longest name of a variable of a path template, bytes. Longer: rejected.
pub const VARIABLE_BYTES_MAX: usize = 64;
/// Most issues that one validation reports; the count beyond it is still stated.
pub const ISSUES_MAX: usize = 10_000;
/// Default quota of user-managed service accounts of a project (FACTS B2.2).
pub const SERVICE_ACCOUNT_QUOTA_DEFAULT: u32 = 100;
/// Most API keys of one service account (FACTS A4.6). More: `QUOTA_EXCEEDED` on create.
pub const API_KEYS_PER_ACCOUNT_MAX: u32 = 100;
/// Most key pairs of one account that are not system-managed (FACTS B3.1).
pub const KEY_PAIRS_PER_ACCOUNT_MAX: u32 = 10;
/// Largest `context.count` of a creation decision (SPEC 5.4).
pub const CREATE_COUNT_MAX: u32 = 1_000;

// === credentials ===

/// Shortest foreign API key, bytes (SPEC 9.1).
pub const KEY_BYTES_MIN: usize = 20;
/// Longest foreign API key, bytes (SPEC 9.1).
pub const KEY_BYTES_MAX: usize = 256;
/// Shortest pepper, bytes: below it a leaked snapshot is worth guessing at.
pub const PEPPER_BYTES_MIN: usize = 32;
/// Largest pepper file, bytes.
pub const PEPPER_BYTES_MAX: usize = 4_096;
/// Longest life of a short-lived credential, seconds (SPEC 10.3), and its default.
pub const TOKEN_SECONDS: u64 = 3_600;
/// The same of an account on the extension list. Longer: `INVALID_ARGUMENT`.
pub const TOKEN_SECONDS_EXTENDED: u64 = 43_200;
/// Longest lifetime that a context may say in numbers, seconds: the longest duration of
/// protobuf. Longer: `INVALID_ARGUMENT`.
pub const LIFETIME_SECONDS_MAX: u64 = 315_576_000_000;

// === files ===

/// Largest YAML file, bytes (SPEC 2.2). Larger: use NDJSON.
pub const YAML_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Largest JSON or NDJSON file, bytes.
pub const JSON_BYTES_MAX: usize = 8 * 1024 * 1024 * 1024;
/// Longest line of NDJSON, bytes: one entity; a group of 100,000 members fits.
pub const NDJSON_LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting of a document; the schema needs 6.
pub const DOCUMENT_DEPTH_MAX: usize = 32;
/// Most files of a snapshot directory.
pub const SNAPSHOT_FILES_MAX: usize = 10_000;
/// Default interval of the content-hash poll (INTERFACES 2: 1-5 s).
pub const FEED_POLL: Duration = Duration::from_secs(2);
/// Time that the files must stand still before they are read after a change, and before
/// broken content is reported (INTERFACES 2: 50-100 ms).
pub const FEED_DEBOUNCE: Duration = Duration::from_millis(75);

// === requests ===

/// Most requests of one `BatchAuthorize` (SPEC 14). More: `INVALID_ARGUMENT`.
pub const BATCH_MAX: usize = 1_000;
/// Largest request message, bytes. A full batch of long names with attributes fits.
pub const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most fields of `context` or `resource_attributes`, nested ones counted.
pub const ATTRIBUTES_MAX: usize = 256;
/// Longest `request_id`, bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 256;
/// Longest attribution, bytes.
pub const ATTRIBUTION_BYTES_MAX: usize = EMAIL_BYTES_MAX;
/// Most delegates of one request.
pub const DELEGATES_MAX: usize = 16;
/// Longest wait for `min_revision` when the caller sets no deadline.
pub const MIN_REVISION_WAIT_MAX: Duration = Duration::from_secs(5);
/// Most concurrent streams of one HTTP/2 connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 1_024;
/// Most connections of the whole server. More: closed at once.
pub const CONNECTIONS_MAX: usize = 16_384;
/// Longest time until a new connection has sent its HTTP/2 preface and first frame; then it
/// is closed, so that nobody holds a place without speaking.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest header list of a request, bytes.
pub const HEADER_LIST_BYTES_MAX: u32 = 32 * 1024;
/// Longest drain after the signal to stop; then connections are cut.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Retired snapshots that wait for their last reader.
pub const RETIRED_MAX: usize = 64;
/// Interval at which retired snapshots are looked at for their last reader.
pub const RETIRED_POLL: Duration = Duration::from_millis(5);
/// Issues of a refused snapshot that are logged and shown by `GetSnapshot`; the rest is a
/// count, and `postern validate` lists them all.
pub const ISSUES_LOGGED_MAX: usize = 20;
/// Share of the time that polling may spend on hashing unchanged content, as a divisor: a
/// file that takes 1 ms to hash is hashed at most every 2 s (PERFORMANCE P13). A change that
/// the file system shows (inode, size, times) is read at the next poll whatever the size.
pub const FEED_HASH_SHARE: u32 = 2_000;
/// Longest wait for a file that keeps changing; then the next event or poll looks again.
pub const FEED_SETTLE_MAX: Duration = Duration::from_secs(5);
/// Requests that wait for `min_revision` at one time. More: `RESOURCE_EXHAUSTED`.
pub const WAITERS_MAX: usize = 4_096;
/// Advised delay before a request refused for overload is sent again.
pub const RETRY_AFTER: Duration = Duration::from_millis(250);
/// Part of the caller's deadline kept for the way back, as a divisor, so that the answer of
/// a wait arrives before the caller gives up.
pub const DEADLINE_MARGIN_DIVISOR: u32 = 10;
/// Age at which a connection is asked to end (plus or minus a tenth), so that long-lived
/// connections spread over the workers again.
pub const CONNECTION_AGE: Duration = Duration::from_secs(30 * 60);
/// Interval of HTTP/2 keep-alive pings on an idle connection.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// Wait for the answer to a keep-alive ping; then the connection is cut.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections handed to a worker that it has not taken yet. More: the acceptor waits.
pub const HANDOVER_MAX: usize = 256;
/// Pause after the system refused a new connection for want of descriptors or memory.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Names that `grpc.health.v1.Health/List` answers (gRFC A90). More: `RESOURCE_EXHAUSTED`.
pub const HEALTH_LIST_MAX: usize = 100;
/// Connections that the system queues for `accept`. More: refused or dropped by the system.
pub const BACKLOG: u32 = 1_024;
/// Longest interval of the content poll that may be configured.
pub const FEED_POLL_MAX: Duration = Duration::from_secs(3_600);
/// Most data-plane threads that may be configured.
pub const WORKERS_MAX: usize = 1_024;
/// Longest wait of the command line for a server's answer.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);
/// First size of a response's buffer, bytes: an `AuthorizeResponse` with long names fits.
pub const RESPONSE_BUFFER_BYTES: usize = 512;
/// Most parts of the path to a wrong field that a status tells.
pub const DECODE_PATH_MAX: usize = 8;
/// Bytes of encoded messages after which a stream of them is written.
pub const RESPONSE_YIELD_BYTES: usize = 32 * 1024;

// === look-ups (SPEC 11.4) ===

/// Most answers of one page, and how many come unasked: a response of the longest names stays
/// below 4 MiB. More asked for: `INVALID_ARGUMENT`.
pub const LOOKUP_PAGE_MAX: usize = 1_000;
/// Work of one page. A candidate that is passed over is one step, a decision 16: tens of
/// milliseconds. More: the page ends there, with a cursor.
pub const LOOKUP_STEPS_OF_A_PAGE: u64 = 1 << 20;
/// Work of all pages of a look-up: every entity of the largest snapshot is decided once, and
/// impersonation some. More: `RESOURCE_EXHAUSTED`.
pub const LOOKUP_STEPS_MAX: u64 = 1 << 34;
/// Work between two looks at whether somebody else waits, or nobody does any more.
pub const LOOKUP_STEPS_AT_ONCE: u64 = 4_096;
/// Look-ups that run or wait at one time. More: `RESOURCE_EXHAUSTED`.
pub const LOOKUPS_MAX: usize = 32;
/// How much their thread gives way to the others (nice(2)).
pub const LOOKUP_NICENESS: i32 = 10;

// === the proxy interface ===

/// Most headers of one `CheckRequest`; Envoy's own bound is 100 unless configured. More: 400.
pub const ENVOY_HEADERS_MAX: usize = 4_096;
/// Longest `Basic` credential, bytes as encoded: the longest key, and a user name of a
/// kilobyte. Longer: a bad credential.
pub const ENVOY_BASIC_BYTES_MAX: usize = 2_048;
/// First size of an answer's buffer, bytes: an allow with long names fits.
pub const ENVOY_ANSWER_BYTES: usize = 1_024;
/// `Retry-After` of a 429.
pub const ENVOY_RETRY_AFTER: Duration = Duration::from_secs(1);
/// Interval at which what shadow routes let through is told in the log.
pub const ENVOY_SHADOW_REPORT: Duration = Duration::from_secs(60);

// === other programs' configurations (`postern lint`) ===

/// Largest configuration, bytes. Larger: refused, check a part of it.
pub const LINT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Deepest nesting; protobuf reads 100 levels. Deeper: refused.
pub const LINT_DEPTH_MAX: usize = 100;
/// Most values, those written out of aliases counted. More: refused.
pub const LINT_NODES_MAX: usize = 4_000_000;
/// Most findings that one run shows; the count beyond it is still stated.
pub const LINT_FINDINGS_MAX: usize = 10_000;
/// Longest sensible time-out of a check, Envoy to Postern: an answer takes less than a
/// millisecond, and every client waits as long when Postern hangs.
pub const LINT_CHECK_TIMEOUT_MAX: Duration = Duration::from_secs(2);
/// Room that a `CheckRequest` needs beside a body, bytes: headers twice, and a certificate.
pub const LINT_CHECK_HEADERS_BYTES: usize = 256 * 1024;

// === an operator's cases (`postern test`) ===

/// Largest file of cases, bytes. Larger: refused, cut it.
pub const CASES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most cases of one file. More: refused.
pub const CASES_MAX: usize = 100_000;
/// Most files of one directory of cases. More: refused.
pub const CASE_FILES_MAX: usize = 10_000;
/// Most names of untouched things of one kind that are listed; the count beyond it is stated.
pub const COVERAGE_LISTED_MAX: usize = 1_000;

// === comparisons (`postern diff`) ===

/// Decisions that one comparison makes unless told otherwise; some minutes of one processor.
/// More would be needed: a part is drawn, and the answer says so.
pub const COMPARE_DECISIONS: u64 = 200_000_000;
/// The same of one `CompareSnapshot`: a quarter of a minute.
pub const COMPARE_SERVED_DECISIONS: u64 = 10_000_000;
/// Pairs that one `CompareSnapshot` decides before others take their turn; each is some hundred
/// decisions.
pub const COMPARE_SERVED_AT_ONCE: u64 = 16;
/// Most groups, and most keys of each list, of one answer.
pub const COMPARE_PAGE_MAX: usize = 1_000;
/// Pairs of principal and resource that are decided between two words of progress.
pub const COMPARE_PAIRS_AT_ONCE: u64 = 1_024;
/// Most groups of like changes that are kept; triples of further ones are only counted.
pub const COMPARE_GROUPS_MAX: usize = 100_000;
/// Groups, keys, teams and entities of each kind that are listed unless told otherwise; the
/// count beyond it is stated.
pub const COMPARE_LISTED: usize = 20;
/// Principals and permissions that a listed group names.
pub const COMPARE_NAMED: usize = 3;

// === conditions (SPEC 7.2); over one of these is an issue when the snapshot is loaded ===

/// Longest expression, bytes. The longest that a person reads is a tenth of it.
pub const CONDITION_BYTES_MAX: usize = 4_096;
/// Most nodes of an expression, macros counted as written.
pub const CONDITION_NODES_MAX: usize = 512;
/// Deepest nesting of an expression: the recursion of every walk over it.
pub const CONDITION_DEPTH_MAX: usize = 32;
/// Deepest nesting that the parser follows; its own recursion, one level per bracket.
pub const CONDITION_PARSE_DEPTH_MAX: u16 = 48;
/// Most `?` of the text: the parser recurses once for each conditional in a row.
pub const CONDITION_QUESTIONS_MAX: usize = 64;
/// Most logical operators, `&&`, `||` and `!` (SPEC 7.2, FACTS B1.9b).
pub const CONDITION_LOGICAL_MAX: usize = 12;
/// Deepest nesting of macros: two are a product, three are a way to hang.
pub const CONDITION_MACROS_DEEP_MAX: usize = 2;
/// Most elements of one list literal: a list of departments or projects.
pub const CONDITION_LIST_MAX: usize = 256;
/// Most entries of one map literal; a repeated key is found by comparing each with each.
pub const CONDITION_MAP_MAX: usize = 32;
/// Most regular expressions of one condition; each may hold a table.
pub const CONDITION_PATTERNS_MAX: usize = 4;
/// Longest regular expression, bytes.
pub const CONDITION_PATTERN_BYTES_MAX: usize = 256;
/// Deepest nesting of a regular expression.
pub const CONDITION_PATTERN_DEPTH_MAX: u32 = 24;
/// Largest table of a regular expression, bytes.
pub const CONDITION_PATTERN_TABLE_BYTES_MAX: usize = 256 * 1024;
/// Most memory to build one table, bytes; it bounds the time too.
pub const CONDITION_PATTERN_BUILD_BYTES_MAX: usize = 1024 * 1024;
/// Largest worst case of one evaluation, steps, a step being some 10 ns: a macro over 256
/// attributes inside another fits, with little to do for each pair.
pub const CONDITION_STEPS_MAX: u64 = 500_000;

// === what conditions are evaluated on; beyond it the outcome is an error (SPEC 7.3) ===

/// Most values of `context` or of `resource_attributes`, nested ones counted.
pub const CONDITION_INPUT_VALUES_MAX: usize = ATTRIBUTES_MAX;
/// Most bytes of names and texts of one of them.
pub const CONDITION_INPUT_BYTES_MAX: usize = 16 * 1024;
/// Deepest nesting of one of them.
pub const CONDITION_INPUT_DEPTH_MAX: usize = 16;
/// Most entries of two maps that are compared: each is looked up in the other.
pub const CONDITION_MAP_COMPARED_MAX: usize = 8;

// === explanations ===

/// Grants of one holder that a decision walks one by one; longer lists are searched.
pub const GRANTS_WALKED_MAX: usize = 16;
/// Most bindings of one policy that an explanation shows, those that matter first; the rest is
/// a count. The same of deny rules of one resource and of bindings of boundaries.
pub const EXPLAINED_LINES_MAX: usize = 100;
/// Most ways in which one list of members covers the principal that are shown; the rest is a
/// count. The same of the resources of a boundary.
pub const EXPLAINED_MATCHES_MAX: usize = 10;
/// Most remedies that an explanation offers.
pub const REMEDIES_MAX: usize = 6;
/// Most steps of the search for a remedy; each may be several changes of one kind.
pub const REMEDY_STEPS_MAX: usize = 4;
/// Most combinations of changes that the engine tries for one explanation. Beyond it nothing
/// more is offered.
pub const REMEDIES_TRIED_MAX: usize = 64;
/// Most changes of one remedy. Beyond it it is none.
pub const REMEDY_CHANGES_MAX: usize = 8;
/// Most revisions that are kept beside the one that serves (`--keep-revisions`); each costs the
/// memory of a whole snapshot, so none is unless the operator says so.
pub const KEPT_REVISIONS_MAX: usize = 8;
