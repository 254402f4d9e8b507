//! Signatures, certificates, the threshold beacon and its key generation.
//!
//! ```text
//!   miner, sharder                     next committee
//!        |                                   |
//!     scheme (one trait)              dkg -> magic_block
//!      /         \                           |
//! mock_scheme   blst_scheme <--------- committee_keys      trusted_dealer
//!                 /     \                /        \          (tests, local networks)
//!               bls    beacon        (proofs of possession, no mirrored keys)
//!                 \     /
//!              group_testing          (many signatures, some of them wrong)
//!                    |
//!            polynomial, curve (the only unsafe code)
//! ```
//! [`certificate`] and [`ranks`] stand on the trait alone and serve both instances. [`uncompressed`] is the longer form that a
//! ticket may travel in.
//!
//! Secrets are wiped when dropped, shown nowhere, and compared in constant time. Nothing here draws randomness: seeds are
//! arguments, so that everything can be replayed.

pub mod beacon;
pub mod bls;
pub mod blst_scheme;
pub mod certificate;
pub(crate) mod coefficients;
pub mod committee_keys;
#[allow(unsafe_code)]
pub mod curve;
pub mod dkg;
pub mod group_testing;
pub mod magic_block;
pub mod mock_scheme;
pub mod polynomial;
pub mod ranks;
pub mod scheme;
pub mod trusted_dealer;
pub mod uncompressed;
