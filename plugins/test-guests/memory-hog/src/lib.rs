//! Allocates for ever.

guest_stub::driver!(encode: |_, _| {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1; 1 << 20]));
    }
});
