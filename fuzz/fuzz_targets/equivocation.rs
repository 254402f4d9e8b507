//! See `zus_fuzz::targets::equivocation`.
#![cfg_attr(feature = "libfuzzer", no_main)]
zus_fuzz::entry!(equivocation);
