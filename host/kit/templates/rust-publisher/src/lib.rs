//! The publisher {name}: sends a run record as it is, and reads what the leaderboard says to it.

wit_bindgen::generate!({ path: "wit", world: "publisher-plugin" });

use bench::plugin::types::{Header, HeaderPart, HttpRequest, HttpResponse, Problem};
use exports::bench::plugin::publisher::{Guest, Info, Outcome, Receipt};
use serde_json::Value;

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Info {
        Info {
            name: "{name}".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Sends a run record as it is.".into(),
            endpoint: "https://leaderboard.example".into(),
            secret_environment: Some("LEADERBOARD_KEY".into()),
        }
    }

    fn requests(run_record: String) -> Result<Vec<HttpRequest>, Problem> {
        let record: Value = serde_json::from_str(&run_record).map_err(|error| problem("bad-record", &error.to_string()))?;
        if record["simulated"].as_bool() == Some(true) {
            return Err(problem("simulated", "the run was against the simulated engine"));
        }
        let text = |value: &str| vec![HeaderPart::Text(value.into())];
        Ok(vec![HttpRequest {
            method: "POST".into(),
            path: "/api/runs".into(),
            headers: vec![
                Header { name: "content-type".into(), value: text("application/json") },
                // The host puts the key in; no plugin ever sees it.
                Header {
                    name: "authorization".into(),
                    value: vec![HeaderPart::Text("Bearer ".into()), HeaderPart::Secret("api-key".into())],
                },
            ],
            body: run_record.into_bytes(),
        }])
    }

    fn interpret(_index: u32, response: HttpResponse) -> Result<Outcome, Problem> {
        let said: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |key: &str| said[key].as_str().map(str::to_owned);
        Ok(match response.status {
            200..=299 => Outcome::Accepted(Receipt {
                id: text("id").unwrap_or_default(),
                url: text("url"),
                echo: said.to_string(),
            }),
            429 => Outcome::Retry(said["retryAfterMs"].as_u64().unwrap_or(60_000)),
            _ => Outcome::Rejected(vec![problem("rejected", &text("error").unwrap_or_else(|| "no reason given".into()))]),
        })
    }
}

fn problem(code: &str, message: &str) -> Problem {
    Problem { code: code.into(), message: message.into(), hint: None }
}

export!(Plugin);
