//! All processes of a search on this machine: starts them, passes on what they say, and ends with their exit code.

use crate::{
    arguments::LocalArgs,
    end::{BAD_INPUT, UNFINISHED},
    ports,
    program::{Failure, command_line, note},
};
use std::{
    collections::BTreeSet,
    io::{self, BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use zus_output::{lock::Lock, plain, whole};

/// Time between two looks at the processes.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs the command.
pub fn run(args: &LocalArgs) -> Result<i32, Failure> {
    let folder = &args.search.layers;
    let unfit = |source| Failure::Folder { folder: plain::path(folder), source };
    let lock = Lock::take(folder).map_err(unfit)?;
    let hosts = folder.join("hosts.txt");
    let addresses = free(args.processes).map_err(|error| Failure::System(error.to_string()))?;
    whole::write(&hosts, addresses).map_err(unfit)?;
    let words = args.search.words();
    let again = [vec!["local".into(), args.processes.to_string()], words.clone(), vec!["--resume".into()]];
    let again = command_line(again.concat());
    let mut children = Vec::new();
    let told = Arc::default();
    let program = std::env::current_exe().map_err(|error| Failure::System(error.to_string()))?;
    for process in 0..args.processes {
        let mut command = Command::new(&program);
        command.arg("check").arg("--hosts").arg(&hosts).args([
            "--process",
            &process.to_string(),
            "--again",
            &again,
        ]);
        command.args(&words).args(args.search.resume.then_some("--resume")).stdin(Stdio::null());
        command.stdout(if process == 0 { Stdio::inherit() } else { Stdio::null() }).stderr(Stdio::piped());
        match command.spawn() {
            Ok(mut child) => {
                let heard = pass_on(&mut child, Arc::clone(&told));
                children.push((child, heard, None));
            }
            Err(error) => {
                children.iter_mut().for_each(|(child, ..)| drop(child.kill()));
                return Err(Failure::System(error.to_string()));
            }
        }
    }
    while children.iter().any(|(.., code)| code.is_none()) {
        for (child, _, code) in &mut children {
            if let (None, Ok(Some(status))) = (&code, child.try_wait()) {
                // A process that was killed leaves a search that can go on.
                *code = Some(status.code().unwrap_or(UNFINISHED));
            }
        }
        // One that never begins is not waited for by the others.
        if children.iter().any(|(.., code)| *code == Some(BAD_INPUT)) {
            children
                .iter_mut()
                .filter(|(.., code)| code.is_none())
                .for_each(|(child, ..)| drop(child.kill()));
        }
        std::thread::sleep(PAUSE);
    }
    let codes: Vec<i32> = children
        .into_iter()
        .map(|(_, heard, code)| {
            let _ = heard.map(std::thread::JoinHandle::join);
            code.unwrap_or(UNFINISHED)
        })
        .collect();
    let _ = std::fs::remove_file(&hosts);
    drop(lock);
    // An empty folder is left by nobody.
    let _ = std::fs::remove_dir(folder);
    let has = |code| codes.contains(&code);
    Ok(if has(BAD_INPUT) {
        BAD_INPUT
    } else if has(UNFINISHED) {
        UNFINISHED
    } else {
        codes[0]
    })
}

/// A file of hosts with ports that are free now.
fn free(processes: u16) -> io::Result<String> {
    Ok(ports::free(processes.into())?.iter().map(|port| format!("127.0.0.1:{port}\n")).collect())
}

/// Passes on the lines that a process says, each once: several processes have the same to say about one that is gone.
fn pass_on(child: &mut Child, told: Arc<Mutex<BTreeSet<String>>>) -> Option<std::thread::JoinHandle<()>> {
    let said = BufReader::new(child.stderr.take()?);
    let work = move || {
        for line in said.lines().map_while(Result::ok) {
            if told.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone()) {
                note(&line);
            }
        }
    };
    std::thread::Builder::new().name("said".into()).spawn(work).ok()
}
