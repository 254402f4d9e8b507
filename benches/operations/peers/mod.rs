//! The peers: each does our job on the same bytes with its own code, and its answer is compared with the right one before it
//! is measured. A new peer is a file here, and its two entries below (`README.md`, *A new peer*).

use zus_measure::peer::Peer;

mod blst;

#[cfg(feature = "arkworks")]
mod arkworks;
#[cfg(feature = "blstrs")]
mod blstrs;
#[cfg(feature = "commonware")]
mod commonware;
#[cfg(feature = "herumi")]
mod herumi;

/// All peers of this build, in the order of the tables.
pub const PEERS: &[&dyn Peer] = &[
    #[cfg(feature = "commonware")]
    &commonware::Commonware,
    &blst::Blst,
    #[cfg(feature = "herumi")]
    &herumi::Herumi,
    #[cfg(feature = "blstrs")]
    &blstrs::Blstrs,
    #[cfg(feature = "arkworks")]
    &arkworks::Arkworks,
];
