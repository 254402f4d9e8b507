//! See `zus_fuzz::targets::soak`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(soak, counting);
