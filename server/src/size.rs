//! An amount of data, as an operator types it.

use std::str::FromStr;

use crate::store::retention::Share;

/// What an account may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Bytes(u64),
    None,
    Default,
}

impl Size {
    /// None: what holds for all.
    pub fn share(self) -> Option<Share> {
        match self {
            Self::Bytes(bytes) => Some(Share { bytes: Some(bytes) }),
            Self::None => Some(Share { bytes: None }),
            Self::Default => None,
        }
    }
}

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => return Ok(Self::None),
            "default" => return Ok(Self::Default),
            _ => {}
        }
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let shift = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "kib" | "k" => 10,
            "mib" | "m" => 20,
            "gib" | "g" => 30,
            "tib" | "t" => 40,
            _ => return Err(SAYS),
        };
        let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
        bytes.map(Self::Bytes).ok_or(SAYS)
    }
}

const SAYS: &str = "write a whole number and KiB, MiB or GiB, such as 2GiB; or none, or default";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let read = |text: &str| text.parse::<Size>();
        assert_eq!(read("2GiB"), Ok(Size::Bytes(2 << 30)));
        assert_eq!(read("500 mib"), Ok(Size::Bytes(500 << 20)));
        assert_eq!(read("1024"), Ok(Size::Bytes(1024)));
        assert_eq!((read("none"), read("default")), (Ok(Size::None), Ok(Size::Default)));
        for bad in ["", "GiB", "-1", "1.5GiB", "2GB", "99999999999TiB"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
