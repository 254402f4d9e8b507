//! The command from outside: each layer sees a broken change and says so; a layer without words says that.

#[cfg(unix)]
mod commands;
#[cfg(unix)]
mod since;
#[cfg(unix)]
mod verify;
