//! See `zus_fuzz::targets::decode`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(decode, counting);
