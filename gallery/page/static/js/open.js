// A page that somebody has signed in to.
import { asked } from "./ask.js";
import { draw } from "./draw.js";
import { sinceTouchMs, touch } from "./idle.js";
import { isOver, lock } from "./lock.js";
import { showProgress } from "./report.js";
import { listen, showUnit } from "./stream.js";

const main = document.getElementById("main");
const bar = document.getElementById("changed");
const CALM_MS = 3_000;

function isBusy() {
  const query = document.getElementById("q");
  const isTyping = query !== null && (query === document.activeElement || query.value !== query.defaultValue);
  // Whoever asks that person to leave, and will say whether they did.
  const isAsking = document.getElementById("left")?.hidden === false;
  return isTyping || isAsking || sinceTouchMs() < CALM_MS || document.querySelector("[data-is-reporting]") !== null;
}

// Nothing moves under somebody's finger. What is said of one person stays: if it has changed, redraw() calls them gone.
const parts = document.getElementById("report") === null ? ["alerts", "main"] : ["alerts"];

async function renew() {
  let isDrawn = false;
  try {
    isDrawn = await draw(parts, () => !isOver() && !isBusy());
  } catch {
    // Whoever wants to see it presses; a unit that stays away locks the page.
  }
  if (isDrawn === null) return;
  bar.hidden = isDrawn;
  // While the answer came somebody may have been withdrawn: it was asked about those who were shown before.
  if (isDrawn) redraw();
}
document.getElementById("show-changed").addEventListener("click", () => {
  touch();
  location.reload();
});

async function redraw(tries = 3) {
  if (isOver()) return;
  const shown = [...document.querySelectorAll("[data-person][data-person]")].filter((one) => one.dataset.person.includes(" "));
  const people = shown.map((one) => one.dataset.person.split(" ").map(Number));
  let answer;
  try {
    answer = await asked("/still", { people });
  } catch {
    // Going on to another page ends what is under way, too.
    if (tries > 1) setTimeout(redraw, 1000, tries - 1);
    else lock("This page could not ask who may still be shown.");
    return;
  }
  if (isOver()) return;
  for (const at of answer.gone) {
    if (shown[at] === main) {
      location.reload();
      return;
    }
    shown[at].querySelector("img")?.removeAttribute("src");
    shown[at].closest("li").remove();
  }
  if (["list", "reports"].some((name) => answer[name] !== (main.dataset[name] ?? answer[name]))) renew();
}

listen("/stream?page=open", {
  lock: () => lock("", { isTold: false }),
  open: () => redraw(),
  redraw: () => redraw(),
  unit: (state) => {
    showProgress(state.progress);
    if (showUnit(state)) renew();
  },
}, () => lock("The unit does not answer this page. Check the network between them."));
