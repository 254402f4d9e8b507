//! Signatures, certificates, the threshold beacon and its key generation.

pub mod beacon;
pub mod bls;
pub mod blst_scheme;
pub mod certificate;
pub mod committee_keys;
#[allow(unsafe_code)]
pub mod curve;
pub mod dkg;
pub mod magic_block;
pub mod mock_scheme;
pub mod polynomial;
pub mod ranks;
pub mod scheme;
pub mod trusted_dealer;
