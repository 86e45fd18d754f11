//! The signal that ends a run early.

use tokio::sync::watch;

/// The end that stops. Dropping it without stopping lets everything run on.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// The end that is told. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stopper {
    /// A stopper and the signal that it gives.
    #[must_use]
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Ends whatever listens. Any number of calls does what one does.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// A signal that never comes.
    #[must_use]
    pub fn never() -> Self {
        Stopper::new().1
    }

    /// Whether the signal has come.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for the signal, for ever where the stopper is gone.
    pub async fn stopped(&mut self) {
        if self.0.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
