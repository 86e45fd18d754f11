//! Process groups, signals, and an engine that does not outlive the host.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{OnceLock, mpsc};

/// A command to start and where to send the outcome.
type Order = (Command, mpsc::Sender<io::Result<Child>>);

/// Starts the command as the leader of a new process group.
///
/// All engines are started by one thread that lives as long as the host: Linux sends the parent-death signal when the
/// *thread* that started the child ends, and threads of an async runtime come and go.
pub(super) fn start(mut command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<Option<mpsc::Sender<Order>>> = OnceLock::new();
    command.process_group(0);
    die_with_host(&mut command);
    let starter = STARTER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        let work = move || {
            for (mut command, outcome) in inbox {
                // If nobody waits any more, the child is dropped and the caller has given up on it.
                let _ = outcome.send(command.spawn());
            }
        };
        std::thread::Builder::new().name("engine-starter".to_owned()).spawn(work).ok().map(|_| orders)
    });
    let gone = || io::Error::other("the thread that starts engines is gone");
    let (sender, receiver) = mpsc::channel();
    starter.as_ref().ok_or_else(gone)?.send((command, sender)).map_err(|_| gone())?;
    receiver.recv().map_err(|_| gone())?
}

/// Has the kernel end the engine when the host is killed without a chance to clean up.
#[cfg(target_os = "linux")]
fn die_with_host(command: &mut Command) {
    let host = std::process::id();
    let arrange = move || {
        // SAFETY: prctl and getppid are async-signal-safe, take plain numbers and touch no memory.
        let (set, parent) = unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM), libc::getppid()) };
        if set != 0 {
            return Err(io::Error::last_os_error());
        }
        // The host may have ended between the fork and the call above, in which case no signal will come.
        if u32::try_from(parent) != Ok(host) {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(())
    };
    // SAFETY: the closure runs between fork and exec; it neither allocates nor takes locks.
    unsafe {
        command.pre_exec(arrange);
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_host(_: &mut Command) {}

/// Whether the child has ended, without collecting it: its id stays taken until the group has been ended too.
pub(super) fn has_ended(child: &mut Child) -> bool {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` is a properly aligned `siginfo_t` that the call fills; the id is that of an uncollected child.
    let answer = unsafe { libc::waitid(libc::P_PID, child.id(), info.as_mut_ptr(), flags) };
    // SAFETY: all zero bytes are a valid `siginfo_t`, and the call writes a valid one.
    let pid = unsafe { info.assume_init().si_pid() };
    answer != 0 || pid != 0
}

/// Asks the whole group to end.
pub(super) fn ask_to_end(child: &mut Child) {
    signal(child, libc::SIGTERM);
}

/// Ends the whole group.
pub(super) fn kill(child: &mut Child) {
    signal(child, libc::SIGKILL);
}

fn signal(child: &Child, signal: libc::c_int) {
    if let Ok(group) = libc::pid_t::try_from(child.id()) {
        // SAFETY: killpg takes plain numbers. The leader has not been collected, so the group is still ours.
        // It fails only when nobody is left in the group, which is what was wanted.
        unsafe {
            libc::killpg(group, signal);
        }
    }
}
