//! A panic of a target under an engine prints the command that replays the input: the engine ends the process in its panic hook,
//! and names its file only later, if at all.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Once;

use zus_output::{plain, whole};

use super::Target;

/// Inputs of at most so many bytes are printed as a part of the command; a longer one is written to a file.
const SHOWN: usize = 1_024;

thread_local! {
    static PRESENT: RefCell<(&'static str, Vec<u8>)> = const { RefCell::new(("", Vec::new())) };
}

/// Runs a target on an input. Should it panic, the command that replays the input is printed before the panic's own message.
pub fn execute(name: &'static str, target: Target, bytes: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        // The engine's hook, which aborts; without an engine the standard one.
        let inner = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // A panic while the input is stored has none.
            if let Ok(present) = PRESENT.try_with(|present| present.try_borrow().ok().map(|it| it.clone()))
                && let Some((name, bytes)) = present
                && !name.is_empty()
            {
                eprintln!("replay: {}", command(name, &bytes));
            }
            inner(panic);
        }));
    });
    PRESENT.with_borrow_mut(|(of, input)| {
        *of = name;
        input.clear();
        input.extend_from_slice(bytes);
    });
    target(bytes);
    PRESENT.with_borrow_mut(|(of, _)| *of = "");
}

/// The command that runs a target on these bytes. Long ones go to a file of the temporary folder, named after the bytes.
fn command(name: &str, bytes: &[u8]) -> String {
    let tool = "cargo run -p zus-fuzz --features differential -- run";
    if bytes.len() <= SHOWN {
        return format!("{tool} {name} --hex '{}'", hex(bytes));
    }
    let digest = rapidhash::v3::rapidhash_v3(bytes);
    let file = std::env::temp_dir().join(format!("zus-fuzz-{name}-{digest:016x}"));
    match whole::write(&file, bytes) {
        Ok(()) => format!("{tool} {name} {}", plain::path(&file)),
        Err(error) => format!("none, since {} cannot be written: {error}", plain::path(&file)),
    }
}

/// Bytes as a command has them.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that `hex` has written.
///
/// # Errors
/// When the text is not two hexadecimal digits a byte.
pub fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let text = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2 && !pair.starts_with('+'));
        text.and_then(|pair| u8::from_str_radix(pair, 16).ok())
    });
    pairs.collect::<Option<_>>().ok_or_else(|| "two hexadecimal digits a byte".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&hex(&all)), Ok(all));
        assert_eq!(from_hex(""), Ok(Vec::new()));
        for wrong in ["0", "0g", "+f", "00 0", "é"] {
            assert!(from_hex(wrong).is_err(), "{wrong}");
        }
    }
}
