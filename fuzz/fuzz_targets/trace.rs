//! See `zus_fuzz::targets::trace`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(trace);
