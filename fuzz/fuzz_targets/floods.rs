//! See `zus_fuzz::targets::floods`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(floods);
