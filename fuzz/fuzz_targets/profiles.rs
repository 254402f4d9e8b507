//! See `zus_fuzz::targets::profiles`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(profiles);
