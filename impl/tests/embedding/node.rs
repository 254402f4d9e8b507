use std::collections::VecDeque;

use zus_bpp::application::Application;
use zus_bpp::block::Time;
use zus_bpp::bounds::MAX_PAYLOAD_BYTES;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::{Input, Miner, Output};
use zus_bpp::ticket_log::{AppendError, TicketLog};

/// The parts of a node. `host` keeps what it is told to store, and returns when that is durable; it answers `Output::Load` with
/// the block; it sends messages and remembers timers, which come back as inputs.
pub struct Node<S, L, A, H> {
    pub miner: Miner<S>,
    pub log: L,
    pub application: A,
    pub host: H,
}

impl<S: Scheme, L: TicketLog, A: Application, H: FnMut(Output) -> Option<Input>> Node<S, L, A, H> {
    /// Gives the miner one input and carries out what follows. After an error the node must stop.
    pub fn handle(&mut self, now: Time, input: Input) -> Result<(), AppendError> {
        let (mut inputs, mut outputs) = (VecDeque::from([input]), Vec::new());
        while let Some(input) = inputs.pop_front() {
            self.miner.step(now, input, &mut outputs);
            for output in outputs.drain(..) {
                match output {
                    Output::Store { write, .. } => {
                        inputs.extend((self.host)(output));
                        inputs.push_back(Input::Stored(write));
                    }
                    Output::Persist { write, record } => {
                        self.log.append(record)?; // refuses what contradicts it
                        self.log.flush()?;
                        inputs.push_back(Input::Persisted(write)); // only now the signature leaves
                    }
                    Output::RequestPayload { round, subround, parent } => {
                        let payload = self.application.make_payload(&parent, MAX_PAYLOAD_BYTES);
                        inputs.push_back(Input::Payload { round, subround, payload });
                    }
                    Output::Validate { block } => {
                        let accepted = self.application.validate(&block).is_ok();
                        inputs.push_back(Input::Validated {
                            round: block.round(),
                            block: block.id(),
                            accepted,
                        });
                    }
                    Output::Finalized(found) => self.application.commit(&found.block),
                    // Blocks to load, messages, timers, evidence, and what is for logs and metrics.
                    other => inputs.extend((self.host)(other)),
                }
            }
        }
        Ok(())
    }
}
