//! The part of FastCGI 1.0 that it takes to make one web request to php-fpm without a web server.

use std::collections::BTreeMap;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const VERSION: u8 = 1;
const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;

/// The role of a program that answers a request.
const RESPONDER: u16 = 1;

/// One request on a connection needs no other number.
const REQUEST_ID: u16 = 1;

/// Longest content of one record.
const MAX_CONTENT: usize = 65_535;

/// More than this is no answer of ours.
const MAX_ANSWER: usize = 64 << 20;

/// What can go wrong with a request.
#[derive(Debug, Error)]
pub(crate) enum FastCgiError {
    #[error("the connection to php-fpm broke")]
    Io(#[from] std::io::Error),
    #[error("php-fpm sent a record of version {0}")]
    Version(u8),
    #[error("the answer is longer than {MAX_ANSWER} bytes")]
    TooLong,
    #[error("the request ended with protocol status {0}")]
    Refused(u8),
}

/// What the script answered.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Answer {
    /// Headers as they came, an empty line, and the body.
    pub(crate) output: Vec<u8>,
    /// What went to the error log.
    pub(crate) errors: Vec<u8>,
}

impl Answer {
    /// The body, without the headers.
    pub(crate) fn body(&self) -> &[u8] {
        let end = self.output.windows(4).position(|four| four == b"\r\n\r\n");
        end.and_then(|end| self.output.get(end + 4..))
            .unwrap_or(&self.output)
    }
}

/// Makes one request on a fresh connection, with no body, and reads the whole answer.
pub(crate) async fn request(
    mut connection: impl AsyncRead + AsyncWrite + Unpin,
    parameters: &BTreeMap<String, String>,
) -> Result<Answer, FastCgiError> {
    let mut out = Vec::new();
    let role = RESPONDER.to_be_bytes();
    // Flags 0: the other side closes the connection after the answer.
    push_record(
        &mut out,
        BEGIN_REQUEST,
        &[role[0], role[1], 0, 0, 0, 0, 0, 0],
    );
    let mut pairs = Vec::new();
    for (name, value) in parameters {
        push_length(&mut pairs, name.len());
        push_length(&mut pairs, value.len());
        pairs.extend_from_slice(name.as_bytes());
        pairs.extend_from_slice(value.as_bytes());
    }
    for chunk in pairs.chunks(MAX_CONTENT) {
        push_record(&mut out, PARAMS, chunk);
    }
    // An empty record ends each stream.
    push_record(&mut out, PARAMS, &[]);
    push_record(&mut out, STDIN, &[]);
    connection.write_all(&out).await?;
    read_answer(connection).await
}

async fn read_answer(mut connection: impl AsyncRead + Unpin) -> Result<Answer, FastCgiError> {
    let mut answer = Answer::default();
    loop {
        let mut header = [0; 8];
        connection.read_exact(&mut header).await?;
        let [version, kind, _, _, high, low, padding, _] = header;
        if version != VERSION {
            return Err(FastCgiError::Version(version));
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let mut content = vec![0; length + usize::from(padding)];
        connection.read_exact(&mut content).await?;
        content.truncate(length);
        match kind {
            STDOUT => answer.output.append(&mut content),
            STDERR => answer.errors.append(&mut content),
            END_REQUEST => {
                // Four bytes of exit code, then the protocol status; 0 is "request complete".
                let status = content.get(4).copied().unwrap_or_default();
                return if status == 0 {
                    Ok(answer)
                } else {
                    Err(FastCgiError::Refused(status))
                };
            }
            _ => {}
        }
        if answer.output.len() + answer.errors.len() > MAX_ANSWER {
            return Err(FastCgiError::TooLong);
        }
    }
}

/// Appends one record. `content` is at most [`MAX_CONTENT`] long.
fn push_record(out: &mut Vec<u8>, kind: u8, content: &[u8]) {
    let length =
        u16::try_from(content.len()).expect("content comes in chunks of at most MAX_CONTENT");
    out.extend_from_slice(&[VERSION, kind]);
    out.extend_from_slice(&REQUEST_ID.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    // No padding, and a reserved byte.
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(content);
}

/// Appends a length: one byte up to 127, else four with the highest bit set.
fn push_length(out: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short @ 0..=127) => out.push(short),
        _ => {
            let long = u32::try_from(length).unwrap_or(u32::MAX) | 1 << 31;
            out.extend_from_slice(&long.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_written_as_the_protocol_says() {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let parameters = BTreeMap::from([("A".to_owned(), "bc".to_owned())]);
        let server = async {
            let mut sent = [0; 8 + 8 + 8 + 5 + 8 + 8];
            theirs.read_exact(&mut sent).await.unwrap();
            let expected = [
                &[1, 1, 0, 1, 0, 8, 0, 0][..], // BEGIN_REQUEST, id 1, 8 bytes
                &[0, 1, 0, 0, 0, 0, 0, 0],     // responder, close when done
                &[1, 4, 0, 1, 0, 5, 0, 0],     // PARAMS, 5 bytes
                &[1, 2, b'A', b'b', b'c'],     // lengths of name and value, name, value
                &[1, 4, 0, 1, 0, 0, 0, 0],     // end of PARAMS
                &[1, 5, 0, 1, 0, 0, 0, 0],     // end of STDIN
            ]
            .concat();
            assert_eq!(sent.as_slice(), expected);
            let answer = [
                &[1, 6, 0, 1, 0, 6, 2, 0][..], // STDOUT, 6 bytes and 2 of padding
                b"X: y\r\n\0\0",
                &[1, 7, 0, 1, 0, 3, 0, 0], // STDERR
                b"oh!",
                &[1, 6, 0, 1, 0, 4, 0, 0], // STDOUT goes on
                b"\r\nhi",
                &[1, 3, 0, 1, 0, 8, 0, 0], // END_REQUEST
                &[0, 0, 0, 0, 0, 0, 0, 0],
            ]
            .concat();
            theirs.write_all(&answer).await.unwrap();
        };
        let (answer, ()) = tokio::join!(request(ours, &parameters), server);
        let answer = answer.unwrap();
        assert_eq!(answer.body(), b"hi");
        assert_eq!(answer.errors, b"oh!");
    }

    #[test]
    fn long_names_take_four_bytes() {
        let mut out = Vec::new();
        push_length(&mut out, 127);
        push_length(&mut out, 128);
        assert_eq!(out, [127, 0x80, 0, 0, 128]);
    }

    #[tokio::test]
    async fn a_broken_or_refusing_server_is_an_error() {
        assert!(matches!(
            read_answer(&b"\x01\x06\0\x01\0\x05"[..]).await,
            Err(FastCgiError::Io(_))
        ));
        assert!(matches!(
            read_answer(&b"HTTP/1.1 400"[..]).await,
            Err(FastCgiError::Version(b'H'))
        ));
        let overloaded = [&[1, 3, 0, 1, 0, 8, 0, 0][..], &[0, 0, 0, 0, 2, 0, 0, 0]].concat();
        assert!(matches!(
            read_answer(overloaded.as_slice()).await,
            Err(FastCgiError::Refused(2))
        ));
    }
}
