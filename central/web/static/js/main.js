// Puts the parts together: the feed changes the model, the model is drawn, what a person presses is sent. The only
// module that knows all others.

import { Account } from "./account.js";
import { send } from "./actions.js";
import { Announcer } from "./announce.js";
import { ServerClock } from "./clock.js";
import { Dialogs } from "./dialogs.js";
import { byId, setHidden, setText } from "./dom.js";
import { HandoverView, openWords } from "./handover.js";
import { Keys, mark } from "./keys.js";
import { Live } from "./live.js";
import { goingFirst, isPressedAgain, Model } from "./model.js";
import { News } from "./news.js";
import { Proving } from "./proving.js";
import { remember, remembered, rememberTheme } from "./settings.js";
import { Side } from "./side.js";
import { Sound } from "./sound.js";
import { Steady } from "./steady.js";
import { Strip } from "./strip.js";
import { Top } from "./top.js";
import { Duty } from "./duty.js";
import { amongThem, isTest } from "./words.js";
import { Zones } from "./zones.js";

// Of a message whose alert waits no more: what its tap opened instead.
const WOKEN = {
  another: "The alert that your phone told you of no longer waits for you. This one waited when you tapped.",
  unknown: "What your phone told you of is no longer known, or was a test of more than ten minutes ago. This alert waited when you tapped.",
  none: "The alert that your phone told you of no longer waits for you. Nothing else waited when you tapped.",
};
const WOKEN_SHOWN_MS = 60_000;
const SETTLE_MS = 5000; // how long a committed action may take to arrive by the feed before the board is fetched
const ERROR_SHOWN_MS = 20_000;
const SIGN_EVERY_MS = 30_000; // after 90 s without one central asks nobody by this page, after half an hour duty ends
const STILL_SENDING = "Something else is still being sent for this card. Try again in a moment.";
const DRAW_EVERY_MS = 100; // in a storm of changes the page is drawn at this interval, not at each

const page = document.documentElement.dataset;
const timing = { notLiveMs: Number(page.notLiveMs), lostMs: Number(page.lostMs) };
const model = new Model();
const clock = new ServerClock();
const account = new Account();
const announcer = new Announcer();
const dialogs = new Dialogs();
const sending = new Map(); // key of a card → the sequence to wait for, or Infinity while nothing is known
const errors = new Map(); // key of a card, or a node for all its open cards → { text, untilMs }
let isLive = false;
let isLost = false;
let drawTimer = 0;
let signMs = -Infinity; // on the clock that began when the page was opened
let drawnMs = -Infinity;
let drawCostMs = 0;

const steady = new Steady(byId("alerts"), () => zones.isPending && draw());
const zones = new Zones(steady);
const side = new Side();
const duty = new Duty(() => drawTop());
const sound = new Sound(timing.lostMs, () => drawTop());
const proving = new Proving({ sound, duty, dialogs });
const news = new News(model, { sound, announcer, duty });
const top = new Top({ model, clock, sound, duty, steady });
const handover = new HandoverView(announcer);
const strip = new Strip({ model, clock, sound, duty });

const look = (key) => ({
  me: duty.me,
  nowMs: clock.now(),
  nextShifts: model.nextShifts,
  sending: sending.has(key),
  error: (errors.get(key) ?? nodeError(model.cards.get(key)))?.text ?? null,
});

const nodeError = (card) => (card && card.state !== "closed" ? errors.get(card.node) : undefined);

