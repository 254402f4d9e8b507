//! `zus-fuzz judge`: is anything wrong with the production code as it is?

use crate::judge::{judge as judge_all, quietly};

/// Returns whether nothing is.
pub fn judge(effort: u64) -> bool {
    match quietly(|| judge_all(effort)) {
        None => {
            println!("nothing is wrong");
            true
        }
        Some(kill) => {
            println!("{}: {} ({} executions, {:.2} s)", kill.by, kill.what, kill.executions, kill.seconds);
            false
        }
    }
}
