//! See `zus_fuzz::targets::beacon`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(beacon);
