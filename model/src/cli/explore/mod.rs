//! `zus explore`: a scenario or a run in a browser, step by step, on loopback.

mod server;

use super::{Exit, ExploreArgs, Failure, command_line, tried};
use hyper::{
    Method, Request, StatusCode,
    body::{Body, Bytes},
    header::{CONTENT_TYPE, HOST, HeaderName, ORIGIN},
};
use server::{Answer, Site};
use std::{
    io::Write,
    net::{SocketAddr, TcpListener},
    path::Path,
};
use zus_checker::{
    search::trial::effects_of_run,
    trace::{self, ReplayError, Trace},
};
use zus_output::plain;
use zus_report::draw::{explorer::Explored, scene};

/// The content type of a question, and of its answer.
const JSON: &str = "application/json";

/// Runs the command; it ends with the process, or with an address that cannot be used.
pub fn run(args: &ExploreArgs) -> Result<Exit, Failure> {
    if !args.address.ip().is_loopback() {
        return Err(Failure::NotLoopback { address: args.address });
    }
    let explored = explored(&args.scenario)?;
    let page = explored
        .page()
        .map_err(|refused| Failure::Unusable { path: args.scenario.clone(), why: refused.to_string() })?;
    let unusable = |source| Failure::Address { address: args.address, source };
    let listener = TcpListener::bind(args.address).map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    writeln!(anstream::stderr(), "{}\nhttp://{address}", plain::line(&explored.question))?;
    server::serve(listener, Explorer { names: names(address), explored, page: page.into() })
        .map_err(|source| Failure::Closed { address, source })?;
    Ok(Exit::AsExpected)
}

/// The trace that the user names, or else the scenario.
fn explored(named: &str) -> Result<Explored, Failure> {
    let path = Path::new(named);
    if path.is_file() {
        let text = scene::read(path)?;
        // No scenario begins so; what is no trace is told what it is.
        if text.trim_start().starts_with('{') {
            let trace = Trace::from_json(named, &text)?;
            effects_of_run(named, &text, &trace)?;
            let unusable = |why: ReplayError| Failure::Unusable { path: named.into(), why: why.to_string() };
            return Ok(Explored::trace(trace.told().map_err(unusable)?));
        }
    }
    Ok(Explored::scenario(&tried(named)?, &command_line()))
}

/// The page, and the answers to its questions.
struct Explorer {
    /// How the page may call this server.
    names: [String; 4],
    explored: Explored,
    page: Bytes,
}

/// The loopback names of an address.
fn names(address: SocketAddr) -> [String; 4] {
    let port = address.port();
    [address.to_string(), format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")]
}

impl Site for Explorer {
    fn head<B: Body>(&self, request: &Request<B>) -> Option<Answer> {
        if !self.is_from_here(request) {
            // Another site's page, or another name that was made to lead here (DNS rebinding).
            return Some(refusal(StatusCode::FORBIDDEN, "this server answers its own page only"));
        }
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/") => {
                let kind = "text/html; charset=utf-8";
                Some(Answer { status: StatusCode::OK, kind, body: self.page.clone() })
            }
            // A form of another site cannot say that it is JSON without asking first.
            (&Method::POST, "/at") => (!is_json(request))
                .then(|| refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a question is application/json")),
            (&Method::GET | &Method::POST, _) => {
                Some(refusal(StatusCode::NOT_FOUND, "there is nothing here"))
            }
            _ => Some(refusal(StatusCode::METHOD_NOT_ALLOWED, "GET / and POST /at are answered")),
        }
    }

    /// `POST /at`: what a run leads to.
    fn body(&self, question: &[u8]) -> Answer {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Question {
            steps: Vec<trace::Object>,
        }
        let question: Question = match serde_json::from_slice(question) {
            Ok(question) => question,
            Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        let steps = question.steps.into_iter().map(|step| step.0).collect();
        match self.explored.at(steps).map(|place| place.to_json()) {
            Ok(body) => Answer { status: StatusCode::OK, kind: JSON, body: body.into() },
            Err(refused) => refusal(StatusCode::UNPROCESSABLE_ENTITY, &refused.to_string()),
        }
    }

    fn refusal(&self, status: StatusCode, why: &str) -> Answer {
        refusal(status, why)
    }
}

impl Explorer {
    /// Whether the request names this server by a loopback name, and comes from its own page or from no page.
    fn is_from_here<B>(&self, request: &Request<B>) -> bool {
        let values = |name: HeaderName| request.headers().get_all(name).into_iter().map(|v| v.as_bytes());
        let is_own = |host: &[u8]| self.names.iter().any(|n| host.eq_ignore_ascii_case(n.as_bytes()));
        let mut hosts = values(HOST);
        let host = hosts.next().is_some_and(is_own) && hosts.next().is_none();
        let origin = values(ORIGIN).all(|o| o.strip_prefix(b"http://").is_some_and(is_own));
        // A request for a proxy names its host in the address.
        host && origin && request.uri().authority().is_none()
    }
}

fn is_json<B>(request: &Request<B>) -> bool {
    request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(JSON.as_bytes()))
}

fn refusal(status: StatusCode, why: &str) -> Answer {
    let body = serde_json::json!({ "error": plain::message(why) }).to_string();
    Answer { status, kind: JSON, body: body.into() }
}
