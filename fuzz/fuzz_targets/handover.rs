//! See `zus_fuzz::targets::handover`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(handover);
