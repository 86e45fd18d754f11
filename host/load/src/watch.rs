//! Looks at the server from beside, while a window is open: its own metrics, a few times a minute, from another thread than
//! those that measure.

use std::time::Duration;

use bench_wire::{Control, Request, Response, Stamp};

/// Most looks of a window. When there are more, every other one is dropped and the rest come half as often.
const MOST: usize = 512;

/// What to ask, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'w> {
    /// How to ask.
    pub control: &'w Control,
    /// What to ask, each time all of it.
    pub requests: &'w [Request],
    /// Time between two looks.
    pub every: Duration,
}

/// The answers at one moment.
#[derive(Clone, Debug)]
pub struct Look {
    /// When they had all come.
    pub at: Stamp,
    /// One for each request; `None` where there was none.
    pub answers: Vec<Option<Response>>,
}

/// Looks until it is dropped.
pub(crate) async fn watch(watch: Option<Watch<'_>>, looks: &mut Vec<Look>) -> std::convert::Infallible {
    let Some(Watch { control, requests, mut every }) = watch.filter(|watch| !watch.requests.is_empty()) else {
        return std::future::pending().await;
    };
    loop {
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            answers.push(control.send(request.clone()).await.ok());
        }
        looks.push(Look { at: Stamp::now(), answers });
        if looks.len() >= MOST {
            let mut keep = false;
            looks.retain(|_| {
                keep = !keep;
                keep
            });
            every *= 2;
        }
        tokio::time::sleep(every).await;
    }
}
