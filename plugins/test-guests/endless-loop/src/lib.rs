//! Never comes back.

guest_stub::driver!(encode: |_, _| {
    let mut count = 0u64;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
});
