//! The fixed binary encoding of what is signed: fields at known places, integers big-endian, no padding, nothing optional
//! that is not marked by a count or a length. A reader that has bytes left over has read something else.

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end before the object does.
    #[error("the bytes end too early")]
    Short,
    /// Bytes are left over.
    #[error("bytes are left over at the end")]
    Trailing,
    /// A field holds a value that this version does not know.
    #[error("unknown value of {0}")]
    Unknown(&'static str),
    /// A field is longer than its limit.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// Text that is not UTF-8, or holds control characters.
    #[error("{0} is not plain text")]
    BadText(&'static str),
}

/// Reads fields from the front of a byte slice.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(WireError::Short)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(WireError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, WireError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, WireError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WireError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Text behind one length byte.
    pub(crate) fn text(&mut self, what: &'static str, bytes_max: usize) -> Result<String, WireError> {
        let len = usize::from(self.u8()?);
        let bytes = self.bytes(len)?;
        if len > bytes_max {
            return Err(WireError::TooLong(what));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| WireError::BadText(what))?;
        if text.chars().any(char::is_control) {
            return Err(WireError::BadText(what));
        }
        Ok(text.to_owned())
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn end(self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
    }
}

/// Operations in a list, each `tag u8, length u16, payload`: an unknown tag can be stepped over and still be noticed.
pub(crate) fn read_ops<'a, T>(
    reader: &mut Reader<'a>,
    parse: impl Fn(u8, Reader<'a>) -> Result<T, WireError>,
) -> Result<Vec<T>, WireError> {
    let count = reader.u8()?;
    let mut ops = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let tag = reader.u8()?;
        let len = usize::from(reader.u16()?);
        ops.push(parse(tag, Reader::new(reader.bytes(len)?))?);
    }
    Ok(ops)
}

/// The counterpart of [`read_ops`].
pub(crate) fn write_ops<T>(out: &mut Vec<u8>, ops: &[T], write: impl Fn(&T, &mut Vec<u8>) -> u8) {
    out.push(u8::try_from(ops.len()).expect("an entry holds at most 255 operations"));
    let mut payload = Vec::new();
    for op in ops {
        payload.clear();
        let tag = write(op, &mut payload);
        out.push(tag);
        out.extend(u16::try_from(payload.len()).expect("an operation is shorter than 64 KiB").to_be_bytes());
        out.extend(&payload);
    }
}

/// The counterpart of [`Reader::text`].
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(
        u8::try_from(text.len()).expect("the text was checked against its limit, which is below 256 bytes"),
    );
    out.extend(text.as_bytes());
}
