//! The rules for what a plugin may have, and the file that the user's grants are kept in.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_grants::{
    AskedNeeds, CARRIED, Grant, GrantSource, Grants, KeyTarget, Permit, Selection, carried_needs, carried_permit,
};
use bench_plugin::{Host, HostOptions, Kind, Limits};
use bench_registry::{ItemKind, ItemName, PluginNeeds, Source, components};
use proptest::prelude::*;

fn needs(variables: &[&str], addresses: &[&str], programs: &[&str]) -> PluginNeeds {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    PluginNeeds { variables: set(variables), addresses: set(addresses), programs: set(programs) }
}

fn at(address: &str, named: bool) -> KeyTarget<'_> {
    KeyTarget { address, named }
}

fn name(text: &str) -> ItemName {
    ItemName::parse(text).unwrap()
}

fn registry(text: &str) -> GrantSource {
    GrantSource::of_registry(text)
}

/// The carried drivers ask for nothing that the table does not give, and the table gives nothing else.
#[test]
fn the_table_is_what_the_carried_drivers_ask_for() {
    let compiled = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    let host = Host::new(HostOptions { cache: Some(compiled) });
    let mut names = Vec::new();
    for component in components().iter().filter(|component| component.kind == Kind::Driver) {
        let plugin = host.load_known(component.bytes, component.sha256, Limits::DEFAULT).unwrap();
        let asked = PluginNeeds::ask_driver(&mut plugin.driver().unwrap()).unwrap();
        let mut given = carried_needs(component.name);
        // Python runs any code, so only the table can give it.
        given.programs.remove("python3");
        assert_eq!(asked, given, "{}", component.name);
        names.push(component.name);
    }
    assert!(CARRIED.iter().all(|grant| names.contains(&grant.driver)), "the table names {names:?} alone");
}

#[test]
fn a_plugin_without_a_grant_has_nothing() {
    let source = Source::Lock { registry: "main".to_owned(), lock: String::new() };
    let permit = Grants::default().permit(ItemKind::Driver, "vllm", &source, "");
    assert_eq!(permit, Permit::default());
    assert!(!permit.may_see_variable("VLLM_API_KEY"));
    assert!(!permit.may_send_variable("VLLM_API_KEY", at("http://127.0.0.1:8000", true)));
    assert!(!permit.may_launch("vllm"));
    assert!(!permit.may_reach("https://evil.example"));
    assert!(permit.may_reach("http://127.0.0.1:8000"), "loopback needs no grant");
}

#[test]
fn a_variable_goes_to_granted_origins_named_servers_and_this_machine() {
    let permit = Permit::granted(needs(&["KEY"], &["https://api.example.com"], &[]), None);
    assert!(permit.may_send_variable("KEY", at("https://api.example.com/v1", false)));
    assert!(permit.may_send_variable("KEY", at("http://localhost:8000", false)));
    assert!(permit.may_send_variable("KEY", at("https://other.example", true)));
    assert!(!permit.may_send_variable("KEY", at("https://other.example", false)));
    assert!(!permit.may_send_variable("KEY", at("https://api.example.com:444", false)));
    assert!(!permit.may_send_variable("KEY", at("http://api.example.com", false)));
    assert!(!permit.may_send_variable("OTHER", at("https://api.example.com", true)));
    assert!(!permit.may_send_variable("KEY", at("http://169.254.169.254", true)));
}

#[test]
fn a_survey_stays_on_this_machine_and_link_local_is_closed() {
    let foreign = Permit::granted(needs(&[], &["https://api.example.com"], &[]), None);
    assert!(foreign.may_reach("https://api.example.com") && !foreign.may_survey("https://api.example.com"));
    for address in ["http://169.254.169.254/latest", "http://[fe80::1]:80"] {
        assert!(!foreign.may_reach(address) && !foreign.may_survey(address) && !foreign.may_reach_named(address));
    }
    assert!(carried_permit("vllm").may_reach_named("http://169.254.10.2:8000"), "a cable between two machines");
}

