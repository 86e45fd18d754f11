//! Does to each sample what its answer says, and grades the others soundly, so that a test can put one bad sample among many.

#[cfg(target_arch = "wasm32")]
mod component {
    use bench_sdk::scorer::Reason;
    use bench_sdk::types::Metric;

    /// Keeps nothing in linear memory, so that it is the machine's stack that runs out.
    #[inline(never)]
    fn deeper(depth: u64) -> u64 {
        if depth == u64::MAX { depth } else { deeper(depth + 1).rotate_left(3) ^ depth }
    }

    fn grade(sample: &Sample) -> Vec<Verdict> {
        let sound = guest_scorer_stub::equality(sample);
        let valued = |value| guest_scorer_stub::verdict(sample, value);
        let verdict = match sample.answer.as_deref().unwrap_or_default() {
            "trap" => panic!("as asked"),
            "loop" => loop {
                std::hint::black_box(sample);
            },
            "hog" => {
                let mut hoard: Vec<Vec<u8>> = Vec::new();
                loop {
                    hoard.push(std::hint::black_box(vec![1; 1 << 20]));
                }
            }
            "recurse" => valued(deeper(u64::from(sample.epoch)) as f64),
            "few" => return Vec::new(),
            "many" => return vec![sound.clone(), sound],
            "wrong-id" => Verdict { id: "somebody else's".to_owned(), ..sound },
            "wrong-epoch" => Verdict { epoch: sample.epoch + 1, ..sound },
            "nan" => Verdict { reason: Reason::Correct, ..valued(f64::NAN) },
            "unscored" => Verdict { reason: Reason::Other("no opinion".to_owned()), ..valued(f64::NAN) },
            "infinite" => valued(f64::INFINITY),
            "negative" => valued(-0.5),
            "too-good" => valued(1.5),
            "failed-with-value" => {
                Verdict { reason: Reason::GraderFailed(guest_scorer_stub::problem("bad-target")), ..valued(0.0) }
            }
            "infinite-sub-score" => {
                let metric = |name: &str, value| Metric {
                    name: name.to_owned(),
                    value,
                    unit: String::new(),
                    higher_is_better: None,
                };
                Verdict { sub_scores: vec![metric("fine", 1.0), metric("endless", f64::NEG_INFINITY)], ..sound }
            }
            "huge" => {
                Verdict { explanation: Some("x".repeat(10 << 20)), extracted: Some("é".repeat(5 << 20)), ..sound }
            }
            "not-utf8" => {
                // SAFETY: this is deliberately unsound inside the sandbox: the string goes straight to the host, whose check is
                // the case.
                let text = unsafe { String::from_utf8_unchecked(vec![b'/', 0xff, 0xfe]) };
                Verdict { extracted: Some(text), ..sound }
            }
            _ => sound,
        };
        vec![verdict]
    }

    guest_scorer_stub::scorer!(score: |samples: Vec<Sample>| samples.iter().flat_map(grade).collect());
}
