//! See `zus_fuzz::targets::statements`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(statements);
