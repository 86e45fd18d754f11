//! Digests of model files and the headers that they carry.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::path::{Path, PathBuf};

use bench_machine::Found;
use bench_machine::model::gguf::{self, HeaderError};
use bench_machine::model::{ModelDigest, ModelDigests, ModelError, ModelFormat, safetensors};
use proptest::prelude::*;

fn text(value: &str) -> Vec<u8> {
    [&(value.len() as u64).to_le_bytes(), value.as_bytes()].concat()
}

/// A GGUF file with one of each kind of metadata and two tensors.
fn gguf_file() -> Vec<u8> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let mut entry =
        |key: &str, kind: u32, value: &[u8]| entries.push([&text(key), &kind.to_le_bytes()[..], value].concat());
    entry("general.architecture", 8, &text("llama"));
    entry("general.name", 8, &text("Tiny Test"));
    entry("general.size_label", 8, &text("15M"));
    entry("general.file_type", 4, &15_u32.to_le_bytes());
    entry("llama.context_length", 4, &2048_u32.to_le_bytes());
    entry("llama.rope.freq_base", 6, &10_000_f32.to_le_bytes());
    entry("tokenizer.ggml.add_bos_token", 7, &[1]);
    let tokens = [&8_u32.to_le_bytes()[..], &2_u64.to_le_bytes(), &text("a"), &text("bc")].concat();
    entry("tokenizer.ggml.tokens", 9, &tokens);
    let scores = [&6_u32.to_le_bytes()[..], &3_u64.to_le_bytes(), &[0; 12]].concat();
    entry("tokenizer.ggml.scores", 9, &scores);
    let count = entries.len() as u64;
    let tensor = |name: &str, shape: &[u64], kind: u32| {
        let sizes: Vec<u8> = shape.iter().flat_map(|size| size.to_le_bytes()).collect();
        [&text(name), &(shape.len() as u32).to_le_bytes()[..], &sizes, &kind.to_le_bytes(), &0_u64.to_le_bytes()]
            .concat()
    };
    let head = [&b"GGUF"[..], &3_u32.to_le_bytes(), &2_u64.to_le_bytes(), &count.to_le_bytes()].concat();
    [head, entries.concat(), tensor("a.weight", &[256, 10], 12), tensor("b.bias", &[7], 0)].concat()
}

fn safetensors_file(header: &str) -> Vec<u8> {
    [text(header), vec![0; 64]].concat()
}

const HEADER: &str = r#"{"__metadata__":{"format":"pt"},"w":{"dtype":"BF16","shape":[4,8],"data_offsets":[0,64]}}"#;

/// SHA-256 of three bytes, from the standard's own example.
const SHA256_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn digests(root: &Path) -> ModelDigests {
    ModelDigests::new(root.join("cache"))
}

fn digest(root: &Path, path: &Path) -> Result<ModelDigest, ModelError> {
    digests(root).digest(path, &mut |_| {})
}

