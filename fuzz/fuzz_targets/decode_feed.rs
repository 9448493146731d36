//! Snapshot files for people: never a panic, and what is read survives every form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postern::graph;
use postern::wire::feed::{Form, decode_messages, decode_one, encode_messages};

fuzz_target!(|input: &[u8]| {
    for form in [Form::Yaml, Form::Json, Form::NdJson] {
        let name = format!("input.{}", form.extension());
        if let Ok(document) = decode_one(&name, input) {
            let built = graph::build(&document, None, &graph::Options::default());
            if let Err(issues) = built {
                assert!(!issues.is_empty(), "refused without an issue");
            }
        }
        let Ok(snapshot) = decode_messages(&[(&name, input)]) else { continue };
        for form in Form::ALL {
            let name = format!("again.{}", form.extension());
            let bytes = encode_messages(&snapshot, form);
            match decode_messages(&[(&name, bytes)]) {
                Ok(again) => assert_eq!(again, snapshot, "{form:?}"),
                Err(issues) => panic!("{form:?}: {issues}"),
            }
        }
    }
});
