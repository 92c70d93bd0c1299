// Puts the parts together: the feed changes the model, the model is drawn, what a person presses is sent. The only
// module that knows all others.

import { send } from "./actions.js";
import { Announcer } from "./announce.js";
import { ServerClock } from "./clock.js";
import { Dialogs } from "./dialogs.js";
import { byId, setHidden, setText } from "./dom.js";
import { Keys, mark } from "./keys.js";
import { Live } from "./live.js";
import { Model } from "./model.js";
import { News } from "./news.js";
import { remember, remembered, rememberTheme } from "./settings.js";
import { Side } from "./side.js";
import { Sound } from "./sound.js";
import { Steady } from "./steady.js";
import { Top } from "./top.js";
import { Watch } from "./watch.js";
import { isTest } from "./words.js";
import { Zones } from "./zones.js";

const SETTLE_MS = 5000; // how long a committed action may take to come by the feed before the board is fetched
const ERROR_SHOWN_MS = 20_000;
const SIGN_EVERY_MS = 300_000; // central ends a watch that gives no sign of life for half an hour
const DRAW_EVERY_MS = 100; // in a storm of changes the page is drawn so often, not at each

const page = document.documentElement.dataset;
const timing = { notLiveMs: Number(page.notLiveMs), lostMs: Number(page.lostMs) };
const model = new Model();
const clock = new ServerClock();
const announcer = new Announcer();
const dialogs = new Dialogs();
const sending = new Map(); // incident → the sequence to wait for, or Infinity while nothing is known
const errors = new Map(); // incident → { text, untilMs }
let isLive = false;
let isLost = false;
let drawTimer = 0;
let signMs = 0; // on the clock that began when the page was opened
let drawnMs = -Infinity;
let drawCostMs = 0;

const steady = new Steady(byId("alerts"), () => zones.isPending && draw());
const zones = new Zones(steady);
const side = new Side();
const watch = new Watch(() => drawTop());
const sound = new Sound(timing.lostMs, () => drawTop());
const news = new News(model, { sound, announcer, watch });
const top = new Top({ model, clock, sound, watch, steady });

const look = (incident) => ({
  me: watch.me,
  nowMs: clock.now(),
  sending: sending.has(incident),
  error: errors.get(incident)?.text ?? null,
});

const live = new Live(model, timing.notLiveMs, {
  board(board) {
    model.replace(board);
    if (!clock.isSet) clock.sync(board.at);
    news.board();
    settleSent();
    draw();
  },
  change(change) {
    news.change(change); // sound first: it never waits for the drawing
    settleSent();
    drawSoon();
  },
  beat(beat) {
    clock.sync(beat.at);
    sound.beat();
    if (!isLive) announceLive();
    if (beat.page !== page.page) setHidden(byId("banner-update"), false);
    tick();
  },
});

function announceLive() {
  isLive = true;
  isLost = false;
  news.live();
  draw();
}

function draw() {
  clearTimeout(drawTimer);
  drawTimer = 0;
  if (model.isEmpty) return;
  const startMs = performance.now();
  zones.draw(model, clock.now(), look);
  side.draw(model, clock.now());
  drawTop();
  drawnMs = performance.now();
  drawCostMs = drawnMs - startMs;
}

// At once when it is quiet. A page with thousands of alerts leaves at least half its time for the person.
function drawSoon() {
  if (drawTimer) return;
  const waitMs = Math.max(DRAW_EVERY_MS, drawCostMs) - (performance.now() - drawnMs);
  if (waitMs <= 0) draw();
  else drawTimer = setTimeout(draw, waitMs);
}

function drawTop() {
  top.draw({ isLive, isLost });
}

function tick() {
  live.check();
  const silentMs = live.silentMs;
  if (isLive && silentMs > timing.notLiveMs) {
    isLive = false;
    clock.freeze();
    news.notLive(clock.now());
  }
  if (!isLive && !isLost && silentMs > timing.lostMs) isLost = true;
  giveSign();
  for (const [incident, error] of errors) if (performance.now() > error.untilMs) errors.delete(incident);
  if (zones.isPending && !steady.isHeld) draw();
  else zones.tick(look);
  sound.look();
  drawTop();
}

// ---- what a person does

async function perform(verb, incident, extra = {}) {
  const card = model.cards.get(incident);
  if (!card || sending.has(incident)) return null;
  sending.set(incident, Infinity);
  errors.delete(incident);
  draw();
  const outcome = await send({ type: verb, incident, ...extra }, watch.me);
  if (outcome.reason) {
    sending.delete(incident);
    errors.set(incident, { text: outcome.reason, untilMs: performance.now() + ERROR_SHOWN_MS });
    announcer.urgent(`Not done. ${outcome.reason}`);
    live.resync();
  } else {
    sending.set(incident, outcome.sequence);
    settleSent();
    setTimeout(() => sending.has(incident) && live.resync().then(() => sending.delete(incident)).then(draw), SETTLE_MS);
  }
  draw();
  return outcome.reason ?? null;
}

// "Sending…" ends when the change that contains the action is on this page.
function settleSent() {
  for (const [incident, sequence] of sending) if (sequence <= model.sequence) sending.delete(incident);
}

