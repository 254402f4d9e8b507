//! See `zus_fuzz::targets::messages`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(messages);
