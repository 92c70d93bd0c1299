// Front panels: shows the server's state, and turns fingers and keys into electrical levels. Never acts by itself.
import { bindAir, bindRadio, drawAir, drawRadio } from "./air.js";
import { fill, make, set } from "./dom.js";
import { setHearing, hear } from "./sounder.js";
import { bindTouched, forget, isFree, order, settle } from "./touched.js";

const RETRY_MS = 1000;
// A click that no finger or key made comes from assistive technology: it means one whole press.
const CLICK_MS = { attack: 1300, cancel: 1300 };
const CLICK_ELSE_MS = 200;

let client = "";
let latest = null;
let isLive = true;
let greet;
// The server takes presses only from browsers that it has named: it lets go of them when the browser leaves.
const greeted = new Promise((done) => { greet = done; });

// The order's number, or null if it was not done.
async function post(path, body) {
  const response = await fetch(path, {
    method: "POST", keepalive: true, body: JSON.stringify(body),
    headers: { "content-type": "application/json", "x-watchlink": "1" },
  }).catch(() => null);
  if (response?.ok) return Number(response.headers.get("x-orders-done"));
  say(response ? `Refused: ${await response.text()}` : "The demo does not answer. Nothing was done.");
  return null;
}

// What is done wipes what was said before.
async function send(path, body) {
  const done = await post(path, body);
  if (done !== null && isLive) say("");
  return done;
}

function say(text) {
  const place = document.getElementById("lost");
  if (place.textContent !== text) place.textContent = text;
}

function bindPress(button, node) {
  const name = button.dataset.button;
  const held = new Set();
  let sending = greeted;
  let isOwnClick = false;
  // One after the other: a release must never overtake its press.
  const level = (value) => {
    const isEarly = !client;
    sending = sending.then(() => {
      if (isEarly && held.size === 0) return say("You let go before the demo was there. Nothing was done.");
      const give = value === "low" ? send : post; // Letting go is no news.
      return give(`/premises/${node}/button`, { button: name, level: value, client });
    }).catch(() => {});
  };
  const down = (by) => {
    if (held.size === 0) { button.dataset.down = ""; level("low"); }
    held.add(by);
  };
  const up = (by) => {
    if (held.delete(by) && held.size === 0) { delete button.dataset.down; level("high"); }
  };
  const letGo = () => { for (const by of [...held]) up(by); };
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    isOwnClick = true;
    button.setPointerCapture(event.pointerId);
    down("pointer");
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(kind, () => up("pointer"));
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    isOwnClick = true;
    if (!event.repeat) down("key");
  });
  button.addEventListener("keyup", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    up("key");
  });
  button.addEventListener("click", () => {
    if (isOwnClick) { isOwnClick = false; return; }
    down("click");
    setTimeout(() => up("click"), CLICK_MS[name] ?? CLICK_ELSE_MS);
  });
  button.addEventListener("blur", letGo);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  window.addEventListener("blur", letGo);
  window.addEventListener("pagehide", letGo);
  document.addEventListener("visibilitychange", () => { if (document.hidden) letGo(); });
}

function ask(box, path, body) {
  box.addEventListener("change", () => order(box, () => send(path, body())));
}

function bindPanel(panel) {
  const node = panel.dataset.node;
  for (const button of panel.querySelectorAll("[data-button]")) bindPress(button, node);
  for (const box of panel.querySelectorAll("[data-part]")) {
    ask(box, `/premises/${node}/part`, () => ({ part: box.dataset.part, state: box.checked ? "fail" : "mend" }));
  }
  const cable = panel.querySelector("[data-cable]");
  bindRadio(panel);
  ask(cable, `/premises/${node}/cable`, () => ({ state: cable.checked ? "out" : "in" }));
}

function drawPanel(panel, state) {
  const picture = panel.querySelector("[data-oled]");
  const isBlank = state.words === "dark";
  panel.toggleAttribute("data-blank", isBlank);
  const source = `/premises/${panel.dataset.node}/oled.png?n=${state.picture}`;
  if (!state.picture) picture.removeAttribute("src");
  else if (picture.getAttribute("src") !== source) picture.setAttribute("src", source);
  picture.alt = `OLED: ${state.words}`;
  set(panel.querySelector("[data-words]"), state.words);
  panel.querySelector(".lamp").dataset.led = state.led;
  set(panel.querySelector("[data-led-words]"), state.led_words);
  panel.querySelector(".horn").dataset.sound = state.sound;
  set(panel.querySelector("[data-sound-words]"), state.sound_words);
  // The pin's level, whether driven by this browser, another, or a script.
  for (const button of panel.querySelectorAll("[data-button]")) {
    button.toggleAttribute("data-held", state.held.includes(button.dataset.button));
  }
  for (const box of panel.querySelectorAll("[data-part]")) if (isFree(box)) box.checked = state.failed.includes(box.dataset.part);
  const cable = panel.querySelector("[data-cable]");
  if (isFree(cable)) cable.checked = !state.is_plugged_in;
  drawRadio(panel, state.radio);
}

function drawHappened(lines) {
  const list = document.getElementById("happened");
  if (list) fill(list, lines, (line) => line, (line) => make("li", line));
}

function draw(state) {
  latest = state;
  settle(state.orders_done);
  const panels = [...document.querySelectorAll(".panel")];
  for (const panel of panels) drawPanel(panel, state.panels[panel.dataset.node]);
  for (const life of document.querySelectorAll("[data-program]")) {
    const one = state.programs[life.dataset.program] ?? state.panels[life.dataset.program];
    set(life.querySelector("[data-life]"), one.life_words);
  }
  drawHappened(state.happened);
  drawAir(state.air);
  hear(panels.map((panel) => state.panels[panel.dataset.node].sound));
}

const redraw = () => { if (latest) draw(latest); };

function listen() {
  const events = new EventSource("/events");
  events.addEventListener("hello", (event) => { client = event.data; greet(); forget(); isLive = true; say(""); });
  events.addEventListener("state", (event) => draw(JSON.parse(event.data)));
  events.onerror = () => {
    isLive = false;
    say("NOT LIVE: the demo does not answer. What you see is old.");
    hear([]);
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
  };
}

bindTouched(redraw);
// Draw what waited for a finger to be lifted; the click itself comes first.
for (const kind of ["pointerup", "pointercancel", "keyup"]) document.addEventListener(kind, () => setTimeout(redraw));
bindAir(send);
for (const panel of document.querySelectorAll(".panel")) bindPanel(panel);
for (const life of document.querySelectorAll("[data-program]")) {
  for (const button of life.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => send(`/programs/${life.dataset.program}`, { do: button.dataset.do }));
  }
}
document.getElementById("hear").addEventListener("change", (event) => setHearing(event.target.checked));
listen();
