// As the app does it: the shell is told when there is something to see. With the second frame the first is painted.
requestAnimationFrame(() => requestAnimationFrame(() => window.__TAURI_INTERNALS__.invoke('drawn')))
