//! Load in a record: pacing, stages, error bars.

use bench_metrics::Slo;
use bench_record::{
    ArrivalLaw, Client, LoadStage, Pacing, PhaseRecord, RequestRecord, RequestStatus, RequestTimes, ShapeRecord,
    StageRecord, Window,
};

use super::fixture::{calibration, phase};

const MS: u64 = 1_000_000;

/// Ten requests a second for two stages of a second each, every one `late_us` later than it should; one answer takes 195 ms.
pub fn open_loop(late_us: u64) -> PhaseRecord {
    let mut phase = phase(&[5000; 20]);
    let stage = LoadStage { seconds: Some(1.0), from_rate: 10.0, to_rate: 10.0 };
    phase.shape = Some(ShapeRecord::OpenLoop {
        spec: "stages:constant,10/s@1s,10/s@1s".into(),
        arrivals: ArrivalLaw::Constant,
        stages: vec![stage, stage],
    });
    for (n, request) in (0_u64..).zip(&mut phase.requests) {
        let intended_ns = n * 100 * MS;
        let started_ns = intended_ns + late_us * 1000;
        request.repeat = 0;
        request.times = Some(RequestTimes {
            intended_ns,
            started_ns,
            first_byte_written_ns: Some(started_ns),
            first_token_ns: Some(started_ns + 100 * MS),
            ended_ns: started_ns + 195 * MS,
        });
        request.stage = Some(u32::try_from(n / 10).unwrap());
    }
    phase.windows = vec![Window { repeat: 0, opened_ns: 0, closed_ns: 2000 * MS }];
    phase.stages = (0..2)
        .map(|n| StageRecord {
            name: format!("stage-{}", n + 1),
            asked_rate: Some(10.0),
            opened_ns: n * 1000 * MS,
            closed_ns: (n + 1) * 1000 * MS,
            ..StageRecord::default()
        })
        .collect();
    phase.sum_up(Some(&"ttft=200ms".parse::<Slo>().unwrap()));
    phase
}

fn close(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

#[test]
fn pacing_is_that_of_the_schedule_and_of_what_was_sent() {
    let pacing = open_loop(300).pacing.unwrap();
    close(pacing.asked_rate, 10.0);
    close(pacing.achieved_rate, 10.0);
    close(pacing.achieved_share(), 1.0);
    close(pacing.queue.map(|bar| bar.max_ms), 0.3);
    close(pacing.send_error.map(|bar| bar.p50_ms), 0.3);
}

#[test]
fn a_client_that_falls_behind_does_not_achieve_the_rate() {
    let mut phase = open_loop(0);
    for (n, request) in (0_u64..).zip(&mut phase.requests) {
        if let Some(times) = &mut request.times {
            times.started_ns = n * 110 * MS;
        }
    }
    phase.sum_up(None);
    close(phase.pacing.unwrap().achieved_share(), 10.0 / 11.0);
}

#[test]
fn without_a_schedule_no_rate_was_asked_for() {
    let phase = open_loop(0);
    let pacing = Pacing::of(&phase.requests, &ShapeRecord::ClosedLoop { streams: 4, ramp_s: None }).unwrap();
    assert_eq!((pacing.asked_rate, pacing.achieved_share()), (None, None));
    close(pacing.achieved_rate, 10.0);
    let without_times: Vec<RequestRecord> =
        phase.requests.into_iter().map(|request| RequestRecord { times: None, ..request }).collect();
    assert_eq!(Pacing::of(&without_times, &ShapeRecord::Sequential), None);
}

#[test]
fn pauses_between_repeats_do_not_lower_the_rate() {
    let mut phase = open_loop(0);
    for request in phase.requests.iter_mut().skip(10) {
        request.repeat = 1;
        if let Some(times) = &mut request.times {
            times.intended_ns += 60_000 * MS;
            times.started_ns += 60_000 * MS;
        }
    }
    phase.sum_up(None);
    let pacing = phase.pacing.unwrap();
    close(pacing.asked_rate, 10.0);
    close(pacing.achieved_rate, 10.0);
}

#[test]
fn a_stage_sums_up_its_own_requests() {
    let mut phase = open_loop(0);
    phase.requests[12].status = RequestStatus::NotSent;
    phase.requests[13].warmup = true;
    phase.sum_up(Some(&"ttft=50ms".parse::<Slo>().unwrap()));
    let [first, second] = phase.stages.as_slice() else { panic!("{:?}", phase.stages) };
    assert_eq!((first.summary.requests, first.summary.completed), (10, 10));
    assert_eq!((second.summary.requests, second.summary.not_sent), (9, 1));
    close(first.achieved_rate, 10.0);
    close(second.achieved_rate, 8.0);
    assert_eq!(first.goodput.as_ref().map(|goodput| (goodput.met, goodput.missed)), Some((0, 10)));
    assert_eq!(phase.goodput.as_ref().map(|goodput| goodput.failed), Some(1));
    assert!(first.summary.metrics.contains_key("ttft_ms"));
}

#[test]
fn a_stage_whose_answers_come_after_it_does_not_look_faster() {
    let mut phase = open_loop(0);
    let prompt = phase.stages[0].summary.median("aggregate_tps");
    // 10 requests of 20 tokens; the last one is answered 1095 ms after the stage began.
    close(prompt, 200.0 / 1.095);
    for request in phase.requests.iter_mut().take(10) {
        if let Some(times) = &mut request.times {
            times.ended_ns += 2905 * MS;
        }
    }
    phase.sum_up(None);
    close(phase.stages[0].summary.median("aggregate_tps"), 200.0 / 4.0);
    close(phase.stages[0].achieved_rate, 10.0);
}

#[test]
fn the_steady_part_lies_in_the_phase() {
    let steady = open_loop(0).steady.unwrap();
    assert!(steady.from_ns < steady.to_ns && steady.to_ns <= 2195 * MS, "{steady:?}");
    assert!(steady.requests > 10);
}

#[test]
fn an_error_bar_is_that_of_a_load_at_least_as_large() {
    let client = Client { calibrations: [100, 1, 10].map(calibration).to_vec(), ..Client::default() };
    let streams = |wanted| client.calibration_for(wanted).map(|calibration| calibration.streams);
    assert_eq!([1, 2, 10, 11, 5000].map(streams), [1, 10, 10, 100, 100].map(Some));
    assert!(Client::default().calibration_for(1).is_none());
    let one = calibration(1);
    assert_eq!(one.error_of("ttft_ms"), one.ttft.as_ref());
    assert_eq!(one.error_of("token_p99_ms"), one.itl.as_ref());
    assert_eq!(one.error_of("prefill_tps"), None);
}
