//! Chromium without a window, driven through its own DevTools protocol over a pipe: no driver, no port.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

/// How long the browser may take for anything; it is not a measurement.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    asked: u64,
    session: Option<String>,
    events: Vec<Value>,
    /// Its profile, and what it saves.
    pub folder: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program: what `ZUS_BROWSER` names, which must be there; or what Debian and others call it.
fn program() -> Option<String> {
    if let Ok(named) = std::env::var("ZUS_BROWSER") {
        return Some(named);
    }
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success()));
    if found.is_none() {
        eprintln!("skipped: there is no Chromium here; apt-get install chromium");
    }
    found.map(str::to_owned)
}

impl Browser {
    /// A browser with an empty page; `None` where there is none.
    pub fn start() -> Option<Browser> {
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        // It reads commands from file 3 and answers into file 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", &program])
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--remote-debugging-pipe", "--window-size=1500,900"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let (send, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { return };
                if send.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let mut browser = Browser { child, to, from, asked: 0, session: None, events: Vec::new(), folder };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.ask("Target.attachToTarget", attached);
        let downloads = browser.folder.path().join("saved");
        std::fs::create_dir_all(&downloads).unwrap();
        let allow = json!({ "behavior": "allow", "downloadPath": downloads.to_str().unwrap() });
        browser.ask("Browser.setDownloadBehavior", allow);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            browser.ask(domain, json!({}));
        }
        Some(browser)
    }

    /// Sends a command and waits for its answer; what happens meanwhile is kept.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let mut command = json!({ "id": self.asked, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{command}\0").as_bytes()).unwrap();
        loop {
            let message = self.hear(method);
            if message["id"] == self.asked {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn hear(&mut self, waiting_for: &str) -> Value {
        match self.from.recv_timeout(PATIENCE) {
            Ok(message) => message,
            Err(error) => panic!("the browser does not answer to {waiting_for}: {error}"),
        }
    }

    /// Opens an address and waits until it is loaded.
    pub fn open(&mut self, address: &str) {
        self.events.clear();
        self.ask("Page.navigate", json!({ "url": address }));
        let loaded = |events: &[Value]| events.iter().any(|e| e["method"] == "Page.loadEventFired");
        while !loaded(&self.events) {
            let message = self.hear(address);
            self.events.push(message);
        }
    }

    /// Opens a page from a file, at that fragment.
    pub fn open_page(&mut self, page: &str, fragment: &str) {
        let path = self.folder.path().join("page.html");
        std::fs::write(&path, page).unwrap();
        self.open("about:blank");
        self.open(&format!("file://{}{fragment}", path.display()));
    }

    /// The value that a function body returns in the page; promises are waited for.
    pub fn run(&mut self, script: &str) -> Value {
        let expression = format!("(async () => {{ {script} }})()");
        let what = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let answer = self.ask("Runtime.evaluate", what);
        assert!(answer.get("exceptionDetails").is_none(), "{script}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true in the page.
    pub fn until(&mut self, condition: &str) {
        let start = Instant::now();
        while self.run(&format!("return Boolean({condition})")) != true {
            assert!(start.elapsed() < PATIENCE, "never: {condition}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The errors of the page since it was opened: exceptions, `console.error`, what could not be loaded or was forbidden.
    pub fn problems(&mut self) -> Vec<String> {
        self.run("return 0");
        let told = |event: &Value| {
            let of = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" => Some(of["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled" if of["type"] == "error" => Some(of["args"].to_string()),
                "Log.entryAdded" if of["entry"]["level"] == "error" => Some(of["entry"].to_string()),
                _ => None,
            }
        };
        self.events.iter().filter_map(told).collect()
    }

    /// The file that the page saved under that name.
    pub fn saved(&self, name: &str) -> std::path::PathBuf {
        let path = self.folder.path().join("saved").join(name);
        let start = Instant::now();
        // While it is written it has another name.
        while !path.is_file() {
            assert!(start.elapsed() < PATIENCE, "{name} was not saved");
            std::thread::sleep(Duration::from_millis(20));
        }
        path
    }

    /// Light or dark, as a user's system asks for.
    pub fn scheme(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.ask("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Sets the size of the page; a narrow one is that of a phone.
    pub fn size(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.ask("Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets the size of the page and writes a picture of it.
    pub fn picture(&mut self, width: u32, height: u32, to: &Path) {
        self.size(width, height);
        self.run("await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        let taken = self.ask("Page.captureScreenshot", json!({ "format": "png" }));
        std::fs::write(to, decoded(taken["data"].as_str().unwrap())).unwrap();
    }
}

/// Base64, of which a picture comes.
fn decoded(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for digit in text.bytes().filter_map(|b| DIGITS.iter().position(|&d| d == b)) {
        (bits, count) = (bits << 6 | digit as u32, count + 6);
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}

#[test]
fn the_errors_of_a_page_are_heard() {
    let Some(mut browser) = Browser::start() else { return };
    browser.open_page("<meta charset=utf-8><p>nothing", "");
    assert_eq!(browser.problems(), Vec::<String>::new());
    for bad in [
        "<script>console.error('told')</script>",
        "<script>nowhere.at.all()</script>",
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\"><img src='data:image/png;base64,AAAA'>",
        "<img src='absent.png'>",
    ] {
        browser.open_page(bad, "");
        assert!(!browser.problems().is_empty(), "{bad}");
    }
}
