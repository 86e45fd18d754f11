//! Reading recorded traces.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::io::Cursor;
use std::time::Duration;

use bench_load::{Format, Length, LoadError, LoadSpec, Replay, ReplaySpec};
use proptest::prelude::*;

fn spec(options: &str) -> ReplaySpec {
    let LoadSpec::Replay(spec) = format!("replay:trace{options}").parse().unwrap() else { panic!("{options}") };
    spec
}

fn read(trace: &str, options: &str, length: Length) -> Result<Replay, LoadError> {
    Replay::read(Cursor::new(trace), &spec(options), length)
}

const ANY: Length = Length { duration: None, requests: None };

/// Lines in the form of the published traces.
const MOONCAKE: &str = "\
{\"timestamp\": 0, \"input_length\": 1030, \"output_length\": 5, \"hash_ids\": [0, 1, 2]}
{\"timestamp\": 3000, \"input_length\": 600, \"output_length\": 7, \"hash_ids\": [0, 3]}

{\"timestamp\": 3000.5, \"input_length\": 40, \"output_length\": 0, \"hash_ids\": [4, 5], \"session\": \"x\"}
";

const AZURE: &str = "\u{feff}TIMESTAMP,ContextTokens,GeneratedTokens\r
2023-11-16 18:15:46.6805900,374,44\r
2023-11-16 18:15:50.9951690,396,109\r
";

#[test]
fn mooncake_has_times_lengths_and_prefixes() {
    let replay = read(MOONCAKE, "", ANY).unwrap();
    assert_eq!((replay.format, replay.block_tokens), (Format::Mooncake, 512));
    let seen: Vec<_> = replay
        .requests
        .iter()
        .map(|request| (request.at_ns, request.input_tokens, request.output_tokens, request.prefix_blocks.as_slice()))
        .collect();
    let wanted: [(u64, u32, u32, &[u64]); 3] =
        [(0, 1030, 5, &[0, 1, 2]), (3_000_000_000, 600, 7, &[0, 3]), (3_000_500_000, 40, 1, &[4])];
    assert_eq!(seen, wanted);
    assert!(replay.notes.iter().any(|note| note.contains("surplus")), "{:?}", replay.notes);
    assert!(replay.notes.iter().any(|note| note.contains("given one")), "{:?}", replay.notes);
}

#[test]
fn azure_has_times_and_lengths() {
    let replay = read(AZURE, "", ANY).unwrap();
    assert_eq!((replay.format, replay.block_tokens), (Format::Azure, 0));
    assert_eq!(replay.requests[0].input_tokens, 374);
    assert_eq!((replay.requests[1].at_ns, replay.requests[1].output_tokens), (4_314_579_000, 109));
    // The traces of 2024 have an offset and six digits; midnight and month ends are crossed.
    let later = "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-02-29 23:59:59.500000+00:00,1,1\n2024-03-01T00:00:00Z,1,1\n\
                 2024-03-01 01:00:01+01:00,1,1\n";
    let times: Vec<u64> = read(later, "", ANY).unwrap().requests.iter().map(|request| request.at_ns).collect();
    assert_eq!(times, [0, 500_000_000, 1_500_000_000]);
}

const BAILIAN: &str = "\
{\"chat_id\": 0, \"parent_chat_id\": -1, \"timestamp\": 0.0, \"input_length\": 40, \"output_length\": 4, \"type\": \"text\", \"turn\": 1, \"hash_ids\": [11, 12, 13]}
{\"chat_id\": 2, \"parent_chat_id\": 0, \"timestamp\": 5.25, \"input_length\": 64, \"output_length\": 4, \"type\": \"text\", \"turn\": 2, \"hash_ids\": [11, 12, 13, 15]}
";

#[test]
fn bailian_counts_seconds_and_blocks_of_16_tokens() {
    let replay = read(BAILIAN, "", ANY).unwrap();
    assert_eq!((replay.format, replay.block_tokens), (Format::Bailian, 16));
    assert_eq!(replay.requests[1].at_ns, 5_250_000_000);
    assert_eq!(replay.requests[1].prefix_blocks, [11, 12, 13, 15]);
    // After lines of Mooncake, such a line is a mistake, unless the user knows better.
    let mixed = format!("{MOONCAKE}{BAILIAN}");
    let LoadError::BadTrace { line: 5, reason } = read(&mixed, "", ANY).unwrap_err() else { panic!("another error") };
    assert!(reason.contains("Qwen-Bailian") && reason.contains("Mooncake"), "{reason}");
    assert_eq!(read(BAILIAN, ",format=mooncake", ANY).unwrap().requests[1].at_ns, 5_250_000);
}

#[test]
fn burstgpt_counts_seconds() {
    let trace = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
                 5,ChatGPT,472,18,490,Conversation log\n45.5,GPT-4,1087,0,1087,API log\n";
    let replay = read(trace, "", ANY).unwrap();
    assert_eq!((replay.format, replay.block_tokens), (Format::BurstGpt, 0));
    assert_eq!((replay.requests[0].input_tokens, replay.requests[0].output_tokens), (472, 18));
    assert_eq!((replay.requests[1].at_ns, replay.requests[1].output_tokens), (40_500_000_000, 1));
    // The second release has more columns, and in another place.
    let second = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
                  1,9,2.5,GPT-4,10,20,30,API log\n";
    assert_eq!(read(second, "", ANY).unwrap().requests[0].output_tokens, 20);
    let bare = "5,ChatGPT,472,18,490,Conversation log\n";
    assert_eq!(read(bare, ",format=burstgpt", ANY).unwrap().requests[0].input_tokens, 472);
}

#[test]
fn what_producers_write_is_read() {
    let lengths = |replay: Replay| {
        replay.requests.iter().map(|request| (request.input_tokens, request.output_tokens)).collect::<Vec<_>>()
    };
    let nulls = "{\"timestamp\": 0, \"input_length\": 600.0, \"output_length\": 4.0, \"hash_ids\": [1, 2.0]}\n\
                 {\"timestamp\": 2000, \"input_length\": 100, \"output_length\": 4, \"hash_ids\": null, \"session_id\": null}\n";
    assert_eq!(lengths(read(nulls, "", ANY).unwrap()), [(600, 4), (100, 4)]);
    // Milliseconds since 1970.
    let absolute = "{\"timestamp\": 1764547200000, \"input_length\": 1, \"output_length\": 1}\n\
                    {\"timestamp\": 1764547203500, \"input_length\": 1, \"output_length\": 1}\n";
    let replay = read(absolute, "", ANY).unwrap();
    assert_eq!((replay.requests[0].at_ns, replay.requests[1].at_ns), (0, 3_500_000_000));
    let quoted = "\"TIMESTAMP\",\"ContextTokens\",\"GeneratedTokens\"\n\"2023-11-16 18:15:46.6805900\",480.0,\"4\"\n";
    assert_eq!(lengths(read(quoted, "", ANY).unwrap()), [(480, 4)]);
    let moved = "index,GeneratedTokens,ContextTokens,TIMESTAMP\n0,4,480,2023-11-16 18:15:46\n";
    assert_eq!(lengths(read(moved, "", ANY).unwrap()), [(480, 4)]);
}

#[test]
fn what_aiperf_adds_is_refused_by_its_name() {
    let session = "{\"session_id\": \"a\", \"timestamp\": 0, \"input_length\": 300, \"output_length\": 4}\n";
    assert_eq!(read(session, "", ANY).unwrap().format, Format::Aiperf);
    for (field, value) in [("delay", "1000"), ("text_input", "\"x\""), ("messages", "[]")] {
        let line = format!(
            "{session}{{\"session_id\": \"a\", \"{field}\": {value}, \"input_length\": 1, \"output_length\": 1}}\n"
        );
        let LoadError::BadTrace { line: 2, reason } = read(&line, "", ANY).unwrap_err() else {
            panic!("another error")
        };
        assert!(reason.contains(&format!("AIPerf's field `{field}`")), "{reason}");
    }
}

#[test]
fn a_foreign_format_is_named_by_its_fields() {
    let reason = |trace: &str| match read(trace, "", ANY).unwrap_err() {
        LoadError::BadTrace { reason, .. } => reason,
        other => panic!("{other}"),
    };
    let shared = reason("{\"id\": \"x\", \"conversations\": []}\n");
    assert!(shared.contains("`timestamp`") && shared.contains("`conversations`"), "{shared}");
    let no_answer = reason("{\"timestamp\": 0, \"input_length\": 600}\n");
    assert!(no_answer.contains("`output_length`"), "{no_answer}");
    let columns = reason("time,prompt,answer\n1,2,3\n");
    assert!(columns.contains("time,prompt,answer"), "{columns}");
    let fraction = reason("{\"timestamp\": 0, \"input_length\": 600.5, \"output_length\": 1}\n");
    assert!(fraction.contains("600.5"), "{fraction}");
}

#[test]
fn speed_and_length_apply_to_the_times() {
    let fast = read(MOONCAKE, ",speed=2", ANY).unwrap();
    assert_eq!(fast.requests[1].at_ns, 1_500_000_000);
    let short = Length { duration: Some(Duration::from_secs(3)), requests: None };
    let cut = read(MOONCAKE, "", short).unwrap();
    assert_eq!(cut.requests.len(), 1);
    assert!(cut.notes.iter().any(|note| note.contains("line 2")), "{:?}", cut.notes);
    assert_eq!(read(MOONCAKE, ",speed=3", short).unwrap().requests.len(), 3);
    assert_eq!(read(MOONCAKE, "", Length { duration: None, requests: Some(2) }).unwrap().requests.len(), 2);
    // What lies behind the end is not looked at.
    assert_eq!(read(&format!("{MOONCAKE}nonsense"), "", short).unwrap().requests.len(), 1);
}

#[test]
fn a_schedule_has_the_times_of_the_requests_and_a_mean_gap_behind_the_last() {
    let replay = read(MOONCAKE, "", ANY).unwrap();
    let schedule = replay.schedule(ANY);
    let times: Vec<u64> = schedule.arrivals.iter().map(|arrival| arrival.at_ns).collect();
    assert_eq!(times, [0, 3_000_000_000, 3_000_500_000]);
    assert_eq!(schedule.ends_ns(), 3_000_500_000 + 1_500_250_000);
    let asked = Length { duration: Some(Duration::from_secs(60)), requests: None };
    assert_eq!(read(MOONCAKE, "", asked).unwrap().schedule(asked).ends_ns(), 60_000_000_000);
}

#[test]
fn lines_out_of_order_are_sorted_and_told_of() {
    let trace = "{\"timestamp\":5,\"input_length\":1,\"output_length\":1}\n{\"timestamp\":1,\"input_length\":2,\"output_length\":1}\n\
                 {\"timestamp\":9,\"input_length\":3,\"output_length\":1}";
    let replay = read(trace, "", Length { duration: Some(Duration::from_millis(5)), requests: None }).unwrap();
    let seen: Vec<_> = replay.requests.iter().map(|request| (request.at_ns, request.input_tokens)).collect();
    assert_eq!(seen, [(0, 2), (4_000_000, 1)]);
    assert!(replay.notes[0].contains("sorted"), "{:?}", replay.notes);
}

#[test]
fn a_bad_line_is_named() {
    let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    let long = format!("{{\"timestamp\": 0, \"hash_ids\": [{}]}}", "1,".repeat(1 << 20));
    let request = |time: u64| format!("{{\"timestamp\":{time},\"input_length\":1,\"output_length\":1}}\n");
    let two_kinds = request(5) + &request(1_764_547_200_000);
    for (trace, options, line, word) in [
        ("", "", 0, "no request"),
        ("\n\n", "", 0, "no request"),
        (header, "", 0, "no request"),
        ("hello\n", "", 1, "neither"),
        ("{}\n", "", 1, "timestamp"),
        ("{\"timestamp\":0,\"input_length\":1,\"output_length\":1}\n[]", "", 2, "no request"),
        ("{\"timestamp\":-1,\"input_length\":1,\"output_length\":1}", "", 1, "no time"),
        ("{\"timestamp\":1e300,\"input_length\":1,\"output_length\":1}", "", 1, "no time"),
        (&two_kinds, "", 2, "year"),
        ("{\"timestamp\":0,\"input_length\":-1,\"output_length\":1}", "", 1, "no number"),
        ("{\"timestamp\":0,\"input_length\":99999999,\"output_length\":1}", "", 1, "99999999 prompt tokens"),
        (long.as_str(), "", 1, "longer than"),
        ("TIMESTAMP,A,B\n", "", 1, "columns"),
        (&format!("{header}2023-11-16,1,2"), "", 2, "no time"),
        (&format!("{header}2023-13-16 00:00:00,1,2"), "", 2, "no time"),
        (&format!("{header}2023-11-16 00:00:00.1234567890,1,2"), "", 2, "no time"),
        (&format!("{header}2023-11-16 00:00:00,x,2"), "", 2, "`x`"),
        (&format!("{header}2023-11-16 00:00:00,1"), "", 2, "the fields"),
        (MOONCAKE, ",format=azure", 1, "no time"),
        (AZURE, ",format=mooncake", 1, "no request"),
    ] {
        let error = read(trace, options, ANY).unwrap_err();
        let LoadError::BadTrace { line: found, reason } = &error else { panic!("{error}") };
        assert_eq!(*found, line, "{error}");
        assert!(reason.contains(word), "{error}");
        assert!(error.code() == "bad-trace" && error.hint().is_some());
    }
    let error = Replay::read(Cursor::new(b"\xff\xfe\n"), &spec(""), ANY).unwrap_err();
    assert!(error.to_string().contains("UTF-8"), "{error}");
}

#[test]
fn the_blocks_of_a_trace_are_bounded() {
    let ids = (0..32_000).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let line = format!("{{\"timestamp\":0,\"input_length\":16777216,\"output_length\":1,\"hash_ids\":[{ids}]}}\n");
    let error = read(&line.repeat(600), "", ANY).unwrap_err();
    assert!(error.to_string().contains("blocks"), "{error}");
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(
        trace in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "(\\{\"timestamp\": ?-?[0-9.e]{1,8}, \"input_length\": [0-9]{1,12}, \"output_length\": [0-9]{1,4}\\}\n){1,4}".prop_map(String::into_bytes),
            "TIMESTAMP,ContextTokens,GeneratedTokens\n([0-9]{4}-[0-9ü]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,9})?(Z|[+-][0-9]{2}:[0-9]{2})?,[0-9]{1,9},[0-9]{1,9}\n){1,4}".prop_map(String::into_bytes),
        ],
        ms in prop::option::of(0_u64..10_000),
        requests in prop::option::of(0_u32..4),
        speed in 0.001..1e6_f64,
    ) {
        let length = Length { duration: ms.map(Duration::from_millis), requests };
        if let Ok(replay) = Replay::read(Cursor::new(trace), &ReplaySpec { speed, ..spec("") }, length) {
            prop_assert!(replay.requests.is_sorted_by_key(|request| request.at_ns));
            prop_assert_eq!(replay.requests[0].at_ns, 0);
            prop_assert!(requests.is_none_or(|most| replay.requests.len() <= most.max(1) as usize));
            prop_assert_eq!(replay.schedule(length).arrivals.len(), replay.requests.len());
        }
    }
}
