//! The peers: each does our job on the same bytes with its own code, and its answer is compared with the right one before it
//! is measured. A new peer is a file here, named as its feature, with an instance of [`Peer`] of the same name (`README.md`, *A new
//! peer*): the build script lists them.

use zus_measure::peer::Peer;

include!(concat!(env!("OUT_DIR"), "/peers.rs"));
