//! A phase over time, in three panels that share their clock: the time to first token of each request, the tokens that came
//! per second, and the requests that ran.

use bench_metrics::percentile;
use bench_record::{PhaseRecord, RequestRecord, RequestStatus, RequestTimes, RunRecord, ShapeRecord, StageRecord};

use crate::plot::{self, Axis, Frame};
use crate::text::{count, esc, figure, put, round};

const WIDTH: f64 = 1040.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 16.0;

/// Requests up to which each is a dot.
const DOTS: usize = 2000;

/// Bins over the width of the chart.
const BINS: usize = 200;

/// Where the panels stand: upper edge and height.
const PANELS: [(f64, f64); 3] = [(44.0, 190.0), (270.0, 96.0), (402.0, 96.0)];
const HEIGHT: f64 = 540.0;

/// A request that was sent.
struct Sent<'a> {
    request: &'a RequestRecord,
    times: RequestTimes,
}

/// What the panels have in common.
struct Clock {
    /// Nanoseconds of the trace at the left edge.
    origin: u64,
    /// Seconds from there to the right edge.
    span: f64,
}

impl Clock {
    fn seconds(&self, ns: u64) -> f64 {
        ns.saturating_sub(self.origin) as f64 / 1e9
    }

    fn frame(&self, panel: (f64, f64), y: Axis) -> Frame {
        let x = Axis::exact(0.0, self.span, 10);
        Frame { left: LEFT, top: panel.0, width: WIDTH - LEFT - RIGHT, height: panel.1, x, y }
    }

    fn bin_width(&self) -> f64 {
        self.span / BINS as f64
    }

    fn bin(&self, seconds: f64) -> usize {
        ((seconds / self.bin_width()) as usize).min(BINS - 1)
    }
}

/// The figure, where the record says when its requests ran.
pub(crate) fn timeline(page: &mut String, record: &RunRecord, phase: &PhaseRecord) {
    let sent: Vec<Sent<'_>> =
        phase.measured().filter_map(|request| Some(Sent { request, times: request.times? })).collect();
    if sent.is_empty() {
        return;
    }
    let opened = phase.windows.iter().map(|window| window.opened_ns).min();
    let Some(origin) = sent.iter().map(|sent| sent.times.intended_ns).chain(opened).min() else { return };
    let last = sent.iter().map(|sent| sent.times.ended_ns.max(sent.times.intended_ns)).max().unwrap_or(origin);
    let clock = Clock { origin, span: (last.saturating_sub(origin) as f64 / 1e9).max(1e-3) };
    page.push_str("<figure class=\"wide\"><div class=\"scroll\">");
    // The names of stages stand above the panels.
    let top = if phase.stages.len() > 1 { 0.0 } else { 20.0 };
    plot::open(page, WIDTH, (top, HEIGHT), "Requests, tokens and concurrency over time");
    shade(page, &clock, phase);
    let first = first_tokens(page, &clock, &sent, record.slo.as_ref().and_then(|slo| slo.ttft_ms));
    tokens(page, &clock, &sent);
    let limit = phase.shape.as_ref().and_then(ShapeRecord::streams).filter(|streams| *streams > 1).map(f64::from);
    running(page, &clock, &sent, limit);
    stages(page, &clock, &phase.stages);
    page.push_str("</svg></div><figcaption>");
    let failed = sent.iter().filter(|sent| sent.request.status != RequestStatus::Completed).count();
    page.push_str(if first.binned {
        "Upper panel: line, median of the requests meant to start in the same moment; band, their 5th to 95th percentile"
    } else {
        "Upper panel: a dot is a request, at the moment at which it was meant to start"
    });
    if failed > 0 {
        let how = if first.binned {
            "▮</span> from the top: the share that failed"
        } else {
            "×</span> at the top: failed"
        };
        put!(page, "; <span class=\"cross\">{how} ({})", count(failed as u64));
    }
    page.push_str(". ");
    if first.slo {
        page.push_str("Dashed there: the objective. ");
    }
    if limit.is_some() {
        page.push_str("Dashed in the lowest panel: the streams asked for. ");
    }
    put!(page, "Tokens and running requests are means over {}. ", duration(clock.bin_width()));
    if phase.steady.is_some() {
        page.push_str("Shaded: the steady window, in which concurrency was at its plateau. ");
    }
    page.push_str("</figcaption></figure>");
}

fn duration(seconds: f64) -> String {
    if seconds < 1.0 { format!("{} ms", figure(seconds * 1e3)) } else { format!("{} s", figure(seconds)) }
}

