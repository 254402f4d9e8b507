//! See `zus_fuzz::targets::answers`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(answers);
