//! See `zus_fuzz::targets::scenario`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(scenario);
