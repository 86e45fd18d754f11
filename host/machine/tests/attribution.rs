//! Whose numbers these are, and what a record may show of the process that gave them.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bench_machine::Found;
use bench_machine::attribution::{
    Address, Attribution, ListeningProcess, Locality, attribute, find_listener, parse_proc_net_tcp, parse_stat_start,
    pick,
};
use bench_machine::redact;
use proptest::prelude::*;

const TCP: &str = include_str!("fixtures/written/net-tcp.txt");
const TCP6: &str = include_str!("fixtures/written/net-tcp6.txt");

fn process(executable: &str, arguments: &[&str]) -> Found<ListeningProcess> {
    Found::present(ListeningProcess {
        pid: 1,
        name: executable.chars().take(15).collect(),
        executable: executable.to_owned(),
        command_line: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        ..ListeningProcess::default()
    })
}

fn local(listener: &Found<ListeningProcess>) -> Attribution {
    attribute(Address::Loopback, Locality::SelfHosted, listener)
}

#[test]
fn an_engine_on_loopback_is_local() {
    assert_eq!(local(&process("llama-server", &["llama-server", "-m", "model.gguf"])), Attribution::LocalMachine);
    assert_eq!(local(&process("python3.11", &["python3", "/opt/bin/vllm", "serve"])), Attribution::LocalMachine);
}

#[test]
fn forwarders_on_loopback_are_not_local() {
    for (executable, arguments) in [
        ("ssh", &["ssh", "-L", "8080:localhost:8080", "gpu-box"][..]),
        ("kubectl", &["kubectl", "port-forward", "svc/vllm", "8000"]),
        ("docker-proxy", &["/usr/bin/docker-proxy"]),
        ("socat", &["socat"]),
        ("python3.11", &["/usr/bin/python3", "/home/x/.local/bin/litellm", "--port", "4000"]),
        ("qemu-system-aarch64", &["qemu-system-aarch64"]),
        ("wslrelay.exe", &["wslrelay.exe"]),
        ("session-manager-plugin", &[]),
    ] {
        let found = local(&process(executable, arguments));
        assert!(matches!(found, Attribution::Unknown { .. }), "{executable}: {found:?}");
    }
}

#[test]
fn a_remote_endpoint_is_never_local() {
    let engine = process("llama-server", &[]);
    let remote = |attribution| matches!(attribution, Attribution::Remote { .. });
    assert!(remote(attribute(Address::Network, Locality::SelfHosted, &engine)));
    assert!(remote(attribute(Address::Loopback, Locality::Hosted, &engine)));
    assert!(remote(attribute(Address::Network, Locality::Hosted, &Found::not_present("a listener"))));
}

#[test]
fn loopback_without_a_known_process_is_unknown() {
    for listener in [Found::not_present("a listener"), Found::failed("reading /proc/net/tcp")] {
        assert!(matches!(local(&listener), Attribution::Unknown { .. }));
    }
}

