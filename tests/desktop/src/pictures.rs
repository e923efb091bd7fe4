//! Where pictures and logs are left.

use crate::process;
use std::path::PathBuf;

/// `KITH_PICTURES`, else `target/pictures`.
pub fn folder() -> PathBuf {
    let beside_programs = || process::folder().join("../pictures");
    let folder = std::env::var_os("KITH_PICTURES").map_or_else(beside_programs, PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    folder.canonicalize().unwrap()
}

/// The name of the test that runs, for file names.
pub fn test_name() -> String {
    std::thread::current().name().unwrap_or("window").replace("::", "-")
}
