//! What WebKit leaves running when its last page is gone.

use std::env;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, Signal, System};

/// Ends the process that fetches for pages: there is none, it holds 16 MiB, and WebKit itself never ends it. With the next
/// page it starts another, which takes 40 ms.
pub(crate) fn end_network_process() {
    // A driver would lose the app with it.
    if env::var_os("TAURI_WEBVIEW_AUTOMATION").is_some() {
        return;
    }
    let Ok(mut system) = System::new() else { return };
    let what = ProcessRefreshKind::nothing().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let own = sysinfo::get_current_pid().ok();
    for process in system.processes().values() {
        if process.parent() == own && process.name() == NETWORK_PROCESS {
            process.kill_with(Signal::Term);
        }
    }
}

/// As the kernel cuts it off.
const NETWORK_PROCESS: &str = "WebKitNetworkPr";
