//! `zus explore`: a scenario or a run in a browser, step by step, on loopback.

use super::{Exit, ExploreArgs, Failure, command_line};
use stateright::Model;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};
use tiny_http::{Header, Method, Request, Response, Server};
use zus_model::{
    checker::stateright::Readable,
    committed,
    draw::{
        explorer::{Explored, POLICY},
        scene,
    },
    trace::{self, Trace},
};

/// Bytes of a question: [`zus_model::draw::explorer::MAX_STEPS`] steps fit.
const MOST_BYTES: u64 = 1 << 20;
/// Bytes of a request's address and of one of its headers that are looked at.
const MOST_HEADER: usize = 1 << 10;
/// Questions that are answered at a time.
const WORKERS: usize = 2;

/// Runs the command; it ends with the process, or with an address that cannot be used.
pub fn run(args: &ExploreArgs) -> Result<Exit, Failure> {
    if !args.address.ip().is_loopback() {
        return Err(Failure::NotLoopback { address: args.address });
    }
    if args.stateright {
        return with_stateright(args);
    }
    let explored = explored(&args.scenario)?;
    let page = explored
        .page()
        .map_err(|refused| Failure::Unusable { path: args.scenario.clone(), why: refused.to_string() })?;
    let unusable = |source| Failure::Address { address: args.address, source };
    let listener = TcpListener::bind(args.address).map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    let server = Server::from_listener(listener, None)
        .map_err(|error| unusable(std::io::Error::other(error.to_string())))?;
    writeln!(anstream::stderr(), "{}\nhttp://{address}", explored.question)?;
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                // A browser that goes away before its answer is no reason to stop.
                while let Ok(request) = server.recv() {
                    let _ = answer(request, address, &explored, &page);
                }
            });
        }
    });
    Ok(Exit::AsExpected)
}

/// What the user names: a trace, or else a scenario.
fn explored(named: &str) -> Result<Explored, Failure> {
    let path = Path::new(named);
    if path.is_file() {
        let text = scene::read(path)?;
        if scene::format_of(&text).as_deref() == Some(trace::FORMAT) {
            return Ok(Explored::trace(Trace::from_json(named, &text)?));
        }
    }
    Ok(Explored::scenario(&committed::find(named)?, &command_line()))
}

/// Answers one request.
fn answer(mut request: Request, address: SocketAddr, explored: &Explored, page: &str) -> std::io::Result<()> {
    let (status, kind, body) = if !from_here(&request, address) {
        // Another site's page, or another name that was made to lead here (DNS rebinding).
        (403, "application/json", refusal("this server answers its own page only"))
    } else {
        match (request.method(), request.url()) {
            (Method::Get, "/") => (200, "text/html; charset=utf-8", page.to_owned()),
            (Method::Post, "/at") => asked(&mut request, explored),
            (Method::Get | Method::Post, _) => (404, "application/json", refusal("there is nothing here")),
            _ => (405, "application/json", refusal("GET / and POST /at are answered")),
        }
    };
    let mut response = Response::from_string(body).with_status_code(status);
    let policy = format!("{POLICY}; frame-ancestors 'none'");
    for (name, value) in [
        ("Content-Type", kind),
        ("Content-Security-Policy", &policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ] {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    request.respond(response)
}

fn refusal(why: &str) -> String {
    serde_json::json!({ "error": why }).to_string()
}

/// Whether the request names this server by a loopback name, and comes from its own page or from no page.
fn from_here(request: &Request, address: SocketAddr) -> bool {
    let port = address.port();
    let names = [
        format!("{address}"),
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
    ];
    let values = |name: &'static str| {
        request.headers().iter().filter(move |h| h.field.equiv(name)).map(|h| h.value.as_str())
    };
    let mut hosts = values("Host");
    let host = hosts
        .next()
        .is_some_and(|h| h.len() < MOST_HEADER && names.iter().any(|n| n.eq_ignore_ascii_case(h)));
    let origin =
        values("Origin").all(|o| names.iter().any(|n| o.eq_ignore_ascii_case(&format!("http://{n}"))));
    host && hosts.next().is_none() && origin && request.url().len() < MOST_HEADER
}

/// `POST /at`: what a run leads to.
fn asked(request: &mut Request, explored: &Explored) -> (u16, &'static str, String) {
    const JSON: &str = "application/json";
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Question {
        steps: Vec<serde_json::Map<String, serde_json::Value>>,
    }
    // A form of another site cannot say this without asking first.
    let json =
        request.headers().iter().any(|h| h.field.equiv("Content-Type") && h.value.as_str().starts_with(JSON));
    if !json {
        return (415, JSON, refusal("a question is application/json"));
    }
    if request.body_length().is_none_or(|length| length as u64 > MOST_BYTES) {
        return (413, JSON, refusal("a question has a length, of at most a mebibyte"));
    }
    let mut text = String::new();
    if request.as_reader().take(MOST_BYTES).read_to_string(&mut text).is_err() {
        return (400, JSON, refusal("the question cannot be read"));
    }
    let question: Question = match serde_json::from_str(&text) {
        Ok(question) => question,
        Err(error) => return (400, JSON, refusal(&error.to_string())),
    };
    match explored.at(question.steps) {
        Ok(place) => match serde_json::to_string(&place) {
            Ok(text) => (200, JSON, text),
            Err(error) => (500, JSON, refusal(&error.to_string())),
        },
        Err(refused) => (422, JSON, refusal(&refused.to_string())),
    }
}

/// Stateright's own Explorer.
fn with_stateright(args: &ExploreArgs) -> Result<Exit, Failure> {
    let scenario = committed::find(&args.scenario)?;
    let model = Readable::new(&scenario.protocol, scenario.expect.iter().map(|e| e.property).collect());
    loop {
        // The server panics where it cannot listen, so it is asked first.
        let listener = TcpListener::bind(args.address);
        let bound = listener.and_then(|listener| listener.local_addr());
        let address = bound.map_err(|source| Failure::Address { address: args.address, source })?;
        writeln!(anstream::stderr(), "{}: {}\nhttp://{address}", scenario.name, scenario.question)?;
        // It panics, too, when a browser goes away before its answer; that is no reason to stop.
        let served = catch_unwind(AssertUnwindSafe(|| model.clone().checker().serve(address)));
        if served.is_ok() {
            return Ok(Exit::AsExpected);
        }
    }
}
