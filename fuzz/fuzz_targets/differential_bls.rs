//! See `zus_fuzz::targets::differential_bls`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(differential_bls);
