// Runs before the page is painted, so that a chosen theme does not flash.
try { document.documentElement.dataset.theme = localStorage.getItem("demur.theme") ?? ""; } catch { /* storage is forbidden */ }
