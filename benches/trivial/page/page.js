// As the app does it: the shell is told when there is something to see.
requestAnimationFrame(() => window.__TAURI_INTERNALS__.invoke('drawn'))