fn shade(page: &mut String, clock: &Clock, phase: &PhaseRecord) {
    let frame = clock.frame(PANELS[0], Axis::exact(0.0, 1.0, 1));
    for window in phase.steady.iter().flat_map(|steady| &steady.windows).take(100) {
        let (from, to) = (frame.px(clock.seconds(window.from_ns)), frame.px(clock.seconds(window.to_ns)));
        for (top, height) in PANELS {
            put!(
                page,
                "<rect class=\"steady\" x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{height}\"/>",
                to - from
            );
        }
    }
}

/// Lines between stages, and their names where there is room.
fn stages(page: &mut String, clock: &Clock, stages: &[StageRecord]) {
    let frame = clock.frame(PANELS[0], Axis::exact(0.0, 1.0, 1));
    let mut free = 0.0;
    for stage in stages.iter().filter(|_| stages.len() > 1).take(200) {
        let (from, to) = (frame.px(clock.seconds(stage.opened_ns)), frame.px(clock.seconds(stage.closed_ns)));
        for (top, height) in PANELS {
            put!(
                page,
                "<line class=\"stage\" x1=\"{from:.1}\" x2=\"{from:.1}\" y1=\"{top}\" y2=\"{}\"/>",
                top + height
            );
        }
        let name = stage.asked_rate.map_or_else(|| stage.name.clone(), |rate| format!("{} req/s", round(rate)));
        let half = name.chars().count() as f64 * 3.3;
        let middle = (from + to) / 2.0;
        if middle - half > free {
            put!(page, "<text class=\"label\" x=\"{middle:.1}\" y=\"12\" text-anchor=\"middle\">{}</text>", esc(&name));
            free = middle + half + 8.0;
        }
    }
}

/// How the upper panel was drawn.
struct Drawn {
    binned: bool,
    slo: bool,
}

fn first_tokens(page: &mut String, clock: &Clock, sent: &[Sent<'_>], slo: Option<f64>) -> Drawn {
    let point = |sent: &Sent<'_>| {
        let metrics = sent.request.metrics.as_ref()?;
        let fine = sent.request.status == RequestStatus::Completed;
        fine.then_some((clock.seconds(sent.times.intended_ns), metrics.ttft_intended_ms?))
    };
    let points: Vec<(f64, f64)> = sent.iter().filter_map(point).collect();
    let mut sorted: Vec<f64> = points.iter().map(|(_, ttft)| *ttft).collect();
    sorted.sort_by(f64::total_cmp);
    let frame = clock.frame(PANELS[0], Axis::fitting(&sorted, 5));
    frame.title(page, "Time to first token from the intended start, ms");
    frame.grid(page);
    let drawn = Drawn { binned: sent.len() > DOTS, slo: slo.is_some_and(|limit| limit <= frame.y.to()) };
    if drawn.binned {
        bands(page, clock, &frame, &points);
    } else {
        for (at, ttft) in &points {
            put!(
                page,
                "<circle class=\"dot soft\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.2\"/>",
                frame.px(*at),
                frame.py(*ttft)
            );
        }
    }
    if let Some(limit) = slo.filter(|_| drawn.slo) {
        let y = frame.py(limit);
        put!(
            page,
            "<line class=\"limit\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            frame.left,
            frame.right()
        );
    }
    let failed: Vec<f64> = sent
        .iter()
        .filter(|sent| sent.request.status != RequestStatus::Completed)
        .map(|sent| clock.seconds(sent.times.intended_ns))
        .collect();
    if drawn.binned {
        failed_shares(page, clock, &frame, &points, &failed);
    } else {
        for at in &failed {
            let (x, y) = (frame.px(*at), frame.top + 5.0);
            put!(page, "<path class=\"cross\" d=\"M{:.1} {:.1}l6 6m0 -6l-6 6\"/>", x - 3.0, y - 3.0);
        }
    }
    drawn
}

/// Bars from the upper edge, as deep as the share of the requests of a bin that failed: down to the lower edge when all did.
fn failed_shares(page: &mut String, clock: &Clock, frame: &Frame, points: &[(f64, f64)], failed: &[f64]) {
    let mut bins = vec![(0_u32, 0_u32); BINS];
    for (at, lost) in points.iter().map(|(at, _)| (*at, false)).chain(failed.iter().map(|at| (*at, true))) {
        if let Some((all, failed)) = bins.get_mut(clock.bin(at)) {
            *all += 1;
            *failed += u32::from(lost);
        }
    }
    for (place, (all, failed)) in bins.into_iter().enumerate().filter(|(_, (_, failed))| *failed > 0) {
        let (from, to) = (place as f64 * clock.bin_width(), (place + 1) as f64 * clock.bin_width());
        let depth = (f64::from(failed) / f64::from(all) * frame.height).max(1.5);
        put!(
            page,
            "<rect class=\"lost\" x=\"{:.1}\" y=\"{}\" width=\"{:.1}\" height=\"{depth:.1}\"/>",
            frame.px(from),
            frame.top,
            frame.px(to) - frame.px(from)
        );
    }
}

