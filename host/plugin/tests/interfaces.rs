//! When one component can take the place of another, by their types.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use bench_plugin::{Incompatibility, Interface};
use common::{HOST, guest};

/// The interface of a component of these items, which is a driver beside.
fn read(items: &str) -> Interface {
    let driver = "(instance $driver) (export \"bench:plugin/driver@0.1.0\" (instance $driver))";
    HOST.interface(&wat::parse_str(format!("(component {items} {driver})")).unwrap()).unwrap()
}

/// A component that takes these items of an interface.
fn taking(name: &str, items: &str) -> Interface {
    read(&format!("(import \"{name}\" (instance {items}))"))
}

/// A component that gives functions of these names and parameters, each with the core types that they are passed as.
fn giving(name: &str, functions: &[(&str, &str, &str)]) -> Interface {
    let (mut core, mut lifted, mut exports) = (String::new(), String::new(), String::new());
    for (function, parameter, passed) in functions {
        core.push_str(&format!("(func (export \"{function}\") (param {passed}))"));
        lifted.push_str(&format!(
            "(func ${function} (param \"x\" {parameter}) (canon lift (core func $i \"{function}\")))"
        ));
        exports.push_str(&format!("(export \"{function}\" (func ${function}))"));
    }
    read(&format!(
        "(core module $m {core}) (core instance $i (instantiate $m)) {lifted} \
         (instance $o {exports}) (export \"{name}\" (instance $o))"
    ))
}

fn words(later: &Interface, earlier: &Interface) -> Vec<String> {
    later.incompatibilities(earlier).iter().map(ToString::to_string).collect()
}

const F: &str = r#"(export "f" (func (param "x" u32) (result string)))"#;
const G: &str = r#"(export "g" (func))"#;
const NONE: [String; 0] = [];

#[test]
fn the_same_types_are_compatible_and_so_are_later_versions_of_an_interface() {
    let earlier = taking("a:b/in@0.1.0", F);
    assert_eq!(words(&taking("a:b/in@0.1.0", F), &earlier), NONE);
    assert_eq!(words(&taking("a:b/in@0.1.9", F), &earlier), NONE);
    let said = [
        "it imports `a:b/in@0.2`, which the earlier one does not",
        "it imports `a:b/in@0.2 f`, which the earlier one does not",
    ];
    assert_eq!(words(&taking("a:b/in@0.2.0", F), &earlier), said);
    let earlier = giving("a:b/out@1.2.0", &[("f", "u32", "i32")]);
    assert_eq!(words(&giving("a:b/out@1.7.0", &[("f", "u32", "i32")]), &earlier), NONE);
    let said = ["it does not export `a:b/out@1` any more", "it does not export `a:b/out@1 f` any more"];
    assert_eq!(words(&giving("a:b/out@2.0.0", &[("f", "u32", "i32")]), &earlier), said);
}

#[test]
fn more_may_be_given_and_less_taken_but_not_the_other_way_round() {
    let (less, more) = (taking("a:b/in", F), taking("a:b/in", &[F, G].concat()));
    assert_eq!(less.incompatibilities(&more), []);
    assert_eq!(more.incompatibilities(&less), [Incompatibility::NewImport("a:b/in g".to_owned())]);
    let (f, g) = (("f", "u32", "i32"), ("g", "bool", "i32"));
    let (less, more) = (giving("a:b/out", &[f]), giving("a:b/out", &[f, g]));
    assert_eq!(more.incompatibilities(&less), []);
    assert_eq!(less.incompatibilities(&more), [Incompatibility::GoneExport("a:b/out g".to_owned())]);
}

#[test]
fn a_change_deep_in_a_type_is_found_and_shown() {
    let taken = |kind: &str| {
        let items = format!(
            "(type $t (record (field \"name\" string) (field \"value\" {kind}))) (export \"t\" (type $e (eq $t))) \
             (export \"f\" (func (param \"list\" (list $e)) (result (option (tuple $e bool)))))"
        );
        taking("a:b/in", &items)
    };
    let said = words(&taken("s64"), &taken("u32"));
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said.iter().all(|said| said.contains("in another shape") && said.contains("u32") && said.contains("s64")));
    assert_eq!(words(&taken("u32"), &taken("u32")), NONE);
    let said = words(
        &giving("a:b/out", &[("f", "(tuple s64 bool)", "i64 i32")]),
        &giving("a:b/out", &[("f", "(tuple u32 bool)", "i32 i32")]),
    );
    let shape = "`func(x: tuple<u32, bool>)` became `func(x: tuple<s64, bool>)`";
    assert_eq!(said, [format!("it exports `a:b/out f` in another shape: {shape}")]);
    // A parameter's name belongs to the interface as well, and so does which resource it is.
    assert_eq!(words(&taking("a:b/in", &F.replace("\"x\"", "\"y\"")), &taking("a:b/in", F)).len(), 1);
    let held = |first: &str, second: &str| {
        let items = format!(
            "(export \"one\" (type $one (sub resource))) (export \"two\" (type $two (sub resource))) \
             (export \"f\" (func (param \"x\" (own ${first})) (result (own ${second}))))"
        );
        taking("a:b/in", &items)
    };
    assert_eq!(words(&held("one", "two"), &held("one", "two")), NONE);
    let said = words(&held("two", "two"), &held("one", "two"));
    assert!(said.len() == 1 && said[0].contains("a:b/in one"), "{said:?}");
}

#[test]
fn real_plugins() {
    let read = |case: &str| HOST.interface(&guest(case)).unwrap();
    assert_eq!(words(&read("ok"), &read("trap")), NONE, "one world, whatever they do");
    let said = words(&read("wasi"), &read("ok"));
    assert!(said.first().is_some_and(|said| said.starts_with("it imports `wasi:")), "{said:?}");
    assert_eq!(words(&read("ok"), &read("wasi")), NONE, "what needs less is compatible");
    assert_eq!(HOST.interface(&guest("wrong-world")).unwrap_err().code(), "plugin-no-world");
    assert_eq!(HOST.interface(b"nothing").unwrap_err().code(), "plugin-not-wasm");
}
