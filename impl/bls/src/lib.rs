#![doc = include_str!("../README.md")]
//!
//! # Modules
//! ```text
//!   scheme (three traits) <---- blst_scheme (the instance on BLS12-381)
//!                                 |
//!   dkg ----------------> committee_keys <---- trusted_dealer (tests, local networks)
//!    |                      |          \
//!    |                    keys        beacon (threshold signatures)
//!    |     (proofs of possession)       |
//!    |                      \          /
//!    |                  group_testing (many signatures, some of them wrong)
//!     \                       |
//!      `-------------> polynomial, curve (the only unsafe code)
//! ```
//! [`identity_keys`] verifies certificates of a committee without its beacon. [`uncompressed`] is the longer form of a signature, which costs a receiver less. [`signers`] is the bitmap of those who
//! signed.

pub mod beacon;
pub mod blst_scheme;
pub mod committee;
pub mod committee_keys;
#[allow(unsafe_code)]
pub mod curve;
pub mod dkg;
pub mod group_testing;
pub mod identity_keys;
pub mod keys;
pub mod polynomial;
pub mod scheme;
pub mod signature;
pub mod signers;
pub mod trusted_dealer;
pub mod uncompressed;

mod coefficients;
mod together;