fn write(root: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = root.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn gguf_header_names_the_model() {
    let header = gguf::parse(gguf_file().as_slice()).unwrap();
    assert_eq!((header.architecture(), header.context_length()), (Some("llama"), Some(2048)));
    assert_eq!(header.quantization(), Some("Q4_K_M"));
    assert_eq!((header.tensor_count, header.parameters), (2, 2567));
    assert_eq!(header.tensor_types["Q4_K"], 1);
    assert!(!header.texts.contains_key("tokenizer.ggml.tokens"));
}

#[test]
fn gguf_that_lies_about_lengths_is_refused() {
    assert_eq!(gguf::parse(&b"GGML"[..]), Err(HeaderError::OtherKind("GGUF")));
    assert_eq!(gguf::parse(&b"GGUF\x01\0\0\0"[..]), Err(HeaderError::Version(1)));
    let head = |tensors: u64, entries: u64| {
        [&b"GGUF"[..], &3_u32.to_le_bytes(), &tensors.to_le_bytes(), &entries.to_le_bytes()].concat()
    };
    assert!(matches!(gguf::parse(head(u64::MAX, 0).as_slice()), Err(HeaderError::TooLarge { .. })));
    assert!(matches!(gguf::parse(head(0, u64::MAX).as_slice()), Err(HeaderError::TooLarge { .. })));
    let entry = |kind: u32, value: &[u8]| [head(0, 1), text("k"), kind.to_le_bytes().to_vec(), value.to_vec()].concat();
    // A string and an array that claim to be longer than any file.
    assert_eq!(gguf::parse(entry(8, &u64::MAX.to_le_bytes()).as_slice()), Err(HeaderError::Truncated));
    let array = [&10_u32.to_le_bytes()[..], &u64::MAX.to_le_bytes()].concat();
    assert!(matches!(gguf::parse(entry(9, &array).as_slice()), Err(HeaderError::Malformed(_))));
    // Arrays within arrays without end.
    let nested = [9_u32.to_le_bytes().to_vec(), 1_u64.to_le_bytes().to_vec()].concat().repeat(100);
    assert!(matches!(gguf::parse(entry(9, &nested).as_slice()), Err(HeaderError::Malformed(_))));
    assert!(matches!(gguf::parse(entry(77, &[]).as_slice()), Err(HeaderError::Malformed(_))));
}

#[test]
fn safetensors_header_counts_tensors() {
    let header = safetensors::parse(safetensors_file(HEADER).as_slice()).unwrap();
    assert_eq!((header.tensor_count, header.elements, header.tensor_types["BF16"]), (1, 32, 1));
}

#[test]
fn safetensors_that_is_something_else_is_refused() {
    for bytes in [
        b"".to_vec(),
        b"abc".to_vec(),
        u64::MAX.to_le_bytes().to_vec(),
        safetensors_file("[]"),
        safetensors_file(r#"{"w":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,1]}}"#),
        safetensors_file(r#"{"w":7}"#),
        safetensors_file(&format!(r#"{{"w":{}"#, "[".repeat(100_000))),
    ] {
        assert!(safetensors::parse(bytes.as_slice()).is_err());
    }
}

#[test]
fn a_plain_file_has_the_digest_of_its_bytes() {
    let root = tempfile::tempdir().unwrap();
    let found = digest(root.path(), &write(root.path(), "model.bin", b"abc")).unwrap();
    assert_eq!((found.sha256.as_str(), found.bytes, found.format), (SHA256_ABC, 3, ModelFormat::Other));
    assert!(matches!(found.facts, Found::NotPresent { .. }));
}

#[test]
fn a_gguf_is_known_by_its_first_bytes_and_not_by_its_name() {
    let root = tempfile::tempdir().unwrap();
    let found = digest(root.path(), &write(root.path(), "sha256-0123", &gguf_file())).unwrap();
    assert_eq!(found.format, ModelFormat::Gguf);
    let facts = found.facts.into_value().unwrap();
    assert_eq!(facts.name.as_deref(), Some("Tiny Test"));
    assert_eq!((facts.quantization.as_deref(), facts.context_length), (Some("Q4_K_M"), Some(2048)));
    assert_eq!(facts.parameters, Some(2567));
}

#[test]
fn a_broken_header_does_not_cost_the_digest() {
    let root = tempfile::tempdir().unwrap();
    let found = digest(root.path(), &write(root.path(), "m.gguf", b"GGUF\x03\0\0\0")).unwrap();
    assert_eq!(found.bytes, 8);
    assert!(matches!(found.facts, Found::Failed { .. }));
}

#[test]
fn a_directory_of_safetensors_has_a_digest_over_all_files() {
    let root = tempfile::tempdir().unwrap();
    let model = root.path().join("model");
    std::fs::create_dir(&model).unwrap();
    write(&model, "b.safetensors", &safetensors_file(HEADER));
    write(&model, "a.safetensors", &safetensors_file(HEADER));
    write(&model, "notes.txt", b"not weights");
    let config = r#"{"architectures":["LlamaForCausalLM"],"max_position_embeddings":4096,
        "quantization_config":{"quant_method":"awq","bits":4}}"#;
    write(&model, "config.json", config.as_bytes());
    let found = digest(root.path(), &model).unwrap();
    let names: Vec<&str> = found.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.safetensors", "b.safetensors"]);
    assert_ne!(found.sha256, found.files[0].sha256);
    let facts = found.facts.clone().into_value().unwrap();
    assert_eq!((facts.tensor_count, facts.context_length), (2, Some(4096)));
    assert_eq!((facts.quantization.as_deref(), facts.parameters), (Some("awq 4 bit"), None));

    std::fs::rename(model.join("b.safetensors"), model.join("c.safetensors")).unwrap();
    assert_ne!(digest(root.path(), &model).unwrap().sha256, found.sha256, "names are part of the digest");
}

#[test]
fn shards_of_a_gguf_belong_together() {
    let root = tempfile::tempdir().unwrap();
    let second = write(root.path(), "m-00002-of-00002.gguf", &gguf_file());
    assert!(matches!(digest(root.path(), &second), Err(ModelError::ShardMissing { .. })));
    write(root.path(), "m-00001-of-00002.gguf", &gguf_file());
    let found = digest(root.path(), &second).unwrap();
    assert_eq!(found.files.len(), 2);
    assert_eq!(found.facts.into_value().unwrap().parameters, Some(2 * 2567));
}

#[test]
fn what_is_no_model_has_a_code_and_a_hint() {
    let root = tempfile::tempdir().unwrap();
    let missing = digest(root.path(), &root.path().join("none")).unwrap_err();
    assert_eq!(missing.code(), "model-file-not-found");
    let empty = digest(root.path(), root.path()).unwrap_err();
    assert_eq!(empty.code(), "model-without-weights");
    assert!(missing.hint().is_some() && empty.hint().is_some());
    if cfg!(unix) {
        let device = digest(root.path(), Path::new("/dev/zero")).unwrap_err();
        assert_eq!(device.code(), "model-not-a-file");
    }
}

/// Replaces the digest in the only cache entry by another one.
fn forge(root: &Path, sha256: &str) -> PathBuf {
    let entry = std::fs::read_dir(root.join("cache")).unwrap().next().unwrap().unwrap().path();
    let mut value: serde_json::Value = serde_json::from_slice(&std::fs::read(&entry).unwrap()).unwrap();
    value["sha256"] = sha256.into();
    std::fs::write(&entry, value.to_string()).unwrap();
    entry
}

#[test]
fn a_digest_comes_from_the_cache_until_the_file_changes() {
    let root = tempfile::tempdir().unwrap();
    let model = write(root.path(), "model.bin", b"abc");
    digest(root.path(), &model).unwrap();
    // A planted digest shows whether the cache was used.
    let planted = "0".repeat(64);
    forge(root.path(), &planted);
    assert_eq!(digest(root.path(), &model).unwrap().sha256, planted);
    write(root.path(), "model.bin", b"abcd");
    assert_ne!(digest(root.path(), &model).unwrap().sha256, planted);
}

#[test]
fn a_corrupt_cache_is_a_miss() {
    let root = tempfile::tempdir().unwrap();
    let model = write(root.path(), "model.bin", b"abc");
    digest(root.path(), &model).unwrap();
    for rubbish in ["", "{", "[]", r#"{"version":1}"#] {
        let entry = forge(root.path(), "not a digest");
        assert_eq!(digest(root.path(), &model).unwrap().sha256, SHA256_ABC);
        std::fs::write(&entry, rubbish).unwrap();
        assert_eq!(digest(root.path(), &model).unwrap().sha256, SHA256_ABC);
    }
}

#[test]
fn a_cache_that_cannot_be_written_does_not_matter() {
    let root = tempfile::tempdir().unwrap();
    let model = write(root.path(), "model.bin", b"abc");
    let blocked = ModelDigests::new(model.join("cache"));
    assert_eq!(blocked.digest(&model, &mut |_| {}).unwrap().sha256, SHA256_ABC);
}

#[test]
fn several_writers_share_a_cache() {
    let root = tempfile::tempdir().unwrap();
    let model = write(root.path(), "model.bin", b"abc");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(digest(root.path(), &model).unwrap().sha256, SHA256_ABC));
        }
    });
}

