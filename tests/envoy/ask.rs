//! Requests as Envoy sends them, and what every answer must hold.

use std::collections::{BTreeMap, HashMap};

use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::config::core::v3::{
    Address, HeaderMap, HeaderValue, HeaderValueOption, SocketAddress, address,
};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};
use envoy_types::pb::google::protobuf::Value;
use envoy_types::pb::google::protobuf::value::Kind;
use postern::credential::api_key;

pub const ANN: &str = "ann-s-personal-key-0001";
pub const ANN_ACME: &str = "ann-s-organization-key-1";
pub const BOB_OFF: &str = "bob-s-disabled-key-0001";
pub const ROBOT: &str = "robot-s-key-0000000001";
pub const NARROW: &str = "robot-s-narrow-key-00001";
pub const DOMAIN: &str = "mesh.acme.example";

/// The names that an upstream trusts.
pub const IDENTITY: [&str; 6] = [
    "x-postern-principal",
    "x-postern-organization",
    "x-postern-team",
    "x-postern-attributed-user",
    "x-postern-revision",
    "x-postern-request-id",
];

fn digest(key: &str) -> String {
    api_key::sha256(key)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A company with routes.
pub fn snapshot() -> String {
    let keys = [
        ("users/ann/keys/personal", "u-ann", ANN, ""),
        (
            "users/ann/keys/acme",
            "u-ann",
            ANN_ACME,
            ", organization: organizations/acme",
        ),
        ("users/bob/keys/off", "u-bob", BOB_OFF, ", disabled: true"),
        (
            "organizations/acme/teams/ml/serviceAccounts/robot/keys/k",
            "sa-robot",
            ROBOT,
            "",
        ),
        (
            "organizations/acme/teams/ml/serviceAccounts/robot/keys/narrow",
            "sa-robot",
            NARROW,
            ", restrictions: {cidrs: {values: [192.0.2.0/24]}, permissions: {any: true}, \
             resources: {any: true}}",
        ),
    ]
    .map(|(name, uid, key, more)| {
        let digest = digest(key);
        format!("- key: {{name: {name}, owner_uid: {uid}, api_key: {{sha256: {digest}}}{more}}}\n")
    })
    .concat();
    format!(
        "entities:\n\
         - organization: {{name: organizations/acme, display_name: Acme}}\n\
         - organization: {{name: organizations/other, display_name: Other}}\n\
         - team: {{name: organizations/acme/teams/ml, display_name: ML}}\n\
         - team: {{name: organizations/other/teams/t, display_name: T}}\n\
         - project: {{name: organizations/acme/teams/ml/projects/p, display_name: P}}\n\
         - project: {{name: organizations/acme/teams/ml/projects/open, visibility: PUBLIC}}\n\
         - project: {{name: organizations/other/teams/t/projects/x}}\n\
         - user: {{name: users/ann, uid: u-ann, email: ann@acme.example, username: ann}}\n\
         - user: {{name: users/bob, uid: u-bob, email: bob@acme.example, username: bob}}\n\
         - service_account: {{name: organizations/acme/teams/ml/serviceAccounts/robot, \
            uid: sa-robot, email: robot@acme.example}}\n\
         - service_account: {{name: organizations/acme/teams/ml/serviceAccounts/sidecar, \
            uid: sa-sidecar, email: sidecar@acme.example, authentication: FEDERATED, \
            federated_subject: \"spiffe://{DOMAIN}/ns/a/sa/sidecar\"}}\n\
         - service_account: {{name: organizations/acme/teams/ml/serviceAccounts/asleep, \
            uid: sa-asleep, email: asleep@acme.example, authentication: FEDERATED, disabled: true, \
            federated_subject: \"spiffe://{DOMAIN}/ns/a/sa/asleep\"}}\n\
         {keys}\
         - allow_policy: {{resource: organizations/acme/teams/ml, bindings: [{{role: \
            roles/team.member, members: [\"user:ann@acme.example\"]}}]}}\n\
         - route: {{name: routes/get, hosts: [api.example], kind: HTTP, methods: [GET], \
            path_template: \"/v1/{{team}}/{{project}}/runs\", permission: models.runs.get, \
            resource: \"organizations/acme/teams/{{team}}/projects/{{project}}\"}}\n\
         - route: {{name: routes/open, hosts: [api.example], kind: HTTP, methods: [GET], \
            path_template: \"/open/{{project}}\", permission: models.runs.get, \
            resource: \"organizations/acme/teams/ml/projects/{{project}}\", anonymous: ALLOW}}\n\
         - route: {{name: routes/shadow, hosts: [api.example], kind: HTTP, methods: [GET], \
            path_template: \"/shadow/{{project}}\", permission: models.runs.get, \
            resource: \"organizations/acme/teams/ml/projects/{{project}}\", mode: SHADOW}}\n\
         - route: {{name: routes/grpc, hosts: [\"*\"], kind: GRPC, grpc_method: acme.v1.Runs/Get, \
            permission: models.runs.get, resource: organizations/acme/teams/ml/projects/p}}\n"
    )
}

/// A request in the making.
#[derive(Clone)]
pub struct Ask {
    pub host: String,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub map: bool,
    pub extensions: Vec<(&'static str, &'static str)>,
    pub principal: String,
    pub source: String,
    pub body: Vec<u8>,
}

pub fn get(path: &str) -> Ask {
    Ask {
        host: "api.example".to_owned(),
        method: "GET".to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        map: false,
        extensions: Vec::new(),
        principal: String::new(),
        source: "198.51.100.7".to_owned(),
        body: Vec::new(),
    }
}

impl Ask {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn bearer(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub fn extension(mut self, name: &'static str, value: &'static str) -> Self {
        self.extensions.push((name, value));
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn request(self) -> CheckRequest {
        let (mut headers, mut map) = (HashMap::new(), Vec::new());
        for (key, value) in self.headers {
            if self.map {
                map.push(HeaderValue {
                    key,
                    value: String::new(),
                    raw_value: value.into_bytes(),
                });
            } else {
                headers.insert(key, value);
            }
        }
        let http = HttpRequest {
            id: "request-1".to_owned(),
            method: self.method,
            headers,
            header_map: self.map.then_some(HeaderMap { headers: map }),
            path: self.path,
            host: self.host,
            scheme: "https".to_owned(),
            size: -1,
            protocol: "HTTP/2".to_owned(),
            raw_body: self.body,
            ..HttpRequest::default()
        };
        let socket = SocketAddress {
            address: self.source,
            port_specifier: Some(PortSpecifier::PortValue(4711)),
            ..SocketAddress::default()
        };
        let source = Peer {
            address: Some(Address {
                address: Some(address::Address::SocketAddress(socket)),
            }),
            principal: self.principal,
            certificate: "-----BEGIN".to_owned(),
            ..Peer::default()
        };
        let extensions = self.extensions.into_iter();
        CheckRequest {
            attributes: Some(AttributeContext {
                source: Some(source.clone()),
                destination: Some(source),
                request: Some(Request {
                    time: None,
                    http: Some(http),
                }),
                context_extensions: extensions
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                ..AttributeContext::default()
            }),
        }
    }
}

/// What an answer comes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// `allow`, `shadow`, `unrouted`, or the HTTP status of a deny.
    pub what: String,
    pub set: BTreeMap<String, String>,
    pub removed: Vec<String>,
    pub metadata: BTreeMap<String, String>,
    pub client: BTreeMap<String, String>,
}

fn set(options: &[HeaderValueOption]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for option in options {
        let header = option.header.clone().expect("a header");
        // INTERFACES 0.1: both, whichever an Envoy reads.
        #[expect(deprecated, reason = "what released versions read")]
        let append = option.append.as_ref().map(|append| append.value);
        assert_eq!(append, Some(false), "{}", header.key);
        let action = HeaderAppendAction::OverwriteIfExistsOrAdd;
        assert_eq!(option.append_action(), action, "{}", header.key);
        assert!(
            header.raw_value.is_empty() && !header.value.is_empty(),
            "{}",
            header.key
        );
        assert!(
            !header.value.contains(['\r', '\n', '\0']),
            "{:?}",
            header.value
        );
        assert!(found.insert(header.key, header.value).is_none(), "twice");
    }
    found
}

fn metadata(response: &CheckResponse) -> BTreeMap<String, String> {
    let fields = response.dynamic_metadata.iter();
    let text = |(name, value): (&String, &Value)| {
        let text = match &value.kind {
            Some(Kind::StringValue(text)) => text.clone(),
            Some(Kind::BoolValue(is)) => is.to_string(),
            other => panic!("{other:?}"),
        };
        (name.clone(), text)
    };
    fields
        .flat_map(|metadata| &metadata.fields)
        .map(text)
        .collect()
}

/// Checks what holds of every answer, and reads it.
pub fn told(response: &CheckResponse) -> Told {
    let metadata = metadata(response);
    let status = response.status.as_ref().expect("a status is always set");
    let (what, sets, removed, client) = match response.http_response.as_ref().expect("a part") {
        HttpResponse::OkResponse(ok) => {
            assert_eq!(status.code, 0);
            let set = set(&ok.headers);
            for name in IDENTITY {
                let removed = ok.headers_to_remove.iter().filter(|n| **n == name).count();
                assert_eq!(removed, usize::from(!set.contains_key(name)), "{name}");
            }
            assert!(ok.query_parameters_to_set.is_empty());
            assert!(ok.query_parameters_to_remove.is_empty());
            let what = match (metadata["decision"].as_str(), metadata["shadow"].as_str()) {
                ("deny", "true") => "shadow",
                ("allow", _) => "allow",
                ("unrouted", "false") => "unrouted",
                other => panic!("{other:?}"),
            };
            let client = self::set(&ok.response_headers_to_add);
            (what.to_owned(), set, ok.headers_to_remove.clone(), client)
        }
        HttpResponse::DeniedResponse(denied) => {
            assert_eq!(metadata["decision"], "deny");
            let code = denied.status.as_ref().expect("an HTTP status").code;
            let expected = match code {
                400 | 413 => 3,
                401 => 16,
                403 => 7,
                429 => 8,
                other => panic!("{other}"),
            };
            assert_eq!(status.code, expected);
            let client = set(&denied.headers);
            assert_eq!(client["content-type"], "application/problem+json");
            let body: serde_json::Value = serde_json::from_str(&denied.body).expect("JSON");
            assert_eq!(body["status"], code);
            assert_eq!(client.contains_key("www-authenticate"), code == 401);
            assert_eq!(client.contains_key("retry-after"), code == 429);
            (code.to_string(), BTreeMap::new(), Vec::new(), client)
        }
        HttpResponse::ErrorResponse(error) => {
            assert_eq!(
                (status.code, error.status.as_ref().map(|s| s.code)),
                (14, Some(503))
            );
            (
                "error".to_owned(),
                BTreeMap::new(),
                Vec::new(),
                BTreeMap::new(),
            )
        }
    };
    Told {
        what,
        set: sets,
        removed,
        metadata,
        client,
    }
}
