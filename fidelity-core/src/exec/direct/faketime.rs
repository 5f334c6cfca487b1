//! Where libfaketime is, which shifts the clock of a process it is loaded into.

use std::path::{Path, PathBuf};

/// Its two builds. The first is made for processes of several threads, as all test processes are.
const NAMES: [&str; 2] = ["libfaketimeMT.so.1", "libfaketime.so.1"];

/// Returns the path of the library, if it is installed in one of the usual places or named by LD_LIBRARY_PATH.
pub(super) fn library() -> Option<PathBuf> {
    let named = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&named)
        .filter(|path| path.is_absolute())
        .collect();
    for root in ["/usr/local/lib", "/usr/lib", "/usr/lib64", "/lib", "/lib64"] {
        places.push(root.into());
        // A directory for each architecture: `/usr/lib/x86_64-linux-gnu`. Those of others cannot be loaded.
        places.push(Path::new(root).join(format!("{}-linux-gnu", std::env::consts::ARCH)));
    }
    let candidates = places
        .iter()
        .flat_map(|place| NAMES.map(|name| [place.join("faketime").join(name), place.join(name)]));
    candidates.flatten().find(|path| path.is_file())
}
