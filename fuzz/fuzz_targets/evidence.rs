//! See `zus_fuzz::targets::evidence`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(evidence);
