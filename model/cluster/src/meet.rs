//! The processes meet: each listens at its address, connects to those with lower numbers, and is connected to by the others. Two
//! connections lead from each to each: one for the dataflow, and one that only ends, so that a lost process is noticed.
//!
//! On every connection both sides first say which search they are about. If the two differ, both refuse with both values.

use crate::{end, hosts::Host, layers::Identity};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use zus_output::plain;

/// Time between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(50);
/// The most that a greeting may have, in bytes.
const MOST_GREETING: u64 = 4096;

/// The first line on a connection.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Greeting {
    /// Names the protocol.
    speaks: String,
    /// The process that says it.
    process: usize,
    /// Whether the connection is the one that only ends.
    watch: bool,
    /// Whether it goes on with layers on disk.
    resume: bool,
    /// Unique states at which it ends, if there is a limit.
    limit: Option<u64>,
    /// The search.
    search: Identity,
}

/// The name and the version of the protocol.
const SPEAKS: &str = "zus-cluster 2";

/// Why the processes do not meet.
#[derive(Debug, thiserror::Error)]
pub enum MeetError {
    /// Its own address is taken.
    #[error(
        "{address}: process {process} cannot listen there: {source}\n  fix: end the program that uses the port, or write another port on line {line} of the hosts file"
    )]
    Busy {
        /// The address.
        address: String,
        /// The process.
        process: usize,
        /// Why.
        source: io::Error,
        /// The line of the file of hosts.
        line: usize,
    },
    /// Some never came.
    #[error(
        "{address}: process {process} did not come within {seconds} s\n  fix: start it, look at line {line} of the hosts file, or wait longer with --wait"
    )]
    Absent {
        /// The address.
        address: String,
        /// The process.
        process: usize,
        /// How long was waited.
        seconds: u64,
        /// The line of the file of hosts.
        line: usize,
    },
    /// It speaks of another search.
    #[error(
        "{address}: process {process} has another {of}: {theirs}, and this one has {mine}\n  fix: start both with the same program, scenario, hosts and options"
    )]
    Other {
        /// The address.
        address: String,
        /// The process.
        process: usize,
        /// The thing in which they differ.
        of: &'static str,
        /// Its value here.
        mine: String,
        /// Its value there.
        theirs: String,
    },
    /// Something else is wrong with a connection.
    #[error(
        "{address}: {why}\n  fix: see that only the processes of this search use the addresses of the hosts file"
    )]
    Strange {
        /// The address.
        address: String,
        /// Why.
        why: String,
    },
}

/// The connections of this process, by the number of the other one.
pub struct Met {
    /// For the dataflow; none to itself.
    pub data: Vec<Option<TcpStream>>,
    watch: Vec<Option<TcpStream>>,
}

/// Takes the own address.
///
/// # Errors
/// [`MeetError::Busy`].
pub fn listen(hosts: &[Host], process: usize) -> Result<TcpListener, MeetError> {
    let host = &hosts[process];
    TcpListener::bind(host.address).map_err(|source| MeetError::Busy {
        address: host.written.clone(),
        process,
        source,
        line: host.line,
    })
}

/// One process among the others.
pub struct Meeting<'m> {
    /// All processes.
    pub hosts: &'m [Host],
    /// This one.
    pub process: usize,
    /// The search.
    pub search: &'m Identity,
    /// Unique states at which it ends, if there is a limit.
    pub limit: Option<u64>,
    /// Whether it goes on with layers on disk.
    pub resume: bool,
    /// How long it waits for the others.
    pub wait: Duration,
}

