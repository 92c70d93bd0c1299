// The air strip: who is on the air, how loud, what was said; and the knobs of the channel.
let send = () => Promise.resolve();
let newest = 0;
let chosen = 0; // 0: always the newest one

const make = (name, text = "") => { const element = document.createElement(name); element.textContent = text; return element; };
const set = (element, text) => { if (element.textContent !== text) element.textContent = text; };

export function bindAir(sender) {
  send = sender;
  const strip = document.getElementById("air");
  if (!strip) return;
  const talk = strip.querySelector("[data-talk]");
  talk.addEventListener("click", () => send("/air", { do: "talk", seconds: Number(talk.dataset.talk) }));
  const jam = strip.querySelector("[data-jam]");
  jam.addEventListener("change", () => send("/air", { do: "jam", is_on: jam.checked }));
  const form = strip.querySelector("[data-block]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { a, b } = Object.fromEntries(new FormData(form));
    if (a !== b) send("/air", { do: "block", a, b, is_blocked: true });
  });
}

export function bindRadio(panel) {
  const stick = panel.querySelector("[data-stick]");
  stick?.addEventListener("change", () => send("/air", { do: "stick", who: panel.dataset.node, is_stuck: stick.checked }));
}

export function drawRadio(panel, radio) {
  const row = panel.querySelector("[data-radio]");
  if (!row || !radio) return;
  row.toggleAttribute("data-on-air", radio.is_on_air);
  row.toggleAttribute("data-stuck", radio.is_stuck);
  set(row.querySelector("[data-radio-words]"), radio.words);
  panel.querySelector("[data-stick]").checked = radio.is_welded;
}

export function drawAir(air) {
  const strip = document.getElementById("air");
  if (!strip || !air) return;
  strip.toggleAttribute("data-busy", air.is_busy);
  set(strip.querySelector("[data-words]"), air.words);
  strip.querySelector("[data-level]").value = air.level;
  strip.querySelector("[data-jam]").checked = air.is_jammed;
  strip.querySelector("[data-talk]").disabled = air.is_talking;
  strip.querySelector("[data-blocked]").replaceChildren(...air.blocked.map(blockedLine));
  if (air.overs.length && air.overs[0].number !== newest) {
    newest = air.overs[0].number;
    drawOvers(strip, air.overs);
  }
}

function drawOvers(strip, overs) {
  const shown = overs.find((over) => over.number === chosen) ?? overs[0];
  strip.querySelector("[data-overs]").replaceChildren(...overs.map((over) => {
    const item = make("li");
    const button = make("button", `${over.number}: ${over.who}, ${over.seconds.toFixed(1)} s`);
    button.type = "button";
    button.setAttribute("aria-pressed", String(over === shown));
    button.addEventListener("click", () => {
      chosen = over === overs[0] ? 0 : over.number;
      drawOvers(strip, overs);
      strip.querySelector(`[data-overs] li:nth-child(${overs.indexOf(over) + 1}) button`).focus();
    });
    item.append(button);
    return item;
  }));
  drawOver(strip, shown);
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
  const sound = strip.querySelector("[data-sound]");
  const change = () => { sound.src = `/air/${over.wav}`; };
  // Somebody may be listening: what comes by itself does not cut that off.
  if (sound.paused || chosen === over.number) change();
  else sound.addEventListener("pause", change, { once: true });
}

function blockedLine([a, b, names]) {
  const item = make("li");
  const open = make("button", "Open it again");
  open.type = "button";
  open.setAttribute("aria-label", `Open the link between ${names} again`);
  open.addEventListener("click", () => send("/air", { do: "block", a, b, is_blocked: false }));
  item.append(make("span", `${names} cannot hear each other. `), open);
  return item;
}
