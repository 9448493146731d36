//! Attribute values of a request: the plain form of `google.protobuf.Struct`.

/// One value.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "the variants are those of google.protobuf.Value"
)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    List(Vec<Value>),
    Struct(Struct),
}

/// Named values, in no order that matters; names are unique.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Struct(pub Vec<(String, Value)>);

impl Struct {
    /// No fields.
    pub const EMPTY: Self = Self(Vec::new());

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}
