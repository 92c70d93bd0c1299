// The demo's phones: asks once a second what has come, and draws what differs.
import { fill, make, set } from "./dom.js";

const lost = document.getElementById("lost");
const NOT_LIVE = "The demo does not answer. What you see is old.";
let turns = 0;
let drawn = 0; // What was asked before is older than what is shown, or than a box that was touched since.

function line(came) {
  const item = make("li");
  const link = make("a");
  link.className = "came";
  link.href = came.opens;
  link.target = "_blank";
  const at = make("span", came.at);
  at.className = "muted";
  link.append(make("span", came.words), " ", at);
  item.append(link);
  return item;
}

async function draw() {
  const turn = ++turns;
  const answer = await fetch("/phones.json").catch(() => null);
  if (!answer?.ok) return set(lost, NOT_LIVE);
  const phones = await answer.json();
  if (turn < drawn) return;
  drawn = turn;
  set(lost, "");
  for (const [number, phone] of phones.entries()) {
    const place = document.querySelector(`[data-phone="${number}"]`);
    if (!place) return location.reload(); // one was given out meanwhile
    fill(place.querySelector("[data-notices]"), phone.notices, (came) => came.key, line);
    fill(place.querySelector("[data-texts]"), phone.texts, (came) => came.key, line);
    const box = place.querySelector("[data-push]");
    if (!box.disabled) box.checked = phone.is_refused;
  }
}

for (const box of document.querySelectorAll("[data-push]")) {
  box.addEventListener("change", async () => {
    box.disabled = true;
    const answer = await fetch(`/phones/${box.closest("[data-phone]").dataset.phone}`, {
      method: "POST", headers: { "content-type": "application/json", "x-watchlink": "1" },
      body: JSON.stringify({ push: box.checked ? "refuses" : "works" }),
    }).catch(() => null);
    set(lost, answer?.ok ? "" : NOT_LIVE);
    box.disabled = false;
    drawn = ++turns;
    box.focus();
  });
}
setInterval(draw, 1000);
