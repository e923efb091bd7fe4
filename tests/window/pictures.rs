//! Where pictures and logs are left.

use std::path::PathBuf;

/// `KITH_PICTURES`, else `target/pictures`.
pub(crate) fn folder() -> PathBuf {
    let beside_programs =
        || std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("../pictures");
    let folder = std::env::var_os("KITH_PICTURES").map_or_else(beside_programs, PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    folder.canonicalize().unwrap()
}

/// The name of the test that runs, for file names.
pub(crate) fn test_name() -> String {
    std::thread::current().name().unwrap_or("window").replace("::", "-")
}
