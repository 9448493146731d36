// Turns the conformance tests of the CEL specification, as the npm package @bufbuild/cel-spec
// carries them, into conditions: `file/section/name`, what is expected, the condition, with
// tabs between. What a condition cannot say is written with the reason instead.
//
// Usage: node cel-vectors.mjs PATH-OF-conformance.js > vectors.txt

const { tests } = await import(process.argv[2]);

const TYPES = { int64Value: "int", uint64Value: "uint", doubleValue: "double" };

function bytes(base64) {
  const hex = Buffer.from(base64, "base64").toString("hex");
  return `b"${hex.replace(/../g, "\\x$&")}"`;
}

function double(value) {
  if (value === "Infinity") return "double('inf')";
  if (value === "-Infinity") return "double('-inf')";
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

// The literal of a value; undefined: there is none.
function literal(value) {
  const [[kind, inner]] = Object.entries(value);
  switch (kind) {
    case "int64Value": return inner;
    case "uint64Value": return `${inner}u`;
    case "doubleValue": return inner === "NaN" ? undefined : double(inner);
    case "stringValue": return JSON.stringify(inner);
    case "bytesValue": return bytes(inner);
    case "boolValue": return String(inner);
    case "nullValue": return "null";
    case "typeValue": return inner;
    case "listValue": return joined("[", inner.values ?? [], literal, "]");
    case "mapValue": return joined("{", inner.entries ?? [], entry, "}");
    case "objectValue": return message(inner);
    default: return undefined;
  }
}

function entry({ key, value }) {
  const [k, v] = [literal(key), literal(value)];
  return k === undefined || v === undefined ? undefined : `${k}: ${v}`;
}

function joined(open, parts, of, close) {
  const texts = parts.map(of);
  return texts.includes(undefined) ? undefined : open + texts.join(", ") + close;
}

function message(inner) {
  switch (inner["@type"]) {
    case "type.googleapis.com/google.protobuf.Timestamp": return `timestamp('${inner.value}')`;
    case "type.googleapis.com/google.protobuf.Duration": return `duration('${inner.value}')`;
    default: return undefined;
  }
}

function condition(test) {
  let text;
  if (test.evalError) {
    text = `(${test.expr}) == null`;
  } else {
    const value = test.value ?? { boolValue: true };
    const [kind] = Object.keys(value);
    const expected = literal(value);
    if (value.doubleValue === "NaN") text = `(${test.expr}) != (${test.expr})`;
    else if (expected === undefined) return ["skip", "the expected value is a message"];
    else if (TYPES[kind]) {
      text = `type(${test.expr}) == ${TYPES[kind]} && (${test.expr}) == (${expected})`;
    } else text = `(${test.expr}) == ${expected}`;
  }
  // A variable is the element of a list of one.
  for (const [name, bound] of Object.entries(test.bindings ?? {})) {
    const value = bound.value && literal(bound.value);
    if (value === undefined) return ["skip", "a variable is a message"];
    if (!/^[A-Za-z_]\w*$/.test(name)) return ["skip", "a variable has a qualified name"];
    text = `[${value}].all(${name}, ${text})`;
  }
  return [test.evalError ? "error" : "true", text];
}

function walk(suite, path) {
  for (const { original: test } of suite.tests ?? []) {
    const [expected, text] = test.checkOnly || test.typedResult
      ? ["skip", "about the type checker alone"]
      : condition(test);
    console.log([`${path}/${test.name}`, expected, JSON.stringify(text)].join("\t"));
  }
  for (const inner of suite.suites ?? []) walk(inner, `${path}/${inner.name}`);
}

for (const file of tests.suites) walk(file, file.name);
