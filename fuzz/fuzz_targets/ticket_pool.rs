//! See `zus_fuzz::targets::ticket_pool`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(ticket_pool);
