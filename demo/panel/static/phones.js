// The demo's phones: asks once a second what has come, and draws what differs.
import { fill, make, set } from "./dom.js";

const lost = document.getElementById("lost");
const NOT_LIVE = "The demo does not answer. What you see is old.";

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
  const answer = await fetch("/phones.json").catch(() => null);
  if (!answer?.ok) return set(lost, NOT_LIVE);
  set(lost, "");
  for (const [number, phone] of (await answer.json()).entries()) {
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
    box.disabled = true; // an older answer would put it back under the finger
    const answer = await fetch(`/phones/${box.closest("[data-phone]").dataset.phone}`, {
      method: "POST", headers: { "content-type": "application/json", "x-watchlink": "1" },
      body: JSON.stringify({ push: box.checked ? "refuses" : "works" }),
    }).catch(() => null);
    set(lost, answer?.ok ? "" : NOT_LIVE);
    box.disabled = false;
    box.focus();
  });
}
setInterval(draw, 1000);
