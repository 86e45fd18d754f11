//! The driver keeps every driver's promises on its fixtures, which are written from the public documentation.

#[test]
fn every_fixture_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    assert!(bench_sdk::conformance::check::<driver_together::Plugin>(folder) > 0);
}
