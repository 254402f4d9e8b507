//! The ground of the steps: blocks on their way through the chain, beacon, certificates, signing, evidence; and what a miner does
//! beside the steps: it sends again, catches up, recovers.

mod accuse;
mod beacon;
mod blocks;
mod catch_up;
mod certificates;
mod handover;
mod promises;
mod recover;
mod resend;
mod sign;
mod view;

pub(in crate::miner) use certificates::certify;
