//! Canonical JSON against the vectors that RFC 8785 prints.

use bench_record::canonical::{canonical_json, record_digest, sha256_hex};
use proptest::prelude::*;
use serde_json::Value;

use super::fixture::run;

fn canonical(value: &impl serde::Serialize) -> String {
    String::from_utf8(canonical_json(value).unwrap()).unwrap()
}

#[test]
fn numbers_are_printed_as_appendix_b_says() {
    let vectors: [(u64, &str); 24] = [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ];
    for (bits, text) in vectors {
        assert_eq!(canonical(&f64::from_bits(bits)), text, "{bits:016x}");
    }
}

#[test]
fn numbers_that_are_none_are_refused() {
    for bits in [0x7fff_ffff_ffff_ffff_u64, 0x7ff0_0000_0000_0000] {
        assert_eq!(canonical_json(&f64::from_bits(bits)).unwrap_err().code(), "unwritable-record");
    }
}

#[test]
fn the_example_of_section_3_2_comes_out() {
    let input = r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
        "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#;
    let output = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
                  \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
    assert_eq!(canonical(&serde_json::from_str::<Value>(input).unwrap()), output);
}

#[test]
fn members_are_sorted_by_utf_16_units() {
    // The emoji's first unit is a surrogate, which sorts before U+FB33 though its code point does not.
    let input = "{\"\u{fb33}\":1,\"\u{1f600}\":2,\"1\":3,\"\\r\":4}";
    assert_eq!(
        canonical(&serde_json::from_str::<Value>(input).unwrap()),
        "{\"\\r\":4,\"1\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"
    );
}

#[test]
fn a_digest_is_that_of_sha_256() {
    assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_digest_survives_writing_and_reading_and_sees_every_change() {
    let record = run("a", &[5000, 5100, 5200]);
    let digest = record_digest(&record).unwrap();
    let back = bench_record::parse(&serde_json::to_vec(&record).unwrap(), "test").unwrap();
    assert_eq!(record_digest(&back).unwrap(), digest);
    let mut changed = record;
    changed.workloads[0].phases[0].requests[0].metrics.as_mut().unwrap().ttft_ms = Some(99.9);
    assert_ne!(record_digest(&changed).unwrap(), digest);
}

proptest! {
    #[test]
    fn canonical_json_reads_back_as_the_same_number(number in proptest::num::f64::NORMAL) {
        let text = canonical(&number);
        prop_assert_eq!(text.parse::<f64>().unwrap(), number);
        prop_assert_eq!(serde_json::from_str::<f64>(&text).unwrap(), number);
    }
}
