// Locks the page: takes every face out of it at once, and only then tells the program.
import { post } from "./ask.js";

let isLocked = false;
let isLeaving = false;
const gone = document.getElementById("gone");

function empty(why) {
  const notice = gone.content.cloneNode(true);
  notice.getElementById("gone-why").textContent = why;
  for (const image of document.images) image.removeAttribute("src");
  document.querySelector("dialog[open]")?.close();
  document.title = "Locked – Watchlink";
  document.body.className = "is-locked";
  document.body.replaceChildren(notice);
}

export function lock(why = "", { isTold = true } = {}) {
  if (isLocked) return;
  isLocked = true;
  empty(why);
  // Without an answer the notice stays: a browser's own error page would not say what has happened.
  const told = isTold ? post("/lock", {}, true) : Promise.resolve();
  told.then(() => location.replace("/"), () => undefined);
}

export function isOver() {
  return isLocked || isLeaving;
}

// Going on to another of our pages hides this one, too; what is left behind is empty.
addEventListener("pagehide", () => {
  isLeaving = true;
  if (!isLocked) empty("");
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
function look() {
  if (document.visibilityState === "hidden" && !isLeaving) lock("The page was not in sight.");
}
document.addEventListener("visibilitychange", look);
look();
document.getElementById("lock").addEventListener("click", () => lock());
