//! The key generation on the chain.
