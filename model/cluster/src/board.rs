//! A board: each worker writes a message on it, and then every worker reads all of them, in the order of the workers.

use crate::packet::{Bytes, Packet};
use serde::{Serialize, de::DeserializeOwned};
use std::{cell::RefCell, rc::Rc};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        InputHandle, ProbeHandle,
        channels::pact::Exchange,
        operators::{Input, Probe, generic::Operator},
    },
    worker::Worker,
};

/// The board of all workers.
pub struct Board {
    input: InputHandle<u32, CapacityContainerBuilder<Vec<Packet>>>,
    probe: ProbeHandle<u32>,
    read: Rc<RefCell<Vec<Packet>>>,
    turn: u32,
}

impl Board {
    /// A board, which every worker makes at the same point of its program.
    pub fn new(worker: &mut Worker) -> Self {
        let read: Rc<RefCell<Vec<Packet>>> = Rc::default();
        let of_dataflow = Rc::clone(&read);
        let (input, probe) = worker.dataflow::<u32, _, _>(|scope| {
            let (input, messages) = scope.new_input::<Vec<Packet>>();
            let taken = messages.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(
                Exchange::new(|packet: &Packet| packet.to),
                "board",
                |_, _| move |input, _| input.for_each(|_, packets| of_dataflow.borrow_mut().append(packets)),
            );
            let (probe, _) = taken.probe();
            (input, probe)
        });
        Board { input, probe, read, turn: 0 }
    }

    /// Writes `message` and reads those of all workers.
    pub fn exchange<T: Serialize + DeserializeOwned>(&mut self, worker: &mut Worker, message: &T) -> Vec<T> {
        let bytes = serde_json::to_vec(&(self.turn, message)).expect("a message is plain data");
        for to in 0..worker.peers() as u64 {
            self.input.send(Packet { to, from: worker.index() as u64, bytes: Bytes(bytes.clone()) });
        }
        self.turn += 1;
        self.input.advance_to(self.turn);
        while self.probe.less_than(&self.turn) {
            worker.step_or_park(None);
        }
        // A worker that has read all messages of this turn may have written that of the next one.
        let mut of_turn: Vec<(u64, T)> = Vec::new();
        let text = "written by a peer of this version";
        self.read.borrow_mut().retain(|packet| {
            let (turn, _): (u32, serde::de::IgnoredAny) =
                serde_json::from_slice(&packet.bytes.0).expect(text);
            if turn + 1 != self.turn {
                return true;
            }
            let (_, message): (u32, T) = serde_json::from_slice(&packet.bytes.0).expect(text);
            of_turn.push((packet.from, message));
            false
        });
        assert_eq!(of_turn.len(), worker.peers(), "each worker writes one message");
        of_turn.sort_by_key(|(from, _)| *from);
        of_turn.into_iter().map(|(_, message)| message).collect()
    }
}
