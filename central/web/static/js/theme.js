// Runs before the first paint, so that a chosen theme does not flash. "auto" follows the system.
(() => {
  "use strict";
  const chosen = (() => {
    try {
      return localStorage.getItem("watchlink.theme");
    } catch {
      return null; // storage is switched off: follow the system
    }
  })();
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
