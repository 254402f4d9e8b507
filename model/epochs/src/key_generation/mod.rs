//! The key generation of the next committee, on the final chain of the present one.
