//! `zus-fuzz judge`: is anything wrong with the production code as it is?

use std::path::Path;

use zus_output::pulse::Pulse;

use super::check;
use super::finding::judged;
use crate::judge::{judge as judge_all, quietly};

/// Returns whether nothing is. The input that shows a finding goes to `out`.
///
/// # Errors
/// When `out` cannot be written.
pub fn judge(effort: u64, out: &Path) -> std::io::Result<bool> {
    check(out)?;
    let _pulse = Pulse::new("judging, the cheapest first");
    match quietly(|| judge_all(effort)) {
        None => {
            println!("nothing is wrong");
            Ok(true)
        }
        Some(kill) => {
            judged(&kill, out)?;
            Ok(false)
        }
    }
}
