//! A terminal for the binary: a pseudo-terminal of which the test reads what would be shown.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::thread;

use nix::pty::{Winsize, openpty};

/// What reached the terminal, and how the program ended.
#[derive(Debug)]
pub struct Screen {
    pub code: Option<i32>,
    pub text: String,
}

/// Runs a command with standard output and standard error on a terminal, to its end.
#[track_caller]
pub fn run_on_terminal(mut command: Command) -> Screen {
    let size = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
    let pair = openpty(&size, None).unwrap();
    let (out, errors) = (pair.slave.try_clone().unwrap(), pair.slave);
    let mut child = command.stdout(Stdio::from(out)).stderr(Stdio::from(errors)).spawn().unwrap();
    // The command keeps its ends of the terminal open, and reading ends when all of them are closed.
    drop(command);
    let reading = thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut screen = File::from(pair.master);
        let mut buffer = [0; 65_536];
        // That the other side is closed shows as an error.
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            bytes.extend(buffer.iter().take(count));
        }
        bytes
    });
    let status = child.wait().unwrap();
    Screen { code: status.code(), text: String::from_utf8(reading.join().unwrap()).unwrap() }
}
