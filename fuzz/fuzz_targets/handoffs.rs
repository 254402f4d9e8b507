//! See `zus_fuzz::targets::handoffs`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(handoffs);
