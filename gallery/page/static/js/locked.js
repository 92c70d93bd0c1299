// A locked page: whoever you are, then your PIN; the first time a start code, and a PIN of your own.
import { asked } from "./ask.js";
import { draw } from "./draw.js";
import { listen, showUnit } from "./stream.js";

const names = document.getElementById("names");
const staff = document.getElementById("staff");
const typing = document.getElementById("typing");
const title = document.getElementById("typing-title");
const help = document.getElementById("typing-help");
const form = document.getElementById("typing-form");
const secret = document.getElementById("secret");
const label = document.getElementById("secret-label");
const said = document.getElementById("typing-said");
const keypad = document.getElementById("keypad");
const otherWay = document.getElementById("other-way");
const otherPerson = document.getElementById("other-person");

const STEPS = {
  pin: { title: "PIN", help: "", label: "PIN", other: "I have a start code", isDigits: true },
  code: { title: "Start code", help: "It is on the paper that you were given. It works once.", label: "Start code", other: "I have a PIN", isDigits: false },
  choose: { title: "Choose a PIN", help: "Six digits or more. You need it each time, on this unit alone.", label: "New PIN", other: "", isDigits: true },
  again: { title: "The same PIN again", help: "So that no finger slipped.", label: "New PIN again", other: "", isDigits: true },
};
let person = null;
let step = "pin";
let chosen = "";
let waiting = 0;

function say(what, why = "") {
  const strong = document.createElement("strong");
  strong.textContent = what;
  said.replaceChildren(...(what ? [strong, why] : []));
}

function show(name) {
  step = name;
  const now = STEPS[name];
  title.textContent = name === "pin" || name === "code" ? `${now.title} for ${person.name}` : now.title;
  help.textContent = now.help;
  label.textContent = now.label;
  secret.value = "";
  secret.type = now.isDigits ? "password" : "text";
  // On a screen without keys the page's own are larger.
  secret.inputMode = now.isDigits ? "none" : "text";
  secret.classList.toggle("is-code", !now.isDigits);
  keypad.classList.toggle("is-short", !now.isDigits);
  otherWay.hidden = now.other === "";
  otherWay.textContent = now.other;
  names.hidden = true;
  typing.hidden = false;
  secret.focus();
}

function free(isFree) {
  for (const button of keypad.querySelectorAll("button")) button.disabled = !isFree;
  secret.readOnly = !isFree;
}

function wait(seconds, what, why) {
  clearInterval(waiting);
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) {
      say(what, `${why} Wait ${left >= 120 ? `${Math.ceil(left / 60)} minutes` : `${left} seconds`}.`);
      return;
    }
    clearInterval(waiting);
    free(true);
    say("You can try again.");
    secret.focus();
  };
  free(false);
  waiting = setInterval(tick, 1000);
  tick();
}

function answered(answer) {
  free(true);
  if (answer.outcome === "open") {
    sessionStorage.setItem("watchlink.touched", String(Date.now()));
    location.replace(document.querySelector("[data-opens]")?.dataset.opens ?? "/");
    return;
  }
  if (answer.outcome === "choose-pin") {
    say("");
    show("choose");
    return;
  }
  const call = answer.call ? ` Or ask ${answer.call}.` : "";
  secret.value = "";
  if (answer.outcome === "pin-refused") show("choose");
  if (answer.outcome === "no-pin") show("code");
  if (answer.outcome === "code-spent") show("pin");
  if (answer.wait_s > 0) wait(answer.wait_s, answer.what, answer.why);
  else if (answer.outcome === "wrong") say(answer.what, answer.to_do); // short: the keys stay where they are
  else say(answer.what, `${answer.why} ${answer.to_do}${call}`);
  secret.focus();
}

async function enter() {
  const typed = secret.value.trim();
  if (!typed || secret.readOnly) return;
  if (step === "choose") {
    chosen = typed;
    say("");
    show("again");
    return;
  }
  if (step === "again" && typed !== chosen) {
    show("choose");
    say("Those were two different PINs.", "Choose one again.");
    return;
  }
  free(false);
  // The answer is theirs alone: nobody else stands here when it comes.
  for (const other of [otherWay, otherPerson]) other.disabled = true;
  try {
    const isChosen = step === "again";
    const data = isChosen ? { pin: typed } : { person: person.number, secret: typed, is_start_code: step === "code" };
    answered(await asked(isChosen ? "/pin" : "/sign-in", data));
  } catch {
    free(true);
    say("The unit does not answer this page.", "Wait a moment and try again. The panic button works as always.");
  }
  for (const other of [otherWay, otherPerson]) other.disabled = false;
}

// The names are drawn anew under it.
staff.addEventListener("click", (event) => {
  const button = event.target.closest("[data-person]");
  if (button === null) return;
  person = { number: Number(button.dataset.person), name: button.textContent.trim() };
  say("");
  show(button.dataset.hasPin === "yes" ? "pin" : "code");
});
for (const button of staff.querySelectorAll("button")) button.disabled = false;
for (const key of keypad.querySelectorAll("[data-key]")) {
  key.addEventListener("click", () => {
    secret.value = key.dataset.key === "back" ? secret.value.slice(0, -1) : secret.value + key.dataset.key;
    if (matchMedia("(hover: hover)").matches) secret.focus();
  });
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  enter();
});
otherWay.addEventListener("click", () => {
  say("");
  show(step === "pin" ? "code" : "pin");
});
otherPerson.addEventListener("click", () => {
  clearInterval(waiting);
  free(true);
  secret.value = "";
  typing.hidden = true;
  names.hidden = false;
  names.querySelector("button")?.focus();
  renew();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Names and alerts may have changed.
// Nothing moves under somebody who types, nor under a finger until its click has come. But a hand, a cloth or a
// pointerup that never came must not keep an alert from the page.
const AGAIN_MS = 2_000;
const CLICK_MS = 500;
const TOUCH_MS = 10_000;
const down = new Map();
let again = 0;
let clicking = 0;
let isTouched = false;

addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return; // a menu that it opens may keep its end from the page
  const finger = event.pointerId;
  clearTimeout(clicking);
  clearTimeout(down.get(finger));
  down.set(finger, setTimeout(() => lift(finger), TOUCH_MS));
  isTouched = true;
}, true);
for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, (event) => lift(event.pointerId), true);

function lift(finger) {
  clearTimeout(clicking);
  clearTimeout(down.get(finger));
  down.delete(finger);
  if (down.size > 0) return;
  clicking = setTimeout(() => {
    isTouched = false;
    renew();
  }, CLICK_MS);
}

async function renew() {
  clearTimeout(again);
  if (!typing.hidden) return;
  try {
    await draw(["alerts", "staff"], () => typing.hidden && !isTouched);
  } catch {
    again = setTimeout(renew, AGAIN_MS);
  }
}
listen("/stream", {
  open: renew,
  redraw: renew,
  unit: (state) => {
    if (showUnit(state)) renew();
  },
});
