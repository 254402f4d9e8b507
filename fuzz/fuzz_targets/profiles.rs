#![no_main]
//! See `zus_fuzz::targets::profiles`.
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| zus_fuzz::targets::profiles(bytes));
