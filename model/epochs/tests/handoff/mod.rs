//! The handover of committees.
