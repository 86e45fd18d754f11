//! Turns any log that is read into any form that is written: `convert LOG FORM OUT`. With it, other tools can be given logs of
//! this program to read; see `tests/references/logs.py`.

use std::error::Error;
use std::path::Path;

use bench_samples::Limits;
use bench_samples::export::{About, Form, write};
use bench_samples::import::import;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [log, form, out] = arguments.as_slice() else { return Err("convert LOG FORM OUT".into()) };
    let form = Form::named(form).ok_or("no such form")?;
    let records = import(Path::new(log), Limits::default())?.records;
    let about = About { version: env!("CARGO_PKG_VERSION").to_owned(), ..About::default() };
    write(form, &records, &about, Path::new(out))?;
    Ok(())
}
