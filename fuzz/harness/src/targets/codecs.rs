//! Targets that read: messages and everything else that comes as bytes, scenario files, trace files.

use std::path::Path;

use zus_bpp::committee::{ChainId, Epoch};
use zus_bpp::crypto::dkg::{Dealing, Receipt, Registration, Settlement};
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::handoff::HandoffCertificate;
use zus_bpp::epochs::item;
use zus_bpp::epochs::link::{Beginning, Link};
use zus_bpp::epochs::record::Record;
use zus_bpp::message::Message;
use zus_bpp::ticket_log::{Interchange, KEY_BYTES, LogContents, Owner};
use zus_bpp::wire::{self, Decode, Encode};
use zus_checker::trace::Trace;

use super::allocation::measure;
use super::key_generation::session_of_four;
use crate::oracles::promises;
use crate::schedule::Random;

/// Bytes that a decoder may ask for, whatever its input is: an error, a value on the heap, the first elements of a list.
const BASE_BYTES: u64 = 4 << 10;
/// Bytes that it may ask for, for each byte of input: the values, the lists that grow as they are read, and their buffers.
const PER_BYTE: u64 = 24;

/// First bytes that ask for another decoder than that of messages, which begin with a version.
pub(crate) const OTHERS: [(u8, &str); 12] = [
    (0xf0, "registration"),
    (0xf1, "dealing"),
    (0xf2, "settlement"),
    (0xf3, "receipt"),
    (0xf4, "record"),
    (0xf5, "interchange"),
    (0xf6, "log_file"),
    (0xf7, "items"),
    (0xf8, "handoff"),
    (0xf9, "link"),
    (0xfa, "beginning"),
    (0xfb, "envelope"),
];

/// Whose log file is decoded.
pub(crate) const OWNER: Owner = Owner { chain: ChainId([7; 32]), epoch: Epoch(1), key: [5; KEY_BYTES] };

/// Decodes within the bound on what may be allocated.
///
/// # Panics
/// When more is asked for.
pub fn bounded<T>(what: &str, bytes: &[u8], decode: impl FnOnce() -> T) -> T {
    let (decoded, asked) = measure(decode);
    let most = BASE_BYTES + PER_BYTE * bytes.len() as u64;
    assert!(asked <= most, "{what}: {asked} bytes asked for, to decode {}; at most {most}", bytes.len());
    decoded
}

/// An accepted input has exactly one encoding, nothing panics, and the memory asked for is bounded by the length.
/// Inputs are messages, or with a first byte of their own everything else that comes from a peer or a disk.
///
/// # Panics
/// When it is not so.
pub fn decode(bytes: &[u8]) {
    let name = bytes.first().and_then(|first| OTHERS.iter().find(|(byte, _)| byte == first));
    match name {
        None => {
            if let Ok(message) = bounded("message", bytes, || wire::decode(bytes)) {
                assert_eq!(wire::encode(&message), bytes, "not canonical: {message:?}");
                keeps_promises(&message);
                neighbours(bytes);
            }
        }
        Some((_, name)) => decode_other(name, &bytes[1..]),
    }
}

/// Bytes of a message that are changed, one at a time.
const NEIGHBOURS: usize = 6;

/// An input that differs from a message in one byte is another message, or none: nothing in it is read loosely.
pub(super) fn neighbours(bytes: &[u8]) {
    let mut random = Random::seeded_by(bytes);
    for _ in 0..NEIGHBOURS {
        let mut near = bytes.to_vec();
        let at = random.below(near.len());
        // Flags, counts and tags are small numbers.
        near[at] = if random.below(2) == 0 { random.below(4) as u8 } else { random.bits() as u8 };
        if let Ok(message) = wire::decode(&near) {
            assert_eq!(wire::encode(&message), near, "not canonical: {message:?}");
            keeps_promises(&message);
        }
    }
}

