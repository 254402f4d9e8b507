//! See `zus_fuzz::targets::signers`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(signers);