#[test]
fn a_grant_belongs_to_one_source() {
    let mut grants = Grants::default();
    let mut grant = Grant::new(ItemKind::Driver, name("acme/fast"), registry("main"));
    grant.add_needs(&needs(&["FAST_KEY"], &["https://fast.example"], &["fast"]));
    grants.put(grant);
    let from = |registry: &str| Source::Lock { registry: registry.to_owned(), lock: String::new() };
    let permit = |source: &Source, sha256: &str| grants.permit(ItemKind::Driver, "acme/fast", source, sha256);
    assert!(permit(&from("main"), "x").may_launch("fast"));
    assert!(!permit(&from("other"), "x").may_launch("fast"));
    assert!(!permit(&Source::File("x.wasm".into()), &"ab".repeat(32)).may_launch("fast"));
    assert_eq!(registry("oci://ghcr.io/acme/fast:1@sha256:00"), registry("oci://ghcr.io/acme/fast:1@sha256:11"));
}

#[test]
fn grants_are_kept_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Grants::read(folder.path()).unwrap(), Grants::default());
    let mut grants = Grants::default();
    let file = GrantSource::Component("ab".repeat(32));
    let mut grant = Grant::new(ItemKind::Driver, name("fast"), file.clone());
    grant.add_needs(&needs(&["A", "B"], &["https://a.example"], &["fast"]));
    grant.memory = Some(1 << 27);
    grants.put(grant.clone());
    grants.write(folder.path()).unwrap();
    assert_eq!(Grants::read(folder.path()).unwrap(), grants);
    grant.remove_needs(&needs(&["A"], &["https://a.example"], &[]));
    grants.put(grant);
    let left = grants.get(ItemKind::Driver, "fast", &file).unwrap();
    assert_eq!(left.variables.len(), 1);
    assert!(left.variables[0].origins.is_empty() && left.addresses.is_empty());
    assert!(grants.remove(ItemKind::Driver, "fast", &file).is_some());
    assert!(grants.iter().next().is_none());
}

#[test]
fn a_damaged_file_is_an_error_and_no_grant() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| {
        bench_files::write_private(&folder.path().join(bench_grants::GRANTS_FILE), text.as_bytes()).unwrap();
    };
    for text in ["layout = 2", "layout = 1\n[[grant]]\nkind = \"driver\"", "\u{0}", "layout = 1\nmore = true"] {
        write(text);
        assert_eq!(Grants::read(folder.path()).unwrap_err().code(), "grants-damaged", "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_write_grants_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    Grants::default().write(folder.path()).unwrap();
    let file = folder.path().join(bench_grants::GRANTS_FILE);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o622)).unwrap();
    assert!(Grants::read(folder.path()).is_err());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Grants::read(folder.path()).is_err());
}

#[test]
fn only_what_is_asked_for_can_be_granted() {
    let asked = AskedNeeds {
        kind: ItemKind::Driver,
        name: name("acme/fast"),
        source: Some(registry("main")),
        needs: needs(&["KEY"], &["https://a.example"], &["fast"]),
        memory: Some(1 << 27),
    };
    let mut grants = Grants::default();
    assert_eq!(asked.missing_from(&grants), asked);
    let choice = Selection { variables: ["OTHER".to_owned()].into(), ..Selection::default() };
    assert_eq!(grants.add(&asked, &choice).unwrap_err().code(), "grant-not-asked");
    let choice = Selection { variables: ["KEY".to_owned()].into(), ..Selection::default() };
    grants.add(&asked, &choice).unwrap();
    let missing = asked.missing_from(&grants);
    assert_eq!((missing.needs, missing.memory), (needs(&[], &["https://a.example"], &["fast"]), Some(1 << 27)));
    grants.add(&asked, &Selection::default()).unwrap();
    assert!(asked.missing_from(&grants).is_empty());
    let source = Source::Lock { registry: "main".to_owned(), lock: String::new() };
    let permit = grants.permit(ItemKind::Driver, "acme/fast", &source, "");
    assert!(permit.may_send_variable("KEY", at("https://a.example", false)));
    let left = grants.revoke(ItemKind::Driver, "acme/fast", &registry("main"), &choice).unwrap().unwrap();
    assert!(left.variables.is_empty() && left.programs.contains("fast"));
    assert!(grants.revoke(ItemKind::Driver, "acme/fast", &registry("main"), &choice).is_err());
    assert_eq!(grants.revoke(ItemKind::Driver, "acme/fast", &registry("main"), &Selection::default()).unwrap(), None);
    let carried = AskedNeeds { source: None, ..asked };
    assert_eq!(grants.add(&carried, &Selection::default()).unwrap_err().code(), "grants-fixed");
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(text in "\\PC{0,200}") {
        let folder = tempfile::tempdir().unwrap();
        bench_files::write_private(&folder.path().join(bench_grants::GRANTS_FILE), text.as_bytes()).unwrap();
        let _ = Grants::read(folder.path());
    }
}