/// Median and 5th to 95th percentile per bin, with gaps where nothing was meant to start.
fn bands(page: &mut String, clock: &Clock, frame: &Frame, points: &[(f64, f64)]) {
    let mut bins: Vec<Vec<f64>> = vec![Vec::new(); BINS];
    for (at, ttft) in points {
        if let Some(bin) = bins.get_mut(clock.bin(*at)) {
            bin.push(*ttft);
        }
    }
    let mut middle = Vec::new();
    let (mut upper, mut lower) = (Vec::new(), Vec::new());
    for (place, bin) in bins.iter_mut().enumerate() {
        bin.sort_by(f64::total_cmp);
        let at = frame.px((place as f64 + 0.5) * clock.bin_width());
        let quantiles = (percentile(bin, 5.0), percentile(bin, 50.0), percentile(bin, 95.0));
        let (Some(low), Some(mid), Some(high)) = quantiles else { continue };
        middle.push((at, frame.py(mid)));
        upper.push((at, frame.py(high)));
        lower.push((at, frame.py(low)));
    }
    if middle.is_empty() {
        return;
    }
    lower.reverse();
    upper.extend(lower);
    put!(page, "<path class=\"band\" d=\"{}Z\"/>", plot::path(upper));
    put!(page, "<path class=\"line\" d=\"{}\"/>", plot::path(middle));
}

fn tokens(page: &mut String, clock: &Clock, sent: &[Sent<'_>]) {
    let mut bins = vec![0.0; BINS];
    for sent in sent {
        let (Some(metrics), Some(first)) = (&sent.request.metrics, sent.times.first_token_ns) else { continue };
        let produced = metrics.streamed_tokens().unwrap_or(metrics.chunks) as f64;
        let gaps = metrics.raw_timings.as_deref().unwrap_or(&metrics.itl_chunk.each_ms);
        let mut add = |seconds: f64, tokens: f64| {
            if let Some(bin) = bins.get_mut(clock.bin(seconds)) {
                *bin += tokens;
            }
        };
        let mut at = clock.seconds(first);
        let lasted = clock.seconds(sent.times.ended_ns) - at;
        if gaps.is_empty() {
            // The times of single tokens were not kept: they are spread over the answer.
            let pieces = ((lasted / clock.bin_width()).ceil().max(1.0) as usize).min(BINS);
            for piece in 0..pieces {
                add(at + lasted * (piece as f64 + 0.5) / pieces as f64, produced / pieces as f64);
            }
            continue;
        }
        let share = produced / (gaps.len() + 1) as f64;
        add(at, share);
        for gap in gaps {
            at += gap / 1e3;
            add(at, share);
        }
    }
    let rates: Vec<f64> = bins.iter().map(|tokens| tokens / clock.bin_width()).collect();
    area(page, clock, PANELS[1], "Output tokens per second", &rates, None);
}

fn running(page: &mut String, clock: &Clock, sent: &[Sent<'_>], limit: Option<f64>) {
    let width = clock.bin_width();
    let mut busy = vec![0.0; BINS];
    for sent in sent {
        let (from, to) = (clock.seconds(sent.times.started_ns), clock.seconds(sent.times.ended_ns));
        let (first, last) = (clock.bin(from), clock.bin(to));
        for (place, bin) in busy.iter_mut().enumerate().take(last + 1).skip(first) {
            let (left, right) = (place as f64 * width, (place + 1) as f64 * width);
            *bin += (to.min(right) - from.max(left)).max(0.0);
        }
    }
    let means: Vec<f64> = busy.iter().map(|seconds| seconds / width).collect();
    let frame = area(page, clock, PANELS[2], "Requests running", &means, limit);
    frame.floor(page, "seconds since the phase began");
}

fn area(page: &mut String, clock: &Clock, panel: (f64, f64), title: &str, values: &[f64], limit: Option<f64>) -> Frame {
    let most = values.iter().copied().chain(limit).fold(0.0, f64::max);
    let frame = clock.frame(panel, Axis::from_zero(most, 3));
    frame.title(page, title);
    frame.grid(page);
    let mut points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .map(|(place, value)| (frame.px(place as f64 * clock.bin_width()), frame.py(*value)))
        .collect();
    points.extend(points.last().map(|(_, y)| (frame.right(), *y)));
    let line = plot::steps(points);
    put!(page, "<path class=\"fill\" d=\"{line}V{:.1}H{:.1}Z\"/>", frame.bottom(), frame.left);
    put!(page, "<path class=\"line\" d=\"{line}\"/>");
    if let Some(limit) = limit {
        let y = frame.py(limit);
        put!(
            page,
            "<line class=\"limit\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            frame.left,
            frame.right()
        );
    }
    frame
}
