//! Metered components do what they did, and count it.

use bench_meter::{MeterError, export, metered};
use wasmtime::component::{Component, Linker, TypedFunc};
use wasmtime::{Config, Engine, Error, Store, Trap};

type Exchange = TypedFunc<(i64,), (i64,)>;

/// A component around a core module that exports `f: func(n: u32) -> u32`.
fn component(module: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m {module})
            (core instance $i (instantiate $m))
            (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))"#
    );
    wat::parse_str(text).expect("the test's own text")
}

struct Running {
    store: Store<()>,
    f: TypedFunc<(u32,), (u32,)>,
    counters: Vec<Exchange>,
}

fn start(component: &[u8]) -> Running {
    let engine = Engine::default();
    let metered = metered(component).expect("it can be metered");
    let compiled = Component::from_binary(&engine, &metered).expect("it is still sound");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &compiled).expect("it starts");
    let f = instance.get_typed_func(&mut store, "f").expect("its own export is still there");
    let mut counters = Vec::new();
    while let Ok(counter) = instance.get_typed_func(&mut store, export(counters.len() as u32)) {
        counters.push(counter);
    }
    Running { store, f, counters }
}

impl Running {
    /// What a call answers, and what it used of so much.
    fn call(&mut self, n: u32, limit: i64) -> Result<(u32, i64), Error> {
        for counter in &self.counters {
            counter.call(&mut self.store, (-limit,))?;
        }
        let (answer,) = self.f.call(&mut self.store, (n,))?;
        let mut used = 0;
        for counter in &self.counters {
            used += limit + counter.call(&mut self.store, (0,))?.0;
        }
        Ok((answer, used))
    }
}

/// The answer to a call and what it used.
fn run(module: &str, n: u32) -> (u32, i64) {
    start(&component(module)).call(n, 1 << 40).expect("it ends")
}

/// What the engine's own count says of the same call, without the component around it.
fn engine_s_count(module: &str, n: i32) -> (i32, i64) {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).expect("an engine that counts");
    let module = wat::parse_str(format!("(module {module})")).expect("the test's own text");
    let module = wasmtime::Module::new(&engine, module).expect("a sound module");
    let mut store = Store::new(&engine, ());
    store.set_fuel(1 << 40).expect("it counts");
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).expect("it starts");
    let f = instance.get_typed_func::<i32, i32>(&mut store, "f").expect("its export");
    let answer = f.call(&mut store, n).expect("it ends");
    (answer, (1 << 40) - store.get_fuel().expect("it counts") as i64)
}

fn ended_by_the_counter(module: &str, n: u32, limit: i64) -> bool {
    let ended = start(&component(module)).call(n, limit).expect_err("it goes on for ever");
    matches!(ended.downcast_ref::<Trap>(), Some(Trap::BadConversionToInteger))
}

const SUM: &str = r#"(func (export "f") (param $n i32) (result i32) (local $sum i32)
    (loop $turn
        (local.set $sum (i32.add (local.get $sum) (local.get $n)))
        (br_if $turn (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))"#;

const FIBONACCI: &str = r#"(func $f (export "f") (param $n i32) (result i32)
    (if (i32.lt_u (local.get $n) (i32.const 2)) (then (return (local.get $n))))
    (i32.add (call $f (i32.sub (local.get $n) (i32.const 1))) (call $f (i32.sub (local.get $n) (i32.const 2)))))"#;

/// Calls through a table, a switch, a global of the module's own, several results, and ways out of loops.
const MIXED: &str = r#"
    (type $pair (func (param i32) (result i32 i32)))
    (global $seen (mut i32) (i32.const 40))
    (table funcref (elem $twice $thrice))
    (func $twice (type $pair) (local.get 0) (i32.mul (local.get 0) (i32.const 2)))
    (func $thrice (type $pair) (local.get 0) (i32.mul (local.get 0) (i32.const 3)))
    (func (export "f") (param $n i32) (result i32) (local $at i32) (local $sum i32)
        (block $out
            (loop $turn
                (br_if $out (i32.ge_u (local.get $at) (local.get $n)))
                (block $odd
                    (block $even
                        (br_table $even $odd (i32.and (local.get $at) (i32.const 1))))
                    (global.set $seen (i32.add (global.get $seen) (i32.const 1))))
                (call_indirect (type $pair) (local.get $at) (i32.and (local.get $at) (i32.const 1)))
                (local.set $sum (i32.add (local.get $sum)))
                (local.set $sum (i32.add (local.get $sum)))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br $turn)))
        (i32.add (local.get $sum) (global.get $seen)))"#;

#[test]
fn programs_answer_as_before_and_cost_at_least_what_the_engine_counts() {
    for (program, most) in [(SUM, 20_000), (FIBONACCI, 18), (MIXED, 5_000)] {
        for n in [1, 2, 3, 7, most] {
            let (answer, used) = run(program, n);
            let (wanted, counted) = engine_s_count(program, n as i32);
            assert_eq!(answer, wanted as u32);
            assert!((counted..=counted * 3 / 2 + 8).contains(&used), "{used} units of {counted} at {n}");
        }
    }
}

