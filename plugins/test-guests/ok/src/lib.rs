//! Answers with the model's name as the path, and echoes each read as a text event.

use bench_sdk::types::Event;

guest_stub::driver!(
    encode: |_, target: Target| Ok(guest_stub::encoded(format!("/{}", target.model), Vec::new())),
    push: |before: u32, bytes: Vec<u8>, ends: Vec<u32>| {
        let mut start = 0;
        let mut events = Vec::new();
        for (read, end) in (before..).zip(&ends) {
            let text = String::from_utf8_lossy(&bytes[start..*end as usize]).into_owned();
            events.push(LocatedEvent { read, event: Event::Text(text) });
            start = *end as usize;
        }
        Ok(events)
    }
);
