//! See `zus_fuzz::targets::dkg`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(dkg);
