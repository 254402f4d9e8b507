//! The handover from the committee of one epoch to the committee of the next.
