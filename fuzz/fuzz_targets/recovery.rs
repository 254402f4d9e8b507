//! See `zus_fuzz::targets::recovery`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(recovery);
