// The air strip: who is on the air, how loud, the last overs, and the channel's controls.
import { fill, make, set } from "./dom.js";
import { isFree, order } from "./touched.js";

let send = () => Promise.resolve();
let overs = [];
let chosen = 0; // 0: always the newest one

export function bindAir(sender) {
  send = sender;
  const strip = document.getElementById("air");
  if (!strip) return;
  const talk = strip.querySelector("[data-talk]");
  talk.addEventListener("click", () => send("/air", { do: "talk", seconds: Number(talk.dataset.talk) }));
  const jam = strip.querySelector("[data-jam]");
  jam.addEventListener("change", () => order(jam, () => send("/air", { do: "jam", is_on: jam.checked })));
  strip.querySelector("[data-sound]").addEventListener("pause", () => drawOvers(strip));
  const form = strip.querySelector("[data-block]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { a, b } = Object.fromEntries(new FormData(form));
    if (a !== b) send("/air", { do: "block", a, b, is_blocked: true });
  });
}

export function bindRadio(panel) {
  const stick = panel.querySelector("[data-stick]");
  stick?.addEventListener("change", () =>
    order(stick, () => send("/air", { do: "stick", who: panel.dataset.node, is_stuck: stick.checked })));
}

export function drawRadio(panel, radio) {
  const row = panel.querySelector("[data-radio]");
  if (!row || !radio) return;
  row.toggleAttribute("data-on-air", radio.is_on_air);
  row.toggleAttribute("data-stuck", radio.is_stuck);
  set(row.querySelector("[data-radio-words]"), radio.words);
  const stick = panel.querySelector("[data-stick]");
  if (isFree(stick)) stick.checked = radio.is_welded;
}

export function drawAir(air) {
  const strip = document.getElementById("air");
  if (!strip || !air) return;
  strip.toggleAttribute("data-busy", air.is_busy);
  set(strip.querySelector("[data-words]"), air.words);
  strip.querySelector("[data-level]").value = air.level;
  const jam = strip.querySelector("[data-jam]");
  if (isFree(jam)) jam.checked = air.is_jammed;
  strip.querySelector("[data-talk]").disabled = air.is_talking;
  fill(strip.querySelector("[data-blocked]"), air.blocked, ([a, b]) => `${a} ${b}`, blockedLine);
  overs = air.overs;
  if (overs.length) drawOvers(strip);
}

// A chosen over stays while it is in the list; pressed again, the newest is followed as before. An over being played also
// stays: a new one neither cuts it off nor replaces its picture.
function drawOvers(strip) {
  if (!overs.some((over) => over.number === chosen)) chosen = 0;
  const isHeard = !chosen && !strip.querySelector("[data-sound]").paused;
  const shown = isHeard ? Number(strip.querySelector("[data-last]").dataset.last) : chosen || overs[0].number;
  const list = strip.querySelector("[data-overs]");
  fill(list, overs, (over) => String(over.number), (over) => overLine(strip, over));
  for (const item of list.children) item.firstChild.setAttribute("aria-pressed", String(item.dataset.key === String(shown)));
  if (!isHeard) drawOver(strip, overs.find((over) => over.number === shown));
}

function overLine(strip, over) {
  const item = make("li");
  const button = make("button", `${over.number}: ${over.who}, ${over.seconds.toFixed(1)} s`);
  button.type = "button";
  button.addEventListener("click", () => {
    chosen = over.number === chosen ? 0 : over.number;
    drawOvers(strip);
  });
  item.append(button);
  return item;
}

function drawOver(strip, over) {
  const figure = strip.querySelector("[data-last]");
  if (figure.dataset.last === String(over.number)) return;
  figure.dataset.last = over.number;
  figure.hidden = false;
  strip.querySelector("[data-none]").hidden = true;
  const picture = strip.querySelector("[data-picture]");
  picture.src = `/air/${over.png}`;
  picture.alt = `Spectrogram of over ${over.number}: ${over.words}`;
  set(strip.querySelector("[data-caption]"), `Over ${over.number}: ${over.words}.`);
  strip.querySelector("[data-sound]").src = `/air/${over.wav}`;
}

function blockedLine([a, b, names]) {
  const item = make("li");
  const open = make("button", "Unblock");
  open.type = "button";
  open.setAttribute("aria-label", `Unblock the link between ${names}`);
  open.addEventListener("click", () => send("/air", { do: "block", a, b, is_blocked: false }));
  item.append(make("span", `${names} cannot hear each other. `), open);
  return item;
}
