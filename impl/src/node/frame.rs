//! Messages on a stream of bytes: the length in four bytes, big-endian, then the message.

use std::io::{self, Read};

use crate::limits::MAX_MESSAGE_BYTES;
use crate::message::Message;
use crate::wire::encode;

/// The bytes of a message with its length before them.
///
/// ```
/// # use zus_bpp::{committee::Round, message::{ChainRequest, Message}, node::{frame, read_frame}, wire::encode};
/// let message = Message::ChainRequest(ChainRequest { after: Round(3), tip: None });
/// let bytes = frame(&message);
/// let mut stream = &bytes[..];
/// assert_eq!(read_frame(&mut stream)?, Some(encode(&message)));
/// assert_eq!(read_frame(&mut stream)?, None);
/// assert!(read_frame(&mut &bytes[..bytes.len() - 1]).is_err());
/// assert!(read_frame(&mut &[255; 8][..]).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn frame(message: &Message) -> Vec<u8> {
    let bytes = encode(message);
    [&(bytes.len() as u32).to_be_bytes()[..], &bytes].concat()
}

/// The bytes of the next message on a stream, for [`Input::Bytes`](crate::miner::Input::Bytes); `None` when the stream ended behind
/// a message.
///
/// # Errors
/// When the stream fails or ends inside a message, and [`io::ErrorKind::InvalidData`] when a message is announced that is longer than any can be
/// ([`MAX_MESSAGE_BYTES`]): no memory is taken for it.
pub fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let begun = loop {
        match stream.read(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    if begun == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut length[begun..])?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_MESSAGE_BYTES {
        let why = format!("a message of {length} bytes; none has more than {MAX_MESSAGE_BYTES}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}