#[cfg(target_endian = "little")]
#[test]
fn sockets_are_read_from_both_files() {
    let mut listeners = parse_proc_net_tcp(TCP);
    assert_eq!(listeners.len(), 2, "established connections are passed over");
    assert_eq!(listeners[0].address, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let pick = |listeners: &[_], address, port| -> Vec<u64> {
        pick(listeners, address, port).iter().map(|listener| listener.inode).collect()
    };
    assert_eq!((listeners[0].port, listeners[0].inode), (8080, 4141));
    listeners.extend(parse_proc_net_tcp(TCP6));
    let v4 = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let v6 = Some(IpAddr::V6(Ipv6Addr::LOCALHOST));
    assert_eq!(pick(&listeners, v4, 8080), [4141], "the exact address wins over all addresses");
    assert_eq!(pick(&listeners, v6, 8080), [4242]);
    assert_eq!(pick(&listeners, v6, 9000), [4343]);
    assert_eq!(pick(&listeners, v4, 9000), [0_u64; 0], "an IPv6 loopback socket takes no IPv4 connection");
    assert_eq!(pick(&listeners, v4, 9001), [4545]);
    assert_eq!(pick(&listeners, v6, 9001), [0_u64; 0]);
    assert_eq!(pick(&listeners, None, 9000), [4343]);
}

#[test]
fn start_time_survives_an_odd_name() {
    let stat = "7 (a ) b) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 106829 1 1";
    assert_eq!(parse_stat_start(stat, "cpu  1\nbtime 1700000000\n", 100), Some(1_700_001_068));
    assert_eq!(parse_stat_start(stat, "cpu  1\n", 100), None);
    assert_eq!(parse_stat_start("", "btime 1", 0), None);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn this_very_process_is_found_behind_its_port() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let process = find_listener(Some(address.ip()), address.port()).await.into_value().unwrap();
    assert_eq!(process.pid, std::process::id());
    assert!(!process.executable.is_empty() && !process.command_line.is_empty());
    assert!(process.resident_bytes.unwrap() > 0);
    assert!(process.cpu_affinity.is_some() && process.started_unix_seconds.is_some());
    drop(socket);
    assert!(!find_listener(Some(address.ip()), address.port()).await.is_present());
}

fn redacted(line: &str) -> String {
    let arguments: Vec<String> = line.split('|').map(str::to_owned).collect();
    redact::command_line(&arguments).join("|")
}

#[test]
fn secrets_are_masked_wherever_they_stand() {
    for (line, clean) in [
        ("vllm|--api-key|abc|def|--port|80", "vllm|--api-key|<redacted>|<redacted>|--port|80"),
        ("s|--hf-token=abc", "s|--hf-token=<redacted>"),
        ("s|-hft|abc", "s|-hft|<redacted>"),
        ("env|HF_TOKEN=abc|s", "env|HF_TOKEN=<redacted>|s"),
        ("curl|-H|Authorization: Bearer abc", "curl|-H|Authorization:<redacted>"),
        ("s|--model|hf_0123456789abcdef0123", "s|--model|<redacted>"),
        ("s|--proxy|http://me:pw@host:1/x", "s|--proxy|http://<redacted>@host:1/x"),
        ("s|--url=https://h/v1?api_key=abc&n=1", "s|--url=https://h/v1?api_key=<redacted>&n=1"),
        ("sh|-c|exec s --token xyz --n 3", "sh|-c|exec s --token <redacted> --n 3"),
        // A value may hold spaces, so everything after it goes.
        ("sh|-c|API_KEY=abc def server", "sh|-c|API_KEY=<redacted>"),
        (
            r#"s|{"apiKey":"abc","n":[{"password":"x"}]}"#,
            r#"s|{"apiKey":"<redacted>","n":[{"password":"<redacted>"}]}"#,
        ),
        (r#"b|--param|extra={"api_key":"abc","n":1}"#, r#"b|--param|extra={"api_key":"<redacted>","n":1}"#),
        (r#"b|--param|secret={"n":1}"#, "b|--param|secret=<redacted>"),
        ("s|--device|GPU-01234567-89ab-cdef-0123-456789abcdef", "s|--device|<redacted>"),
    ] {
        assert_eq!(redacted(line), clean);
    }
}

#[test]
fn settings_stay_and_home_directories_lose_their_owner() {
    let line = "vllm|serve|--max-tokens|256|--max-model-len=4096|--tokenizer|x/y|--ctx-size|8192|-ngl|99";
    assert_eq!(redacted(line), line);
    assert_eq!(redacted("s|-m|/home/alice/models/m.gguf"), "s|-m|~/models/m.gguf");
    assert_eq!(redacted("s|--path=/Users/bob/m:/home/eve/n"), "s|--path=~/m:~/n");
}

#[test]
fn secret_names() {
    for name in ["--api-key", "HF_TOKEN", "apiKey", "OPENAI_API_KEY", "db.password", "x-auth", "hfToken"] {
        assert!(redact::is_secret_name(name), "{name}");
    }
    for name in ["--max-tokens", "--tokenizer", "--ssl-keyfile", "monkey", "--author", "OMP_NUM_THREADS", ""] {
        assert!(!redact::is_secret_name(name), "{name}");
    }
}

proptest! {
    #[test]
    fn a_key_never_gets_through(
        secret in "[A-Z0-9]{12,40}",
        before in prop::collection::vec("-{0,2}[a-z]{0,8}", 0..3),
        option in prop::sample::select(vec!["--api-key", "--hf-token", "-hft", "--password", "--auth-token"]),
        joined in any::<bool>(),
    ) {
        let mut line = before;
        if joined { line.push(format!("{option}={secret}")) } else { line.extend([option.to_owned(), secret.clone()]) }
        prop_assert!(!redact::command_line(&line).join(" ").contains(&secret));
    }

    #[test]
    fn nothing_panics(lines in prop::collection::vec("\\PC{0,40}", 0..6), text in "\\PC{0,200}") {
        let _ = redact::command_line(&lines);
        let _ = redact::text(&text);
        let _ = parse_proc_net_tcp(&format!("0: {text}:1F90 x 0A"));
        let _ = parse_stat_start(&text, &text, 100);
    }
}
