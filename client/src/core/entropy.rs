use std::fmt;

/// Where random bytes come from: the system, or a seed in simulations.
pub struct Entropy(Source);

type Source = Box<dyn FnMut(&mut [u8]) + Send>;

impl Entropy {
    /// The system's.
    pub fn system() -> Self {
        Self(Box::new(|bytes| getrandom::fill(bytes).expect("the system has random numbers")))
    }

    /// The same bytes each time: for simulations alone, never for keys that anybody relies on.
    pub fn seeded(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self(Box::new(move |bytes| rng.fill(bytes)))
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        (self.0)(bytes);
    }

    /// So many bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}
