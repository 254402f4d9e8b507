#![no_main]
//! See `zus_fuzz::targets::floods`.
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| zus_fuzz::targets::floods(bytes));