const live = new Live(model, timing.notLiveMs, {
  bye: () => account.ended(),
  failed: () => account.ask(),
  board(board) {
    model.replace(board);
    if (!clock.isSet) clock.sync(board.at);
    news.board();
    settleSent();
    draw();
    openWanted();
  },
  change(change) {
    news.change(change); // sound first: it never waits for the drawing
    settleSent();
    drawSoon();
  },
  beat(beat) {
    clock.sync(beat.at);
    sound.beat();
    // First of all: a page that cannot draw what a newer central says must still offer to reload.
    if (beat.page !== page.page) setHidden(byId("banner-update"), false);
    if (!isLive) announceLive();
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

// At once when quiet. A page with thousands of alerts leaves at least half its time to the operator.
function drawSoon() {
  if (drawTimer) return;
  const waitMs = Math.max(DRAW_EVERY_MS, drawCostMs) - (performance.now() - drawnMs);
  if (waitMs <= 0) draw();
  else drawTimer = setTimeout(draw, waitMs);
}

function drawTop() {
  duty.follow(model);
  proving.follow(duty.isOn(model));
  steady.watch(() => {
    top.draw({ isLive, isLost });
    handover.draw(model, duty.me, clock.now());
    strip.draw(isLive);
  });
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
  account.tick(clock.now());
  for (const [incident, error] of errors) if (performance.now() > error.untilMs) errors.delete(incident);
  if (zones.isPending && !steady.isHeld) draw();
  else zones.tick(look);
  sound.look();
  drawTop();
}

// ---- what a person does

// card: as it was when the person looked. The action is for what it stood for then. Resolves to why it was not done, or
// to null.
async function perform(verb, card, extra = {}) {
  if (sending.has(card.key)) return STILL_SENDING;
  sending.set(card.key, Infinity);
  errors.delete(card.key);
  draw();
  const seen = card.through && verb !== "note" ? { seen_through: card.through } : {};
  const action = verb === "close-revoked" ? { type: verb, node: card.node, ...extra } : { type: verb, incident: card.incident, ...seen, ...extra };
  const outcome = await send(action, duty.me?.role);
  if (outcome.reason) {
    sending.delete(card.key);
    errors.set(card.key, { text: outcome.reason, untilMs: performance.now() + ERROR_SHOWN_MS });
    announcer.urgent(`Not done. ${outcome.reason}`);
    live.resync();
  } else {
    sending.set(card.key, outcome.sequence);
    if (outcome.untouched) sayUntouched(card, outcome.untouched);
    if (outcome.left) announcer.status(`${outcome.left} more from ${card.premises} will follow automatically`);
    settleSent();
    setTimeout(() => settleLate(card.key, outcome.sequence), SETTLE_MS);
  }
  draw();
  return outcome.reason ?? null;
}

// Alerts pressed after the person looked are unanswered: said where they are shown.
function sayUntouched(card, count) {
  const text = count === 1 ? "1 later alert was not on your screen: it is unchanged." : `${count} later alerts were not on your screen: they are unchanged.`;
  errors.set(card.node, { text, untilMs: performance.now() + ERROR_SHOWN_MS });
  announcer.urgent(`${card.premises}: ${text}`);
}

// "Sending…" ends when the change with the action is on this page.
function settleSent() {
  for (const [incident, sequence] of sending) if (sequence <= model.sequence) sending.delete(incident);
}

// What the feed has not brought by now is fetched: without it the card would look as if nothing had been done. Another act
// may be under way on the card meanwhile: that is let alone.
async function settleLate(key, sequence) {
  const isSame = () => sending.get(key) === sequence;
  if (!isSame()) return;
  const isCurrent = await live.resync();
  if (!isSame()) return;
  if (isCurrent) sending.delete(key);
  else setTimeout(() => settleLate(key, sequence), SETTLE_MS);
  draw();
}

// key: of a card. What is drawn counts, not later changes.
function act(verb, key) {
  actOn(verb, zones.view(key)?.card ?? model.cards.get(key));
}

function actOn(verb, card, isAsked = false) {
  if (!card) return;
  if (card.state === "closed" && verb !== "note") return;
  if (verb === "acknowledge" && card.state !== "unanswered" && !isPressedAgain(card)) {
    announcer.status(`${card.premises} is already answered`);
    return;
  }
  const about = `${news.kindOf(card)} ${card.premises}`;
  if (!isAsked && !duty.isOn(model)) {
    // The shops are told who is on duty: nobody answers off duty, but where nothing proves that they can be reached.
    goOnDuty(verb.replaceAll("-", " "), () => actOn(verb, card, true));
    return;
  }
  if (verb === "assign") {
    dialogs.suggestAssignees(model.onDuty);
    dialogs.ask("assign", { about, values: { to: card.assigned_to }, submit: ({ to }) => perform("assign", card, { to }) });
  } else if (verb === "note") {
    dialogs.ask("note", { about, submit: ({ text }) => perform("note", card, { text }) });
  } else if (verb === "close") {
    // All open alerts of a stolen node are closed in one act, each with this person's name and reason.
    const isRevoked = model.nodes.get(card.node)?.state === "revoked";
    const submit = ({ outcome, more }) => {
      const ended = { outcome: more.trim() ? `${outcome}: ${more.trim()}` : outcome };
      return isRevoked ? perform("close-revoked", card, ended) : perform("close", card, { ...ended, seen_alerts: card.alert_count });
    };
    dialogs.ask("close", { about: isRevoked ? `all open alerts from ${card.premises}, which is revoked` : aboutAll(card, about), submit });
  } else if (verb === "on-the-way") {
    askWhoComes(card, about);
  } else if (verb === "acknowledge") {
    // Says what was seen: central refuses if the alert has become more urgent meanwhile.
    perform(verb, card, { seen_kind: isTest(card) ? "test" : card.kind });
  } else {
    perform(verb, card);
  }
}

const aboutAll = (card, about) => (card.stands_for > 1 ? `${about}: all ${card.stands_for} alerts that you saw${amongThem(card)}` : about);

// CCTV and co-ordinator stay at their desks: the shop must see the name of the person who really comes.
function askWhoComes(card, about) {
  const { people, isAssigned } = goingFirst(model.onDuty, card.assigned_to, duty.me);
  const isKnown = people.length > 0 && (isAssigned || !card.assigned_to);
  dialogs.ask("going", {
    about,
    people,
    values: isKnown ? { who: "0" } : { who: "other", name: card.assigned_to },
    submit({ who, role, name }) {
      if (who === "other" && !role) return "Choose their role.";
      if (who === "other" && !name.trim()) return "Enter their name or call sign.";
      const comes = who === "other" ? { role, name: name.trim() } : people[Number(who)];
      return perform("on-the-way", card, { seen_kind: isTest(card) ? "test" : card.kind, who: { role: comes.role, name: comes.name } });
    },
  });
}

// Starts duty, and then goes on.
function goOnDuty(label = "", then = null) {
  if (duty.mayAct) proving.ask(startDuty, label, then);
  else say("Your role sees units only: it does not answer alerts.");
}

function say(text) {
  announcer.urgent(text);
  top.say(text);
}

// The tone of this page was heard.
async function startDuty(role) {
  // First, what browsers allow only right after a press.
  duty.arm();
  const outcome = await send({ type: "start-watch", proof: "page" }, role);
  if (!outcome.reason) duty.become(role);
  drawTop();
  return outcome.reason ?? null;
}

// A person on duty with an open, live page is still there. Called at each beat of the feed too, for the browser slows a
// hidden page's timers; a failed sign is repeated in half a minute. It begins no duty and moves none: another computer's
// page may remember another role.
function giveSign() {
  if (!isLive || !duty.isOn(model) || performance.now() - signMs < SIGN_EVERY_MS) return;
  signMs = performance.now();
  send({ type: "start-watch", is_sign: true }, duty.me.role);
}

async function endDuty({ note }) {
  const outcome = await send({ type: "end-watch", note }, duty.me.role);
  if (outcome.reason) announcer.urgent(outcome.reason);
  drawTop();
  return outcome.reason ?? null;
}

// Shows what is open, and asks for a note to whoever comes next.
function askEndDuty() {
  const open = openWords(model);
  setText(byId("end-open"), open);
  setHidden(byId("end-open"), !open);
  setHidden(byId("end-last"), model.onDuty.length !== 1);
  dialogs.ask("end", { submit: endDuty });
}

async function readHandover() {
  const button = byId("handover-read");
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  const outcome = await send({ type: "read-handover" }, duty.me.role);
  button.setAttribute("aria-disabled", "false");
  setText(byId("handover-error"), outcome.reason ?? "");
  // The button goes away: the keyboard goes on from the alerts.
  if (!outcome.reason) byId("alerts").focus({ preventScroll: true });
}

// A notice on a phone was tapped: its alert, once. The address is anybody's then, and a reload leads nowhere old.
function openWanted() {
  const wanted = location.hash.slice(1);
  if (!wanted) return;
  history.replaceState(null, "", "/");
  const [key, why] = wanted.split("/");
  jump(key);
  if (!Object.hasOwn(WOKEN, why ?? "")) return;
  announcer.status(WOKEN[why]);
  setText(byId("woken-word"), WOKEN[why]);
  setHidden(byId("banner-woken"), false);
  setTimeout(() => setHidden(byId("banner-woken"), true), WOKEN_SHOWN_MS);
}

function jump(key) {
  const view = zones.view(key);
  if (view) mark(view.node);
}

function undo() {
  const card = strip.undoable;
  if (!card) return;
  if (sending.has(card.key)) say(STILL_SENDING);
  else perform("undo-acknowledge", card);
}

function quiet() {
  sound.quiet();
  announcer.status("Quiet for 60 seconds. A new attack still sounds");
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
    announcer.status("The list had just moved: nothing was sent. Press again");
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
byId("start-duty").addEventListener("click", () => goOnDuty());
byId("end-duty").addEventListener("click", askEndDuty);
byId("handover-read").addEventListener("click", readHandover);
byId("urgent").addEventListener("click", () => jump(strip.urgent));
byId("undo").addEventListener("click", undo);
byId("to-premises").addEventListener("click", () => goToSide(false));
byId("details").addEventListener("click", () => side.showDetails());
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
  { cards: () => zones.standing(), act, toggle: (incident) => steady.watch(() => zones.view(incident).toggle(clock.now())), quiet, undo, side: goToSide, search: goToSearch, help: () => dialogs.help() },
  () => byId("keys-on").checked,
);

sound.start();
live.start();
setInterval(tick, 500);
setInterval(() => document.body.toggleAttribute("data-pulse"), 500);
document.addEventListener("visibilitychange", tick);
drawTop();
// Where this browser is one of the person's phones, its worker looks whether central can still reach it.
navigator.serviceWorker?.getRegistration().then((registration) => registration?.active?.postMessage("renew"));
document.documentElement.dataset.script = "on";
