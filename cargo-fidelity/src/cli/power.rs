//! Options of `power`.

use std::path::PathBuf;

use clap::Args;
use fidelity_core::power::Share;

use super::PlaceArgs;

/// Tells how many passes a failure rate needs, and what a budget detects
///
/// Counts how many passes see a defect, simulates how many more decide it, and works out from the durations of a stored
/// run which failure rates the time allowed is enough for. Runs no test.
#[derive(Debug, Args)]
pub struct PowerArgs {
    /// A failure rate in the target, such as `1/20` or `5%`; can be repeated [default: 1 to 1/100]
    #[arg(long = "rate", value_name = "RATE", value_parser = rate)]
    pub rates: Vec<Share>,
    /// The probability with which a rate is to be seen, and decided
    #[arg(long, value_name = "SHARE", default_value = "90%", value_parser = probability)]
    pub probability: Share,
    /// Screen with this many target passes [default: that of the policy]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub passes: Option<u32>,
    /// Time for the whole run, such as `90s`, `15m` or `none` [default: that of the policy]
    #[arg(long, value_name = "DURATION")]
    pub max_time: Option<String>,
    /// Take durations from this run: its id or the first digits of it [default: the latest with a pass in each arm]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Make the simulations follow from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Read this file instead of `fidelity.toml` at the workspace root
    #[arg(long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Override a setting, such as `policy.fdr=0.01`; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub place: PlaceArgs,
}

fn rate(text: &str) -> Result<Share, String> {
    text.parse::<Share>().map_err(|error| error.to_string())
}

fn probability(text: &str) -> Result<Share, String> {
    let share = rate(text)?;
    if share.get() < 1.0 {
        Ok(share)
    } else {
        Err("no number of passes makes it certain: it has to be less than 100%".to_owned())
    }
}
