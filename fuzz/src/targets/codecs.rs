//! Targets that read: wire messages, scenario files, trace files.

use zus_bpp::wire;
use zus_model::trace::Trace;

/// A message that is accepted has exactly one encoding, and its memory is bounded by its length.
///
/// # Panics
/// When another encoding was accepted.
pub fn decode(bytes: &[u8]) {
    if let Ok(message) = wire::decode(bytes) {
        assert_eq!(wire::encode(&message), bytes, "not canonical: {message:?}");
    }
}

/// A scenario file is read or refused; a refusal names its line.
///
/// # Panics
/// When reading panics.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(error) = zus_model::scenario::parse("fuzz", "fuzz.toml", text) {
        assert!(error.to_string().contains("fuzz.toml"), "{error}");
    }
}

/// A trace file is read or refused; what is read can be replayed or is refused at a step, and is read back the same.
///
/// # Panics
/// When it is not.
pub fn trace(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(trace) = Trace::from_json("fuzz.json", text) else { return };
    let _ = trace.replay();
    let written = trace.to_json();
    let again = Trace::from_json("again.json", &written);
    let again = again.unwrap_or_else(|error| panic!("what was written is refused: {error}\n{written}"));
    assert_eq!(again.steps, trace.steps);
    assert_eq!(again.to_json(), written);
}
