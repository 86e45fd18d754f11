//! Which of several points are worth choosing from.

/// The points that no other point beats, as indices ordered by x: of all with at least as much throughput (`x`, more is better) none
/// has less latency (`y`, less is better), and the other way round. Of equal points the first is kept. Points that are not
/// finite are left out.
///
/// The non-dominated set of Pareto, found by one pass over the points in order of falling x (Kung, Luccio and Preparata, JACM 22,
/// 1975, for two dimensions).
pub fn pareto(points: &[(f64, f64)]) -> Vec<usize> {
    let mut order: Vec<(usize, (f64, f64))> =
        points.iter().copied().enumerate().filter(|(_, (x, y))| x.is_finite() && y.is_finite()).collect();
    order.sort_by(|(i, a), (j, b)| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)).then(i.cmp(j)));
    let mut best = f64::INFINITY;
    let mut front = Vec::new();
    for (index, (_, y)) in order {
        if y < best {
            best = y;
            front.push(index);
        }
    }
    front.reverse();
    front
}
