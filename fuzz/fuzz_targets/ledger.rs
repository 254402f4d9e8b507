//! See `zus_fuzz::targets::ledger`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(ledger);
