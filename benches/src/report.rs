//! Figures, as a table and as JSON.

use crate::Outcome;
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// One measured thing beside its limit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// What was done.
    pub(crate) work: String,
    /// What came of it.
    pub(crate) value: f64,
    /// Of value and limit.
    pub(crate) unit: &'static str,
    /// What this machine can do at most, measured in the same run.
    pub(crate) limit: Option<f64>,
    /// Value by limit.
    pub(crate) ratio: Option<f64>,
    /// What was to be reached.
    pub(crate) reach: Option<Reach>,
    /// Whether it was.
    pub(crate) holds: Option<bool>,
}

/// What is to be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reach {
    /// The ratio is at least this.
    RatioAtLeast(f64),
    /// The ratio is at most this.
    RatioAtMost(f64),
    /// The value itself is at most this.
    ValueAtMost(f64),
}

impl Figure {
    /// Something that is only reported.
    pub(crate) fn of(work: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { work: work.into(), value, unit, limit: None, ratio: None, reach: None, holds: None }
    }

    /// With the limit that was measured beside it.
    pub(crate) fn beside(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self.ratio = Some(self.value / limit);
        self
    }

    /// With the ratio of the rounds, where it is not that of the medians.
    pub(crate) fn with_ratio(mut self, ratio: f64) -> Self {
        self.ratio = Some(ratio);
        self
    }

    /// With what is to be reached.
    pub(crate) fn reach(mut self, reach: Reach) -> Self {
        self.holds = match reach {
            Reach::RatioAtLeast(least) => self.ratio.map(|ratio| ratio >= least),
            Reach::RatioAtMost(most) => self.ratio.map(|ratio| ratio <= most),
            Reach::ValueAtMost(most) => Some(self.value <= most),
        };
        self.reach = Some(reach);
        self
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RatioAtLeast(least) => write!(f, "at least {least} of the limit"),
            Self::RatioAtMost(most) => write!(f, "at most {most} of the limit"),
            Self::ValueAtMost(most) => write!(f, "at most {most}"),
        }
    }
}

impl Serialize for Reach {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// All figures of a run, shown as they come.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// The heading of the table.
    #[expect(clippy::print_stdout, reason = "the table is what the program is for")]
    pub(crate) fn head() -> Self {
        println!(
            "{:<58} {:>12} {:<10} {:>12} {:>7}  {:<24} holds",
            "work", "value", "unit", "limit", "ratio", "reach"
        );
        Self::default()
    }

    /// Adds a figure and shows it.
    #[expect(clippy::print_stdout, reason = "the table is what the program is for")]
    pub(crate) fn add(&mut self, figure: Figure) {
        let holds = match figure.holds {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        println!(
            "{:<58} {:>12} {:<10} {:>12} {:>7}  {:<24} {holds}",
            figure.work,
            number(figure.value),
            figure.unit,
            figure.limit.map(number).unwrap_or_default(),
            figure.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            figure.reach.map(|reach| reach.to_string()).unwrap_or_default(),
        );
        self.figures.push(figure);
    }

    /// Says something that is no figure.
    #[expect(clippy::print_stdout, reason = "the table is what the program is for")]
    pub(crate) fn note(text: &str) {
        println!("  {text}");
    }

    /// Whether all that was to be reached was.
    pub(crate) fn holds(&self) -> bool {
        self.figures.iter().all(|figure| figure.holds != Some(false))
    }

    /// Writes the figures as an array.
    pub(crate) fn write(&self, path: &Path) -> Outcome<()> {
        let mut text = serde_json::to_string_pretty(&self.figures)?;
        text.push('\n');
        std::fs::write(path, text).map_err(|error| format!("write {}: {error}", path.display()))?;
        Ok(())
    }
}

/// Four significant digits, and no more zeros than needed.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 1000.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_whether_it_holds() {
        let rate = Figure::of("x", 80.0, "1/s").beside(100.0);
        assert_eq!(rate.clone().reach(Reach::RatioAtLeast(0.75)).holds, Some(true));
        assert_eq!(rate.clone().reach(Reach::RatioAtLeast(0.85)).holds, Some(false));
        assert_eq!(rate.clone().reach(Reach::RatioAtMost(0.75)).holds, Some(false));
        assert_eq!(rate.reach(Reach::ValueAtMost(80.0)).holds, Some(true));
        assert_eq!(Figure::of("x", 1.0, "s").holds, None);
    }

    #[test]
    fn json_has_the_seven_fields() {
        let figure = Figure::of("x", 1.0, "s").beside(2.0).reach(Reach::RatioAtMost(1.3));
        assert_eq!(
            serde_json::to_string(&figure).unwrap(),
            r#"{"work":"x","value":1.0,"unit":"s","limit":2.0,"ratio":0.5,"reach":"at most 1.3 of the limit","holds":true}"#
        );
    }
}
