// Lists by keyboard: / searches, J and K or the arrows move from row to row; Enter opens, as for every link.
"use strict";

const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea")) return;
  if (event.key === "/") {
    document.querySelector("[data-list-search]")?.focus();
    event.preventDefault();
    return;
  }
  const step = STEPS[event.key];
  const rows = [...document.querySelectorAll("[data-list-row]")];
  if (!step || !rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
  rows[Math.min(Math.max(next, 0), rows.length - 1)].focus();
  event.preventDefault();
});