#[test]
fn a_program_without_a_way_out_of_a_stretch_costs_what_the_engine_counts() {
    for n in [1, 10, 1_000] {
        assert_eq!(run(SUM, n).1, engine_s_count(SUM, n as i32).1);
    }
}

#[test]
fn the_same_call_costs_the_same() {
    let mut running = start(&component(FIBONACCI));
    let first = running.call(12, 1 << 40).expect("it ends");
    assert_eq!(running.call(12, 1 << 40).expect("it ends"), first);
    assert_eq!(running.call(12, first.1 + 1).expect("it is just enough"), first);
    assert!(running.call(12, first.1 / 2).is_err(), "half is not");
}

#[test]
fn whatever_goes_on_for_ever_ends() {
    let forever = r#"(func (export "f") (param i32) (result i32) (loop $turn (br $turn)) (i32.const 0))"#;
    assert!(ended_by_the_counter(forever, 0, 1_000_000));
    // Without a loop: each function calls the next one twice.
    let calls: String = (0..60).map(|n| format!("(func $f{n} (call $f{0}) (call $f{0}))", n + 1)).collect();
    let tree = format!(r#"{calls}(func $f60)(func (export "f") (param i32) (result i32) (call $f0) (i32.const 0))"#);
    assert!(ended_by_the_counter(&tree, 0, 1_000_000));
    let tail = r#"(func $f (export "f") (param i32) (result i32) (return_call $f (local.get 0)))"#;
    assert!(ended_by_the_counter(tail, 0, 1_000_000));
}

#[test]
fn a_start_function_that_never_ends_is_ended() {
    let module = r#"(func $start (loop $turn (br $turn))) (start $start)
        (func (export "f") (param i32) (result i32) (local.get 0))"#;
    let engine = Engine::default();
    let metered = metered(&component(module)).expect("it can be metered");
    let compiled = Component::from_binary(&engine, &metered).expect("it is still sound");
    let ended = Linker::new(&engine).instantiate(Store::new(&engine, ()), &compiled).expect_err("it goes on for ever");
    assert!(matches!(ended.downcast_ref::<Trap>(), Some(Trap::BadConversionToInteger)));
}

#[test]
fn what_works_on_a_whole_range_costs_by_its_length() {
    let fill = r#"(memory 4) (func (export "f") (param $n i32) (result i32)
        (memory.fill (i32.const 0) (i32.const 7) (local.get $n))
        (memory.copy (i32.const 100) (i32.const 0) (local.get $n))
        (i32.load8_u (i32.const 100)))"#;
    let (few, many) = (run(fill, 16), run(fill, 160_016));
    assert_eq!((few.0, many.0), (7, 7));
    assert_eq!(many.1 - few.1, 2 * 10_000);
    let table = r#"(table 10000 funcref) (func (export "f") (param $n i32) (result i32)
        (table.fill (i32.const 0) (ref.null func) (local.get $n)) (i32.const 1))"#;
    assert_eq!(run(table, 9_000).1 - run(table, 1_000).1, 8_000);
    let known = r#"(memory 1) (func (export "f") (param i32) (result i32)
        (memory.fill (i32.const 0) (i32.const 7) (i32.const 1600)) (i32.const 1))"#;
    let shorter = known.replace("1600", "160");
    assert_eq!(run(known, 0).1 - run(&shorter, 0).1, 90);
}

