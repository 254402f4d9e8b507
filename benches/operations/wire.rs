//! Messages to bytes and back.

use std::sync::Arc;

use criterion::{BenchmarkId, Throughput};
use zus_bpp::block::BlockId;
use zus_bpp::certified::Certified;
use zus_bpp::committee::{MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::curve::G1;
use zus_bpp::crypto::scheme::Signature;
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::message::Message;
use zus_bpp::statement::{Signed, Ticket};
use zus_bpp::wire;

use crate::Bench;

pub fn bench(bench: &mut Bench) {
    let statement = Ticket { round: Round(9), subround: Subround(1), block: BlockId([3; 32]) };
    let signature = Signature([7; 48]);
    let signers = Signers::from_members(100, (0..67).map(MinerId)).expect("a set");
    let certificate = Certificate { signers, aggregate: signature };
    let ticket = Signed { statement, signer: MinerId(5), signature: Signature(G1::generator().encode()) };
    let coordinates = UncompressedSignature::new(ticket.signature).expect("a point");
    let messages = [
        ("ticket", Message::Ticket(ticket)),
        ("ticket-of-96-bytes", Message::ticket(ticket, Some(coordinates))),
        ("notarization", Message::Notarization(Arc::new(Certified { statement, certificate }))),
    ];
    let mut group = bench.criterion.benchmark_group("wire");
    for (name, message) in &messages {
        let bytes = wire::encode(message);
        assert_eq!(wire::decode(&bytes).as_ref(), Ok(message));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::new("encode", name), |b| b.iter(|| wire::encode(message)));
        group.bench_function(BenchmarkId::new("decode", name), |b| b.iter(|| wire::decode(&bytes)));
    }
    group.finish();
}
