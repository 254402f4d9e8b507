//! See `zus_fuzz::targets::certificate`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(certificate);
