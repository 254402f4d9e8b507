//! The messages of the dataflow: bytes for one worker.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes that are written as one piece, and not number by number.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// Reads [`Bytes`].
struct AsBytes;

impl de::Visitor<'_> for AsBytes {
    type Value = Bytes;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes")
    }
    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }
    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(Bytes(bytes))
    }
}

impl<'d> Deserialize<'d> for Bytes {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(AsBytes)
    }
}

/// Bytes for a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Packet {
    /// The worker.
    pub to: u64,
    /// The worker that sends it.
    pub from: u64,
    /// Records, or a message.
    pub bytes: Bytes,
}
