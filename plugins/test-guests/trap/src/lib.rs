//! Panics when asked for a model named `panic`, so that a test can see it recover for another.

guest_stub::driver!(encode: |_, target: Target| {
    assert!(target.model != "panic", "as asked");
    Ok(guest_stub::encoded("/recovered".to_owned(), Vec::new()))
});
