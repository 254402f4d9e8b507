//! Signatures, certificates, the threshold beacon and its key generation.

pub mod bls;
#[allow(unsafe_code)]
pub mod curve;
pub mod mock_scheme;
pub mod scheme;
