//! Asks the host for something that no plugin gets.

mod wanted {
    wit_bindgen::generate!({
        inline: "package acme:files@1.0.0; interface read { everything: func() -> list<u8>; } world needs { import read; }",
    });
}

guest_stub::driver!(encode: |_, _| Ok(guest_stub::encoded("/".to_owned(), wanted::acme::files::read::everything())));