#[test]
fn progress_ends_at_the_total() {
    let root = tempfile::tempdir().unwrap();
    let model = write(root.path(), "model.bin", &vec![7; (2 << 20) + 5]);
    let mut seen = Vec::new();
    digests(root.path()).digest(&model, &mut |progress| seen.push(progress)).unwrap();
    assert!(seen.len() >= 3 && seen.is_sorted_by_key(|progress| progress.done_bytes));
    let last = seen.last().unwrap();
    assert_eq!((last.done_bytes, last.total_bytes), ((2 << 20) + 5, (2 << 20) + 5));
}

proptest! {
    #[test]
    fn no_bytes_make_a_header_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = gguf::parse(bytes.as_slice());
        let _ = gguf::parse([&b"GGUF\x03\0\0\0"[..], &bytes].concat().as_slice());
        let _ = safetensors::parse(bytes.as_slice());
        let _ = safetensors::parse([&(bytes.len() as u64).to_le_bytes()[..], b"{", &bytes].concat().as_slice());
    }

    #[test]
    fn a_damaged_header_is_parsed_or_refused(at in 0_usize..400, byte in any::<u8>(), cut in 0_usize..500) {
        let mut file = gguf_file();
        if let Some(place) = file.get_mut(at) {
            *place = byte;
        }
        file.truncate(cut.max(8));
        let _ = gguf::parse(file.as_slice());
    }
}
