// Locks the page: takes every face out of it at once, and only then tells the program, until it has heard.
import { post } from "./ask.js";
import { hangUp } from "./stream.js";

const AGAIN_MS = 2_000;
const ANSWER_MS = 8_000;

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

async function tell() {
  for (;;) {
    try {
      const response = await post("/lock", {}, true, AbortSignal.timeout?.(ANSWER_MS));
      if (response.ok) return;
    } catch {
      // Without an answer the notice stays: a browser's own error page would not say what has happened.
    }
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

export function lock(why = "", { isTold = true } = {}) {
  if (isLocked) return;
  isLocked = true;
  empty(why);
  // The unit locks a session that nobody hears. And whatever opens this page again signs out first.
  hangUp();
  history.replaceState(null, "", "/?locked");
  (isTold ? tell() : Promise.resolve()).then(() => location.replace("/"));
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
