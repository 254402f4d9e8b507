//! `zus explore` over a real socket: what it answers, and whom it does not answer.

mod attacks;

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The explorer, until the test ends.
pub struct Explorer {
    child: Child,
    address: String,
}

impl Drop for Explorer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Explorer {
    /// The server of a scenario or a trace.
    pub fn of(named: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_zus"))
            .args(["explore", named, "--address", "127.0.0.1:0"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|l| l.strip_prefix("http://").map(str::to_owned));
        let address = address.unwrap_or_else(|| panic!("no address"));
        Explorer { child, address }
    }

    /// Where a browser finds it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends these bytes, and returns status, head and body of the answer.
    fn send(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }

    fn get(&self, path: &str, host: &str, more: &str) -> (u16, String, String) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n"))
    }

    fn post(&self, body: &str) -> (u16, Value) {
        let host = &self.address;
        let (status, _, body) = self.send(&format!(
            "POST /at HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ));
        (status, serde_json::from_str(&unchunked(&body)).unwrap())
    }

    fn at(&self, steps: &[Value]) -> Value {
        let (status, place) = self.post(&json!({ "steps": steps }).to_string());
        assert_eq!(status, 200, "{place}");
        place
    }
}

/// A body that may have come in chunks.
fn unchunked(body: &str) -> String {
    let mut rest = body;
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size, 16) else { return body.to_owned() };
        whole.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    if whole.is_empty() { body.to_owned() } else { whole }
}

fn list<'a>(place: &'a Value, field: &str) -> &'a Vec<Value> {
    place[field].as_array().unwrap()
}

