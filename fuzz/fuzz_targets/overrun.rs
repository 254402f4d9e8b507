//! See `zus_fuzz::targets::overrun`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(overrun);
