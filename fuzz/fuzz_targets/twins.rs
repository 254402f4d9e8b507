//! See `zus_fuzz::targets::twins`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(twins);