impl Meeting<'_> {
    fn greeting(&self, watch: bool) -> Greeting {
        Greeting {
            speaks: SPEAKS.into(),
            process: self.process,
            watch,
            resume: self.resume,
            limit: self.limit,
            search: self.search.clone(),
        }
    }

    fn absent(&self, process: usize) -> MeetError {
        let Host { written, line, .. } = &self.hosts[process];
        MeetError::Absent { address: written.clone(), process, seconds: self.wait.as_secs(), line: *line }
    }

    /// Meets all other processes.
    ///
    /// # Errors
    /// [`MeetError`]: the first thing that is wrong.
    pub fn meet(&self, listener: &TcpListener) -> Result<Met, MeetError> {
        let until = Instant::now() + self.wait;
        let none = || self.hosts.iter().map(|_| None).collect::<Vec<Option<TcpStream>>>();
        let mut met = Met { data: none(), watch: none() };
        for process in 0..self.process {
            for watch in [false, true] {
                let stream = self.connect(process, watch, until)?;
                let place = if watch { &mut met.watch } else { &mut met.data };
                place[process] = Some(stream);
            }
        }
        listener.set_nonblocking(true).map_err(|error| self.strange(self.process, &error))?;
        let missing = |met: &Met| {
            let all = self.process + 1..self.hosts.len();
            all.into_iter().find(|&other| met.data[other].is_none() || met.watch[other].is_none())
        };
        while let Some(other) = missing(&met) {
            match listener.accept() {
                Ok((stream, from)) => {
                    let Some((theirs, stream)) = self.greeted(stream, until, &from.to_string())? else {
                        continue;
                    };
                    let place = if theirs.watch { &mut met.watch } else { &mut met.data };
                    place[theirs.process] = Some(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if Instant::now() > until {
                        return Err(self.absent(other));
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(self.strange(self.process, &error)),
            }
        }
        Ok(met)
    }

    fn strange(&self, process: usize, why: &dyn std::fmt::Display) -> MeetError {
        MeetError::Strange { address: self.hosts[process].written.clone(), why: why.to_string() }
    }

    fn connect(&self, process: usize, watch: bool, until: Instant) -> Result<TcpStream, MeetError> {
        let address = self.hosts[process].address;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.absent(process));
            }
            // A refusal comes at once; a machine that is not there takes as long as is left.
            let Ok(mut stream) = TcpStream::connect_timeout(&address, left) else {
                std::thread::sleep(PAUSE.min(left));
                continue;
            };
            let said = say(&mut stream, &self.greeting(watch)).and_then(|()| hear(&stream, until));
            let theirs = match said {
                Ok(Some(theirs)) => theirs,
                Ok(None) => return Err(self.strange(process, &"no process of a search answers there")),
                Err(error) if is_late(&error) => return Err(self.absent(process)),
                Err(error) => return Err(self.strange(process, &error)),
            };
            self.compare(&theirs, &self.hosts[process].written)?;
            if theirs.process != process {
                let why = format!("process {} answers there, and not process {process}", theirs.process);
                return Err(self.strange(process, &why));
            }
            return settled(stream).map_err(|error| self.strange(process, &error));
        }
    }

    /// The greeting of a process that has connected; none from a stranger, who is left alone.
    fn greeted(
        &self,
        mut stream: TcpStream,
        until: Instant,
        from: &str,
    ) -> Result<Option<(Greeting, TcpStream)>, MeetError> {
        if stream.set_nonblocking(false).is_err() {
            return Ok(None);
        }
        let soon = until.min(Instant::now() + Duration::from_secs(5));
        let Ok(Some(theirs)) = hear(&stream, soon) else { return Ok(None) };
        // The other one learns how the two differ as well.
        let _ = say(&mut stream, &self.greeting(theirs.watch));
        self.compare(&theirs, from)?;
        if theirs.process <= self.process || theirs.process >= self.hosts.len() {
            let why = format!("process {} has connected to process {}", theirs.process, self.process);
            return Err(MeetError::Strange { address: from.into(), why });
        }
        Ok(settled(stream).ok().map(|stream| (theirs, stream)))
    }

    fn compare(&self, theirs: &Greeting, address: &str) -> Result<(), MeetError> {
        let mine = self.greeting(false);
        let limit = |states: Option<u64>| states.map_or("none".into(), |states| states.to_string());
        let goes_on = |resume: bool| if resume { "with --resume" } else { "without --resume" }.to_owned();
        let differs = mine.search.differs(&theirs.search).or_else(|| {
            [
                ("protocol of the connection", mine.speaks, theirs.speaks.clone()),
                ("limit on states (--max-states)", limit(mine.limit), limit(theirs.limit)),
                ("beginning", goes_on(mine.resume), goes_on(theirs.resume)),
            ]
            .into_iter()
            .find(|(_, mine, theirs)| mine != theirs)
        });
        let Some((of, mine, theirs_value)) = differs else { return Ok(()) };
        Err(MeetError::Other {
            address: plain::line(address).into_owned(),
            process: theirs.process,
            of,
            mine,
            theirs: plain::line(&theirs_value).into_owned(),
        })
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn settled(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_read_timeout(None)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn say(stream: &mut TcpStream, greeting: &Greeting) -> io::Result<()> {
    let mut line = serde_json::to_vec(greeting)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Reads a greeting, byte by byte: what follows belongs to the dataflow. None if it is no greeting.
fn hear(stream: &TcpStream, until: Instant) -> io::Result<Option<Greeting>> {
    let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    stream.set_read_timeout(Some(left))?;
    let mut line = Vec::new();
    let mut input = BufReader::with_capacity(1, stream).take(MOST_GREETING);
    input.read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line).ok())
}

/// The words on the connection that is watched: a sign of life, and the last one of a search that has ended well.
const ALIVE: u8 = b'+';
const BYE: u8 = b'.';
/// Signs of life in the time after which a process is given up.
const SIGNS: u32 = 6;

/// Watches the other processes: one that is gone before it has said good-bye, or is silent, ends this process.
pub struct Watch {
    streams: Vec<TcpStream>,
    ended: Arc<AtomicBool>,
    /// Ends when process 0 has said good-bye, which it does after its report, or is gone.
    first: Option<JoinHandle<bool>>,
}

impl Watch {
    /// Watches the connections of `met`; a process that is silent for so long is given up.
    ///
    /// # Errors
    /// As the system says.
    pub fn new(met: &mut Met, hosts: &[Host], silence: Duration) -> io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let (mut streams, mut signs, mut first) = (Vec::new(), Vec::new(), None);
        for (process, stream) in met.watch.iter_mut().enumerate() {
            let Some(mut input) = stream.take() else { continue };
            streams.push(input.try_clone()?);
            signs.push(input.try_clone()?);
            input.set_read_timeout(Some(silence))?;
            let of = format!("process {process} ({})", hosts[process].written);
            let ended = Arc::clone(&ended);
            let watch = move || {
                let mut word = [0];
                let why = loop {
                    match input.read(&mut word) {
                        Ok(1) if word[0] == ALIVE => {}
                        Ok(1) if word[0] == BYE => return true,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) if is_late(&error) => {
                            break format!("{of} has said nothing for {} s", silence.as_secs());
                        }
                        _ => break format!("{of} is gone"),
                    }
                };
                if !ended.load(Ordering::SeqCst) {
                    end::unfinished(&why);
                }
                false
            };
            let watch = std::thread::Builder::new().name(format!("watch-{process}")).spawn(watch)?;
            if process == 0 {
                first = Some(watch);
            }
        }
        let of_signs = Arc::clone(&ended);
        let alive = move || {
            while !of_signs.load(Ordering::SeqCst) {
                // One that does not hear it is noticed by its own silence.
                signs.iter_mut().for_each(|stream| drop(stream.write_all(&[ALIVE])));
                std::thread::sleep(silence / SIGNS);
            }
        };
        std::thread::Builder::new().name("alive".into()).spawn(alive)?;
        Ok(Watch { streams, ended, first })
    }

    /// Waits until process 0 has said good-bye; `false` if it is gone without.
    pub fn first_is_done(&mut self) -> bool {
        self.first.take().is_none_or(|watch| watch.join().unwrap_or(false))
    }

    /// Says good-bye to the others: the search has ended, and its report is out.
    pub fn end(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        for stream in &mut self.streams {
            // Nobody has to hear it.
            let _ = stream.write_all(&[BYE]);
            let _ = stream.shutdown(Shutdown::Write);
        }
    }
}