#[test]
fn a_violation_is_reached_by_choosing_steps_and_saved_as_a_trace() {
    let explorer = Explorer::of("late_better_rank");
    let (status, head, page) = explorer.get("/", &explorer.address, "");
    assert_eq!(status, 200);
    assert!(head.to_lowercase().contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(page.contains("What may happen now"));
    // The shortest run of the committed trace, chosen step by step among what is offered.
    let committed = include_str!("../../traces/late_better_rank-S2.json");
    let committed: Value = serde_json::from_str(committed).unwrap();
    let mut steps: Vec<Value> = Vec::new();
    for step in list(&committed, "steps") {
        let place = explorer.at(&steps);
        let mut wanted = step.clone();
        wanted.as_object_mut().unwrap().remove("says");
        let offered = list(&place, "enabled").iter().find(|c| c["step"] == wanted);
        steps.push(offered.unwrap_or_else(|| panic!("{wanted} is not offered"))["step"].clone());
    }
    let place = explorer.at(&steps);
    let s2 = list(&place, "properties").iter().find(|p| p["property"] == "S2").unwrap();
    assert_eq!(s2["verdict"], "violated");
    assert!(s2["because"].as_str().unwrap().contains("both notarized"));
    // The saved run is a trace that replays.
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("run.json");
    std::fs::write(&saved, place["trace"].as_str().unwrap()).unwrap();
    let replayed = Command::new(env!("CARGO_BIN_EXE_zus")).arg("replay").arg(&saved).output().unwrap();
    assert!(replayed.status.success());
    // Undo: the same steps without the last.
    let before = explorer.at(&steps[..steps.len() - 1]);
    let s2 = list(&before, "properties").iter().find(|p| p["property"] == "S2").unwrap();
    assert_eq!(s2["verdict"], "holds");
}

#[test]
fn what_may_not_happen_says_why_with_numbers() {
    let explorer = Explorer::of("hardened");
    let place = explorer.at(&[]);
    let because: Vec<&str> = list(&place, "blocked").iter().map(|b| b["because"].as_str().unwrap()).collect();
    assert!(
        because.iter().any(|b| b.contains("timeout certificate: 1 of q = 3 timeouts of (1, 0)")),
        "{because:?}"
    );
    let ticket = list(&place, "enabled").iter().find(|c| c["step"]["do"] == "ticket").unwrap();
    let place = explorer.at(&[ticket["step"].clone()]);
    let because: Vec<&str> = list(&place, "blocked").iter().map(|b| b["because"].as_str().unwrap()).collect();
    assert!(because.iter().any(|b| b.contains("has 2 of q = 3 tickets")), "{because:?}");
    assert!(because.iter().any(|b| b.contains("ticket rule")), "{because:?}");
    // Nothing that is offered is also refused.
    for blocked in list(&place, "blocked") {
        assert!(!list(&place, "enabled").iter().any(|e| e["step"] == blocked["step"]), "{blocked}");
    }
}

#[test]
fn a_counterexample_is_where_one_can_start() {
    let explorer = Explorer::of("traces/deployed_fork-S5.json");
    let (_, _, page) = explorer.get("/", &explorer.address, "");
    let data = unchunked(&page);
    let data = data.split_once("id=\"place\">").unwrap().1.split("</script>").next().unwrap().to_owned();
    let place: Value = serde_json::from_str(&data).unwrap();
    assert_eq!(list(&place, "steps").len(), 24);
    let steps: Vec<Value> = list(&place, "steps")[..10].to_vec();
    assert!(!list(&explorer.at(&steps), "enabled").is_empty());
}

#[test]
fn other_sites_and_other_names_are_refused() {
    let explorer = Explorer::of("late_better_rank");
    let own = explorer.address.clone();
    let port = own.rsplit(':').next().unwrap();
    assert_eq!(explorer.get("/", &format!("localhost:{port}"), "").0, 200);
    assert_eq!(explorer.get("/", "evil.example", "").0, 403, "DNS rebinding");
    assert_eq!(explorer.get("/", &format!("evil.example:{port}"), "").0, 403);
    assert_eq!(explorer.get("/", "127.0.0.1:1", "").0, 403, "another port");
    assert_eq!(explorer.get("/", &own, "Origin: http://evil.example\r\n").0, 403);
    assert_eq!(explorer.get("/", &own, "Origin: null\r\n").0, 403);
    assert_eq!(explorer.get("/", &own, "Host: evil.example\r\n").0, 403, "two names");
    assert_eq!(explorer.get("/elsewhere", &own, "").0, 404);
    let form = format!(
        "POST /at HTTP/1.1\r\nHost: {own}\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{{\"steps\":[]}}"
    );
    assert_eq!(explorer.send(&form).0, 415, "what a form of another site can send");
    let put = format!("DELETE / HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
    assert_eq!(explorer.send(&put).0, 405);
}

#[test]
fn what_is_too_long_or_no_run_is_refused_with_the_reason() {
    let explorer = Explorer::of("late_better_rank");
    let own = &explorer.address;
    let huge = format!(
        "POST /at HTTP/1.1\r\nHost: {own}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(explorer.send(&huge).0, 413);
    let timeout = json!({ "do": "timeout", "miner": 0 });
    let (status, body) = explorer.post(&json!({ "steps": vec![timeout.clone(); 2_001] }).to_string());
    assert_eq!((status, body["error"].as_str().unwrap().contains("2000")), (422, true), "{body}");
    let (status, body) = explorer.post(&json!({ "steps": [{ "do": "fly", "miner": 0 }] }).to_string());
    assert_eq!(status, 422, "{body}");
    let (status, body) = explorer
        .post(&json!({ "steps": [timeout, { "do": "leave", "miner": 0, "block": "B(1,0)#0" }] }).to_string());
    assert_eq!(status, 422);
    assert!(body["error"].as_str().unwrap().contains("may not happen"), "{body}");
    assert_eq!(explorer.post("[").0, 400);
    assert_eq!(explorer.post(r#"{"steps":[],"more":1}"#).0, 400);
    // And it still answers.
    assert!(!list(&explorer.at(&[]), "enabled").is_empty());
}
