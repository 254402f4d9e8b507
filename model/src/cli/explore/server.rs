//! The server behind the page: HTTP/1 on one thread, each request on a connection of its own, and a bound on everything
//! that a peer can make it keep or wait for.
//!
//! | bound | |
//! |---|---|
//! | connections | [`CONNECTIONS`], or as many as the system has room for; one more, and the oldest is closed: who stalls is the one that goes |
//! | header, all lines | [`HEADER_BYTES`], [`HEADER_LINES`] lines, [`HEADER_TIME`] |
//! | body | its length is said before, at most [`BODY_BYTES`]; [`BODY_TIME`] |
//! | a connection in all | [`CONNECTION_TIME`], for those that read their answer slowly |
//! | questions answered at a time | [`WORKERS`]; the others wait |
//!
//! The memory of all requests is below [`CONNECTIONS`] times ([`HEADER_BYTES`] + [`BODY_BYTES`]), beside the answers. A
//! request that is refused is not read to its end.

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Bytes, Incoming},
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
    },
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{collections::VecDeque, convert::Infallible, io, net, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::Semaphore,
    task::{AbortHandle, spawn, spawn_blocking},
    time::{sleep, timeout},
};
use zus_report::draw::explorer::POLICY;

/// Connections at a time.
const CONNECTIONS: usize = 32;
/// Bytes of the lines before the body, all together.
const HEADER_BYTES: usize = 16 << 10;
/// Lines of the header.
const HEADER_LINES: usize = 64;
/// The time in which the header must be there.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// Bytes of a question: [`zus_report::draw::explorer::MAX_STEPS`] steps fit.
const BODY_BYTES: usize = 1 << 20;
/// The time in which the body must be there.
const BODY_TIME: Duration = Duration::from_secs(5);
/// The time after which a connection is closed.
const CONNECTION_TIME: Duration = Duration::from_secs(60);
/// Questions that are answered at a time.
const WORKERS: usize = 2;
/// The pause after a connection could not be accepted, for instance because there are too many open files.
const PAUSE: Duration = Duration::from_millis(10);
/// Connections in a row that could not be accepted, though none is open, before it is given up: a second.
const REFUSALS: u32 = 100;

/// The site that the server shows.
pub(super) trait Site: Send + Sync + 'static {
    /// The answer to a request that needs no body; none if its body is needed.
    fn head<B: Body>(&self, request: &Request<B>) -> Option<Answer>;
    /// The answer to a body. It may take its time, and is asked on another thread.
    fn body(&self, body: &[u8]) -> Answer;
    /// The answer that says no.
    fn refusal(&self, status: StatusCode, why: &str) -> Answer;
}

/// An answer.
pub(super) struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The content type.
    pub kind: &'static str,
    /// The body.
    pub body: Bytes,
}

/// Serves until the process ends.
///
/// # Errors
/// If the system has no room for what it takes, or for one connection.
pub(super) fn serve(listener: net::TcpListener, site: impl Site) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime =
        runtime::Builder::new_current_thread().enable_all().max_blocking_threads(WORKERS).build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        Err(accept(listener, Arc::new(site)).await)
    })
}

/// Returns why nobody can connect any more.
async fn accept(listener: TcpListener, site: Arc<impl Site>) -> io::Error {
    let workers = Arc::new(Semaphore::new(WORKERS));
    let mut open: VecDeque<AbortHandle> = VecDeque::with_capacity(CONNECTIONS);
    let mut refusals = 0;
    loop {
        let accepted = listener.accept().await;
        open.retain(|connection| !connection.is_finished());
        // There is no room for another one, here or in the system; which also says so where it has just had room for the last one.
        if (accepted.is_err() && refusals > 0 || open.len() == CONNECTIONS)
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
            refusals = 0;
        }
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if refusals == REFUSALS => return error,
            Err(_) => {
                refusals += 1;
                sleep(PAUSE).await;
                continue;
            }
        };
        refusals = 0;
        open.push_back(spawn(connection(stream, Arc::clone(&site), Arc::clone(&workers))).abort_handle());
    }
}

/// One request, and its answer. A peer that goes away before is no reason to do anything.
async fn connection(stream: TcpStream, site: Arc<impl Site>, workers: Arc<Semaphore>) {
    let service = service_fn(|request| {
        let (site, workers) = (Arc::clone(&site), Arc::clone(&workers));
        async move { Ok::<_, Infallible>(response(answer(request, site, workers).await)) }
    });
    let served = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADER_LINES)
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .serve_connection(TokioIo::new(stream), service);
    let _ = timeout(CONNECTION_TIME, served).await;
}

async fn answer(request: Request<Incoming>, site: Arc<impl Site>, workers: Arc<Semaphore>) -> Answer {
    if let Some(answer) = site.head(&request) {
        return answer;
    }
    // The length that the peer announces is checked before anything is kept of the body.
    if request.body().size_hint().exact().is_none_or(|length| length > BODY_BYTES as u64) {
        return site.refusal(StatusCode::PAYLOAD_TOO_LARGE, "a question has a length, of at most a mebibyte");
    }
    let body = match timeout(BODY_TIME, Limited::new(request.into_body(), BODY_BYTES).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return site.refusal(StatusCode::BAD_REQUEST, "the question cannot be read"),
        Err(_) => return site.refusal(StatusCode::REQUEST_TIMEOUT, "the question did not come"),
    };
    let failed = (StatusCode::INTERNAL_SERVER_ERROR, "the question has no answer; this is a fault of zus");
    let Ok(permit) = workers.acquire_owned().await else { return site.refusal(failed.0, failed.1) };
    let asked = Arc::clone(&site);
    // The permit goes along: a question whose peer has gone is worked on to its end, and counts until then.
    let answered = spawn_blocking(move || {
        let _permit = permit;
        asked.body(&body)
    });
    answered.await.unwrap_or_else(|_| site.refusal(failed.0, failed.1))
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    let policy = format!("{POLICY}; frame-ancestors 'none'");
    for (name, value) in [
        (CONTENT_TYPE, answer.kind),
        (CONTENT_SECURITY_POLICY, &policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