#[test]
fn modules_of_one_component_share_a_counter_and_components_inside_have_their_own() {
    let inner = r#"(component $inner
        (core module $m (func (export "g") (param i32) (result i32) (local $n i32)
            (local.set $n (local.get 0))
            (loop $turn (br_if $turn (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get 0)))
        (core instance $i (instantiate $m))
        (func (export "g") (param "n" u32) (result u32) (canon lift (core func $i "g"))))"#;
    let outer = r#"(component $outer
        (import "g" (func $imported (param "n" u32) (result u32)))
        (core func $g (canon lower (func $imported)))
        (core module $helper (func (export "h") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
        (core instance $helper (instantiate $helper))
        (core module $m
            (import "inner" "g" (func $g (param i32) (result i32)))
            (import "helper" "h" (func $h (param i32) (result i32)))
            (func (export "f") (param i32) (result i32) (call $h (call $g (local.get 0)))))
        (core instance $i (instantiate $m
            (with "inner" (instance (export "g" (func $g))))
            (with "helper" (instance $helper))))
        (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))"#;
    let text = format!(
        r#"(component {inner} {outer}
            (instance $inner (instantiate $inner))
            (instance $outer (instantiate $outer (with "g" (func $inner "g"))))
            (export "f" (func $outer "f")))"#
    );
    let mut running = start(&wat::parse_str(text).expect("the test's own text"));
    assert_eq!(running.counters.len(), 3, "one for each component, this one's included");
    let (answer, used) = running.call(1_000, 1 << 40).expect("it ends");
    assert_eq!(answer, 1_001);
    // Two calls of lent functions cost 1,000 each.
    assert!((7_000..8_100).contains(&used), "{used}");
    let ended = running.call(1_000_000, 100_000).expect_err("the inner one uses up its own");
    assert!(matches!(ended.downcast_ref::<Trap>(), Some(Trap::BadConversionToInteger)));
}

#[test]
fn what_is_not_counted_is_refused() {
    let body = r#"(func (export "f") (param i32) (result i32) (local.get 0))"#;
    let wide = component(&format!("(memory i64 1) {body}"));
    assert_eq!(metered(&wide), Err(MeterError::Unsupported("a 64-bit memory")));
    let throws = component(&format!("(tag $t) (func (throw $t)) {body}"));
    assert!(matches!(metered(&throws), Err(MeterError::Unsupported(_))));
    assert!(matches!(metered(b"\0asm"), Err(MeterError::Invalid(_))));
    let mut broken = component(SUM);
    let last = broken.len() - 1;
    broken[last] ^= 0xff;
    assert!(metered(&broken).is_err());
    let own = r#"(component (core module $m (func (export "f") (result i64) (i64.const 0)))
        (core instance $i (instantiate $m))
        (func (export "bench-meter") (result s64) (canon lift (core func $i "f"))))"#;
    let taken = metered(&wat::parse_str(own).expect("the test's own text")).expect("a name is no matter of counting");
    assert!(Component::from_binary(&Engine::default(), &taken).is_err(), "a plugin cannot bring a counter of its own");
}

/// A component inside of which one component lends `take` to another, which calls it `n` times with a text of 60,000 bytes.
fn lending(realloc: &str, take: &str, encoding: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (component $lender
                (core module $m (memory (export "memory") 2)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc})
                    (func (export "take") (param i32 i32)))
                (core instance $i (instantiate $m))
                (func (export "take") (param "text" {take})
                    (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")) {encoding})))
            (component $user
                (import "take" (func $take (param "text" {take})))
                (core module $memory (memory (export "memory") 2))
                (core instance $memory (instantiate $memory))
                (core func $take (canon lower (func $take) (memory (core memory $memory "memory"))))
                (core module $m
                    (import "other" "take" (func $take (param i32 i32)))
                    (func (export "f") (param $n i32) (result i32)
                        (loop $turn
                            (call $take (i32.const 0) (i32.const 60000))
                            (br_if $turn (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                        (i32.const 7)))
                (core instance $i (instantiate $m (with "other" (instance (export "take" (func $take))))))
                (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))
            (instance $lender (instantiate $lender))
            (instance $user (instantiate $user (with "take" (func $lender "take"))))
            (export "f" (func $user "f")))"#
    );
    wat::parse_str(text).expect("the test's own text")
}

#[test]
fn what_passes_between_components_costs_by_its_bytes_and_by_the_call() {
    for (kind, encoding, bytes) in
        [("string", "", 60_000), ("string", "string-encoding=utf16", 120_000), ("(list u8)", "", 60_000)]
    {
        let mut running = start(&lending("(i32.const 0)", kind, encoding));
        let (one, three) = (running.call(1, 1 << 40).expect("it ends").1, running.call(3, 1 << 40).expect("it ends").1);
        let each = (three - one) / 2;
        assert!((bytes + 1_000..bytes * 3 / 2 + 1_100).contains(&each), "{each} units for a {kind} {encoding}");
    }
}

#[test]
fn a_component_that_has_another_copy_texts_for_ever_ends() {
    let ended = start(&lending("(i32.const 0)", "string", "")).call(u32::MAX, 100_000_000).expect_err("it is ended");
    assert!(matches!(ended.downcast_ref::<Trap>(), Some(Trap::BadConversionToInteger)), "{ended:?}");
}

#[test]
fn what_cannot_be_charged_between_components_is_refused() {
    let wide = "(tuple u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8)".to_owned();
    let wider = (0..3).fold(wide, |kind, _| format!("(tuple {kind} {kind} {kind} {kind} {kind})"));
    assert!(matches!(
        metered(&lending("(i32.const 0)", &format!("(list {wider})"), "")),
        Err(MeterError::Unsupported(_))
    ));
    let mut many = String::from("(component ");
    for number in 0..6 {
        many += &format!(
            r#"(component $c{number} (core module $m (func (export "f"))) (core instance $i (instantiate $m))
                (func (export "f") (canon lift (core func $i "f"))))
            (instance $i{number} (instantiate $c{number}))"#
        );
    }
    many += ")";
    let many = wat::parse_str(many).expect("the test's own text");
    assert!(matches!(metered(&many), Err(MeterError::Unsupported(what)) if what.contains("four")));
}
