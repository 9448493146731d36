//! Conditions: any text is refused or compiled, and what is compiled ends, for any site, as
//! often the same, within the cost that was foreseen (the evaluator asserts it).
#![no_main]

use libfuzzer_sys::fuzz_target;
use postern::condition::{Attributes, Condition, Outcome, Site};
use postern::limits::{CONDITION_BYTES_MAX, CONDITION_STEPS_MAX};
use postern::model::query::UnixTime;
use postern::model::value::{Struct, Value};

fn fields(count: usize, text: &str) -> Struct {
    let text = || Value::String(text.to_owned());
    let inner = Struct((0..8).map(|at| (format!("k{at}"), text())).collect());
    Struct(vec![
        ("a".to_owned(), Value::List((0..count).map(|_| text()).collect())),
        ("b".to_owned(), Value::Struct(inner)),
        ("c".to_owned(), text()),
        ("d".to_owned(), Value::Number(3.0)),
    ])
}

fuzz_target!(|text: &str| {
    let worlds = [fields(2, "a"), fields(220, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")];
    for site in [Site::Allow, Site::Deny, Site::Boundary, Site::Provider] {
        let condition = match Condition::compile(text, site) {
            Ok(condition) => condition,
            Err(fault) => {
                assert!(!fault.to_string().contains('\n'), "{fault}");
                continue;
            }
        };
        assert!(text.len() <= CONDITION_BYTES_MAX);
        assert!(condition.foreseen_steps() <= CONDITION_STEPS_MAX);
        for world in &worlds {
            let evaluate = || match site {
                Site::Provider => condition.evaluate_provider(world, world),
                Site::Allow | Site::Deny | Site::Boundary => condition.evaluate(&Attributes {
                    now: UnixTime(1_767_225_600),
                    request: world,
                    resource: world,
                    resource_name: Some("organizations/a/teams/t/projects/p"),
                    resource_type: "project",
                    tags: &|key| (key == "env").then_some("prod"),
                    source_ip: Some([10, 0, 0, 7].into()),
                    principal_subject: "user:ann@a.example",
                    principal_type: "user",
                }),
            };
            let outcome: Outcome = evaluate();
            assert_eq!(outcome, evaluate());
        }
    }
});
