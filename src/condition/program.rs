//! What a condition is compiled to: a tree whose names are resolved, whose patterns, networks,
//! time zones and literals are read, and which fits the bounds of `limits`.

use ipnet::IpNet;

use crate::condition::pattern::Pattern;
use crate::condition::time::{Part, Zone};

/// One step of an evaluation.
pub(super) enum Node {
    Literal(Literal),
    Attribute(Attribute),
    /// `has()` of an attribute that may be absent.
    HasAttribute(Attribute),
    /// The variable of the macro at this depth.
    Variable(usize),
    Select(Box<Node>, Box<str>),
    HasField(Box<Node>, Box<str>),
    Index(Box<[Node; 2]>),
    List(Vec<Node>),
    /// A list of nothing but literals: it is its own value.
    Constants(Vec<Literal>),
    Map(Vec<(Node, Node)>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Conditional(Box<[Node; 3]>),
    Binary(Operator, Box<[Node; 2]>),
    Each(Box<Each>),
    Call(Function, Box<Node>),
    TextTest(TextTest, Box<[Node; 2]>),
    Matches(Box<Node>, Box<Pattern>),
    Part(Part, Box<Node>, Zone),
    MatchTag(Box<[Node; 2]>),
    ContainsSourceIp(IpNet),
    ContainsIp(IpNet, Box<Node>),
}

/// A value written in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    /// Nanoseconds since the Unix epoch.
    Time(i128),
    /// Nanoseconds.
    Duration(i64),
    Type(Kind),
}

/// What a condition may ask of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    RequestTime,
    RequestAttributes,
    ResourceName,
    ResourceType,
    ResourceAttributes,
    SourceIp,
    PrincipalSubject,
    PrincipalType,
    Assertion,
    Mapped,
}

/// The types that CEL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Time,
    Duration,
    Type,
    List,
    Map,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// A macro over the elements of a list or the keys of a map.
pub(super) struct Each {
    pub(super) quantifier: Quantifier,
    pub(super) range: Node,
    /// Where the variable lives: the number of macros around this one.
    pub(super) slot: usize,
    /// The predicate; `true` where a `map` has none.
    pub(super) predicate: Node,
    /// What `map` makes of each element.
    pub(super) result: Option<Node>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Exists,
    ExistsOne,
    /// `filter`, and `map` when there is a result.
    Collect,
}

/// Functions of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    ToInt,
    ToUint,
    ToDouble,
    ToText,
    ToBool,
    ToBytes,
    ToDuration,
    ToTime,
    TypeOf,
    Dyn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

// === impl Kind ===

impl Kind {
    /// The name in CEL.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Time => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::Type => "type",
            Self::List => "list",
            Self::Map => "map",
        }
    }

    /// The type of a name that is one word.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        [
            Self::Null,
            Self::Bool,
            Self::Int,
            Self::Uint,
            Self::Double,
            Self::Text,
            Self::Bytes,
            Self::Type,
            Self::List,
            Self::Map,
        ]
        .into_iter()
        .find(|kind| kind.name() == word)
    }

    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }
}

// === impl Literal ===

impl Literal {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Uint(_) => Kind::Uint,
            Self::Double(_) => Kind::Double,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
            Self::Time(_) => Kind::Time,
            Self::Duration(_) => Kind::Duration,
            Self::Type(_) => Kind::Type,
        }
    }

    /// Bytes of text, 0 for anything else.
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }
}