/// A decoded message keeps the promises of its type.
pub(super) fn keeps_promises(message: &Message) {
    if let Err(broken) = promises::promises(message) {
        panic!("{broken}: {message:?}");
    }
    if let Message::UncompressedTicket(ticket) = message {
        let read = UncompressedSignature::from_bytes(&ticket.signature.to_bytes());
        assert_eq!(read.ok(), Some(ticket.signature), "another signature in its own bytes");
    }
}

/// The encoding of the value in these bytes, if there is one.
fn of_wire<T: Encode + Decode>(what: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    bounded(what, bytes, || wire::from_bytes::<T>(bytes)).ok().map(|found| wire::to_bytes(&found))
}

fn decode_other(name: &str, bytes: &[u8]) {
    let canonical = |encoded: Option<Vec<u8>>| {
        assert!(encoded.is_none_or(|encoded| encoded == bytes), "not canonical: a {name}");
    };
    let session = session_of_four();
    match name {
        "registration" => {
            let found = bounded(name, bytes, || Registration::decode(bytes));
            canonical(found.ok().map(|found| found.encode()));
        }
        "dealing" => {
            let found = bounded(name, bytes, || Dealing::decode(session, bytes));
            canonical(found.ok().map(|found| found.encode()));
        }
        "settlement" => {
            let found = bounded(name, bytes, || Settlement::decode(session, bytes));
            if let Ok(found) = &found {
                assert_eq!(promises::signers(&found.receipts), Ok(()), "a settlement");
                let missing = session.size().saturating_sub(found.receipts.iter().count());
                assert_eq!(
                    found.revealed().count(),
                    missing,
                    "shares of others than those without a receipt"
                );
            }
            canonical(found.ok().map(|found| found.encode()));
        }
        "receipt" => {
            let Some(fixed) = bytes.first_chunk().filter(|fixed| fixed.len() == bytes.len()) else { return };
            canonical(Some(Receipt::decode(fixed).encode().to_vec()));
        }
        "record" => {
            let found = bounded(name, bytes, || Record::decode(bytes));
            canonical(found.ok().map(|found| found.encode()));
        }
        "items" => {
            let found = bounded(name, bytes, || item::decode(bytes));
            canonical(found.ok().map(item::encode));
        }
        "handoff" => canonical(of_wire::<HandoffCertificate>(name, bytes)),
        "link" => canonical(of_wire::<Link<Record>>(name, bytes)),
        "beginning" => canonical(of_wire::<Beginning<Record>>(name, bytes)),
        "envelope" => canonical(of_wire::<Envelope<Record>>(name, bytes)),
        "interchange" => {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            let Ok(found) = bounded(name, bytes, || Interchange::from_json(text)) else { return };
            let written = found.to_json().expect("strings and lists are written");
            assert_eq!(Interchange::from_json(&written).as_ref().ok(), Some(&found), "reads back as another");
        }
        _ => {
            let found = bounded(name, bytes, || LogContents::read(Path::new("fuzz.log"), bytes, &OWNER));
            match found {
                Ok(found) => assert!(found.good_bytes() <= bytes.len() as u64),
                Err(error) => assert!(error.to_string().contains("fuzz.log"), "{error}"),
            }
        }
    }
}

/// A scenario file is read or refused; a refusal names its file.
///
/// # Panics
/// When reading panics.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(error) = zus_checker::scenario::parse("fuzz", "fuzz.toml", text) {
        assert!(error.to_string().contains("fuzz.toml"), "{error}");
    }
}

/// A trace file is read or refused; what is read can be replayed or is refused at a step, and is read back the same.
///
/// # Panics
/// When it is not.
pub fn trace(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let trace = match Trace::from_json("fuzz.json", text) {
        Ok(trace) => trace,
        Err(error) => {
            assert!(error.to_string().contains("fuzz.json"), "{error}");
            return;
        }
    };
    let _ = trace.replay();
    let written = trace.to_json();
    let again = Trace::from_json("again.json", &written);
    let again = again.unwrap_or_else(|error| panic!("what was written is refused: {error}\n{written}"));
    assert_eq!(again.steps, trace.steps);
    assert_eq!(again.to_json(), written);
}
