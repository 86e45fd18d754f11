//! Handles on plugins cannot be duplicated. A timed window takes them by value and gives them back when it closes
//! (`bench_load::measure`); that proves that no guest runs in between only as long as there is no second handle.

use bench_plugin::{Count, Driver, Scorer, Session, Task, Workload};

/// Tells whether `T` is `Clone`: its inherent constant, where that one's bound holds, is taken before its trait's.
struct Of<T>(T);

trait Otherwise {
    const IS_CLONE: bool = false;
}

impl<T> Otherwise for Of<T> {}

impl<T: Clone> Of<T> {
    const IS_CLONE: bool = true;
}

// Checked by the compiler: whoever makes one of these `Clone` breaks this build.
const _: () = {
    assert!(Of::<String>::IS_CLONE, "the question must be one that can be answered with yes");
    assert!(!Of::<Driver>::IS_CLONE);
    assert!(!Of::<Workload>::IS_CLONE);
    assert!(!Of::<Session>::IS_CLONE);
    assert!(!Of::<Count>::IS_CLONE);
    assert!(!Of::<Scorer>::IS_CLONE);
    assert!(!Of::<Task>::IS_CLONE);
};

#[test]
fn calls_need_the_only_owner() {
    fn takes_exclusively<H, R>(_call: fn(&mut H) -> R) {}
    takes_exclusively(Driver::probes);
    takes_exclusively(Driver::telemetry);
}
