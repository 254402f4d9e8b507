#![allow(missing_docs)]
use std::time::Instant;
use zus_bpp::crypto::curve::{G1, lanes};
fn main() {
    let points: Vec<G1> = (0..8u8).map(|i| G1::hash(b"t", &[i])).collect();
    let enc: Vec<[u8; 48]> = points.iter().map(|p| p.encode()).collect();
    let refs: [&[u8; 48]; 8] = std::array::from_fn(|i| &enc[i]);
    let pts: [G1; 8] = std::array::from_fn(|i| points[i]);
    for _ in 0..3 {
        let t = Instant::now();
        for _ in 0..500 {
            std::hint::black_box(lanes::decode(std::hint::black_box(&refs)));
        }
        println!("decode {:.2} us/pt", t.elapsed().as_secs_f64() * 1e6 / 4000.0);
        let t = Instant::now();
        for _ in 0..500 {
            std::hint::black_box(lanes::are_in_subgroup(std::hint::black_box(&pts)));
        }
        println!("subgroup {:.2} us/pt", t.elapsed().as_secs_f64() * 1e6 / 4000.0);
        let t = Instant::now();
        for _ in 0..4000 {
            std::hint::black_box(G1::decode(std::hint::black_box(&enc[0]))).ok();
        }
        println!("blst decode {:.2} us/pt", t.elapsed().as_secs_f64() * 1e6 / 4000.0);
        let t = Instant::now();
        for _ in 0..4000 {
            std::hint::black_box(std::hint::black_box(&pts[0]).is_in_subgroup());
        }
        println!("blst subgroup {:.2} us/pt", t.elapsed().as_secs_f64() * 1e6 / 4000.0);
    }
}
