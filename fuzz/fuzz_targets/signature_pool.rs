//! See `zus_fuzz::targets::signature_pool`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(signature_pool);