function act(verb, incident, isAsked = false) {
  const card = model.cards.get(incident);
  if (!card) return;
  if (card.state === "closed" && verb !== "note") return;
  if (verb === "acknowledge" && card.state !== "unanswered") {
    announcer.status(`${card.premises} is answered already`);
    return;
  }
  const about = `${news.kindOf(card)} ${card.premises}`;
  if (!isAsked && !watch.isOn(model)) {
    // This browser may remember somebody who went home: nobody answers in the name of who is not on watch.
    askWho(`Start watch, then ${verb.replaceAll("-", " ")}`, () => act(verb, incident, true));
    return;
  }
  if (verb === "assign") {
    dialogs.suggestAssignees(model.onWatch);
    dialogs.ask("assign", { about, values: { to: card.assigned_to }, submit: ({ to }) => perform("assign", incident, { to }) });
  } else if (verb === "note") {
    dialogs.ask("note", { about, submit: ({ text }) => perform("note", incident, { text }) });
  } else if (verb === "close") {
    const submit = ({ outcome, more }) => perform("close", incident, { outcome: more.trim() ? `${outcome}: ${more.trim()}` : outcome, seen_alerts: card.alert_count });
    dialogs.ask("close", { about, submit });
  } else if (verb === "acknowledge" || verb === "on-the-way") {
    // Says what was seen: central refuses if the alert has become more urgent meanwhile.
    perform(verb, incident, { seen_kind: isTest(card) ? "test" : card.kind });
  } else {
    perform(verb, incident);
  }
}

function askWho(label, then = null) {
  dialogs.ask("person", {
    label,
    values: watch.me ?? { role: "cctv" },
    async submit({ role, name }) {
      const me = { role, name: name.trim().replaceAll(/\s+/g, " ") };
      const reason = await startWatch(me);
      if (!reason && then) setTimeout(then);
      return reason;
    },
  });
}

async function startWatch(me) {
  // First what browsers allow only while the press is fresh.
  const unlocked = sound.unlock();
  const armed = watch.arm();
  const outcome = await send({ type: "start-watch" }, me);
  await Promise.all([unlocked, armed]);
  if (!outcome.reason) watch.become(me);
  drawTop();
  return outcome.reason ?? null;
}

// Somebody on watch whose page is open and live is there still; an answer that fails is tried again in five minutes.
function giveSign() {
  if (!isLive || !watch.isOn(model) || performance.now() - signMs < SIGN_EVERY_MS) return;
  signMs = performance.now();
  send({ type: "start-watch" }, watch.me);
}

async function endWatch() {
  const outcome = await send({ type: "end-watch" }, watch.me);
  if (outcome.reason) announcer.urgent(outcome.reason);
  else watch.disarm();
  drawTop();
}

function quiet() {
  sound.quiet();
  announcer.status("Quiet for 60 seconds. A new attack sounds all the same");
}

function goToSide(wantsMap) {
  setHidden(byId("map-note"), !wantsMap);
  byId("premises-title").focus({ preventScroll: true });
  byId("premises-title").scrollIntoView({ block: "start" });
}

function goToSearch() {
  byId("search").focus();
  byId("search").select();
}

byId("alerts").addEventListener("click", (event) => {
  const pressed = event.target.closest("button[data-verb]");
  const incident = pressed?.closest(".card")?.dataset.incident;
  if (!incident) return;
  const view = zones.view(incident);
  if (pressed.dataset.verb === "toggle") {
    steady.watch(() => view.toggle(clock.now()));
    return;
  }
  if (pressed.getAttribute("aria-disabled") === "true") return;
  if (!steady.allows(event, view.primaryChangedMs)) {
    announcer.status("The list had just moved, so the press was not used. Press again");
    top.say("The list had just moved: nothing was sent. Press again.");
    return;
  }
  act(pressed.dataset.verb, incident);
});
// The marked card is where Tab comes back to.
byId("alerts").addEventListener("focusin", (event) => {
  const card = event.target.closest(".card");
  if (!card) return;
  for (const other of document.querySelectorAll(".card[tabindex='0']")) other.tabIndex = -1;
  card.tabIndex = 0;
});
byId("closed-zone").addEventListener("toggle", () => steady.noteMove());
byId("start-watch").addEventListener("click", async () => {
  if (!watch.me) {
    askWho("Start watch");
    return;
  }
  const reason = await startWatch(watch.me);
  if (reason) askWho("Start watch");
});
byId("person").addEventListener("click", () => askWho("Start watch"));
byId("end-watch").addEventListener("click", endWatch);
byId("banner-sound").addEventListener("click", () => sound.unlock());
byId("quiet").addEventListener("click", quiet);
byId("help").addEventListener("click", () => dialogs.help());
byId("reload").addEventListener("click", () => location.reload());
byId("search").addEventListener("input", (event) => side.find(event.target.value));
byId("search").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.target.value = "";
  side.find("");
  const first = zones.standing()[0];
  if (first) mark(first);
  else event.target.blur();
});
byId("theme").addEventListener("click", () => {
  const next = { auto: "dark", dark: "light", light: "auto" }[document.documentElement.dataset.theme ?? "auto"];
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  rememberTheme(next);
  drawTop();
});
byId("keys-on").checked = remembered("keys", true);
byId("keys-on").addEventListener("change", (event) => remember("keys", event.target.checked));
new Keys(
  { cards: () => zones.standing(), act, toggle: (incident) => steady.watch(() => zones.view(incident).toggle(clock.now())), quiet, side: goToSide, search: goToSearch, help: () => dialogs.help() },
  () => byId("keys-on").checked,
);

sound.start();
live.start();
setInterval(tick, 500);
document.addEventListener("visibilitychange", tick);
drawTop();
document.documentElement.dataset.script = "on";
