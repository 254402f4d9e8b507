//! The names that the tie knows, looked up once.

use super::Untied;
use crate::spec::{FunctionId, RelationId, SortId, Spec};
use zus_checker::Fault;
use zus_checker::rules::Rules;

macro_rules! vocabulary {
    ($($(#[$doc:meta])* $field:ident),* ; $($action:ident),* $(,)?) => {
        /// Relations, functions and sorts by name.
        #[derive(Clone, Debug)]
        pub(super) struct Vocabulary {
            $($(#[$doc])* pub $field: RelationId,)*
            pub finality_certificate: RelationId,
            pub timeout_certificate: RelationId,
            pub vote: RelationId,
            pub anchored: Option<RelationId>,
        }

        impl Vocabulary {
            pub fn of(spec: &Spec) -> Result<Self, Untied> {
                let relation = |name: &str| spec.relation(name).ok_or_else(|| Untied::Name(name.to_string()));
                Ok(Vocabulary {
                    $($field: relation(stringify!($field))?,)*
                    finality_certificate: relation("finality_certificate")?,
                    timeout_certificate: relation("timeout_certificate")?,
                    vote: relation("vote")?,
                    anchored: spec.relation("anchored"),
                })
            }
        }

        /// Places of the actions in the specification.
        #[derive(Clone, Debug)]
        pub(super) struct Actions {
            $(pub $action: usize,)*
            pub anchor: Option<usize>,
        }

        impl Actions {
            pub fn of(spec: &Spec) -> Result<Self, Untied> {
                let find = |name: &str| spec.actions.iter().position(|a| a.name == name);
                let action = |name: &str| find(name).ok_or_else(|| Untied::Name(name.to_string()));
                Ok(Actions {
                    $($action: action(stringify!($action))?,)*
                    anchor: find("anchor"),
                })
            }
        }
    };
}

vocabulary! {
    byzantine, exposed, member, in_group, parent, eligible, outranks,
    at, entered_through, logged, ticket, timeout, notarized, share, known, formed, proposed, proposal_logged, head;
    share_beacon, byzantine_share, learn_beacon, form_beacon, propose, byzantine_propose, log_ticket, send_ticket, byzantine_ticket,
    notarize, leave_voting, leave_silently, byzantine_vote, restart, timeout, byzantine_timeout, certify_timeout,
    enter_subround, certify_finality, finalize,
}

/// Functions and sorts that a universe needs.
pub(super) struct Signature {
    pub round: FunctionId,
    pub subround: FunctionId,
    pub generator: FunctionId,
    pub seed: FunctionId,
    pub beacon: FunctionId,
    pub genesis: FunctionId,
    pub quorum: SortId,
    pub group: SortId,
}

impl Signature {
    pub fn of(spec: &Spec) -> Result<Self, Untied> {
        let function = |name: &str| spec.function(name).ok_or_else(|| Untied::Name(name.to_string()));
        let sort = |name: &str| spec.sort(name).ok_or_else(|| Untied::Name(name.to_string()));
        Ok(Signature {
            round: function("round")?,
            subround: function("subround")?,
            generator: function("generator")?,
            seed: function("seed")?,
            beacon: function("beacon")?,
            genesis: function("genesis")?,
            quorum: sort("quorum")?,
            group: sort("group")?,
        })
    }
}

/// The specification's name for the model's rules and mistake: `hardened,beacon=...`. Most mistakes have no name there; a
/// model that makes one of those has drifted.
pub fn rules_of(rules: &Rules, fault: Option<Fault>) -> String {
    let fault = match fault {
        Some(known @ (Fault::BeaconOfFaultsPlusOne | Fault::ProposalsVolatile)) => format!("{known:?}"),
        _ => "None".into(),
    };
    let finality = rules.finality.to_string().replace(' ', "");
    format!(
        "hardened,beacon={:?},ticket={:?},subround_entry={:?},subround_switch={:?},finality={finality},quorum={:?},\
         ticket_log={:?},echo={:?},fault={fault}",
        rules.beacon,
        rules.ticket,
        rules.subround_entry,
        rules.subround_switch,
        rules.quorum,
        rules.ticket_log,
        rules.echo
    )
}
