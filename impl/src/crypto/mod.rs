//! Signatures, certificates, the threshold beacon and its key generation.

pub mod mock_scheme;
pub mod scheme;
