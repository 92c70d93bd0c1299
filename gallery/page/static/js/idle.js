// Warns, and locks, when nobody has touched the page. By the clock: a machine that slept has waited, too.
import { post } from "./ask.js";
import { isOver, lock } from "./lock.js";

const KEY = "watchlink.touched";
const TELL_MS = 10_000;
const idleMs = Number(document.body.dataset.idleS) * 1000;
const warnMs = idleMs - Number(document.body.dataset.warningS) * 1000;
const warning = document.getElementById("warning");
const left = document.getElementById("warning-s");
let told = 0;

function remembered() {
  const at = Number(sessionStorage.getItem(KEY));
  return at > 0 && at <= Date.now() ? at : Date.now();
}
let touched = remembered();

export function touch() {
  if (isOver()) return;
  touched = Date.now();
  sessionStorage.setItem(KEY, String(touched));
  if (warning.open) warning.close();
  if (touched - told < TELL_MS) return;
  told = touched;
  post("/use", {}, true).then(
    (response) => {
      if (response.status === 403) lock("", { isTold: false });
    },
    () => undefined,
  );
}

export function sinceTouchMs() {
  return Date.now() - touched;
}

function look() {
  if (isOver()) return;
  const idle = sinceTouchMs();
  if (idle >= idleMs) lock("Nobody had touched the page for a minute.");
  else if (idle >= warnMs) {
    left.textContent = String(Math.ceil((idleMs - idle) / 1000));
    if (!warning.open) warning.showModal();
  }
}
for (const kind of ["pointerdown", "keydown", "wheel", "touchmove", "input"]) addEventListener(kind, touch, { passive: true, capture: true });
warning.addEventListener("cancel", touch);
document.getElementById("stay").addEventListener("click", touch);
setInterval(look, 500);
if (sinceTouchMs() < 2000) touch();
