//! See `zus_fuzz::targets::conformance_bls`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(conformance_bls);
