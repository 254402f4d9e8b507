//! See `zus_fuzz::targets::conformance`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(conformance);
