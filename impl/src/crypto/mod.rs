//! The cryptography of the protocol, on the crate [`zus_bls`], whose modules a host finds here, too.
//!
//! | module | contents |
//! |---|---|
//! | [`scheme`] | the traits that miner and sharder use, and the kinds of signed statements |
//! | [`blst_scheme`] | their instance on BLS12-381 |
//! | [`mock_scheme`] | their counting instance, for tests of this protocol: it is no cryptography, and so not part of [`zus_bls`] |
//! | [`certificate`] | the signature of a quorum |
//! | [`ranks`] | the order of generators, which the beacon decides |
//!
//! Nothing here draws randomness: seeds are arguments, so that everything can be replayed.

pub mod certificate;
pub mod mock_scheme;
pub mod ranks;
pub mod scheme;

pub use zus_bls::{
    beacon, blst_scheme, committee_keys, curve, dkg, group_testing, identity_keys, keys, polynomial,
    trusted_dealer, uncompressed,
};
