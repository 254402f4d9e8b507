//! Signatures, certificates, the threshold beacon and its key generation.

pub mod scheme;
