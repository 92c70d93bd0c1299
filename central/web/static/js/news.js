// Decides which part of a change must sound, be announced or be notified. Sound follows what is unanswered, not what is
// new: a page opened in the middle of an attack sounds at once.

import { spare } from "./dom.js";
import { isPressedAgain, lastMs, pressedBehind, rank } from "./model.js";
import { blockedMs } from "./paths.js";
import { healthWord, isAutomatic, isTest, kindWord, stateWord } from "./words.js";

const THROUGH_EVERY_MS = 20_000; // per card: a flood from one premises must not make quiet useless

// A card that stands for many may show another of them, with its own count: that is not a press.
const isPressedSince = (before, now) => now.through > before.through || (now.incident === before.incident && now.count > before.count);

// Another press that waited beside it has been dealt with: what is left was heard when it came.
const isAgainSince = (before, now) => now.againAt !== before.againAt && !(now.incident === before.incident && Date.parse(now.againAt) < Date.parse(before.againAt));

export class News {
  #model;
  #sound;
  #announcer;
  #duty;
  #known = new Map(); // key of a card → { rank, state }
  #nodes = new Map(); // node → { state, isBlocked }
  #throughMs = new Map(); // key of a card → when it last sounded through the quiet
  #isFirst = true;
  #faultMs = 0; // when central last failed on something

  constructor(model, { sound, announcer, duty }) {
    this.#model = model;
    this.#sound = sound;
    this.#announcer = announcer;
    this.#duty = duty;
  }

  kindOf(card) {
    return isTest(card) ? `TEST ${kindWord(card.kind)}` : kindWord(card.kind);
  }

  board() {
    for (const node of this.#model.nodes.values()) this.#nodes.set(node.node, { state: node.state, isBlocked: blockedMs(node) !== null });
    const cards = [...this.#model.cards.values()];
    if (this.#isFirst) {
      this.#isFirst = false;
      const unanswered = this.#model.unanswered();
      if (unanswered.length) this.#announcer.status(`${unanswered.length} unanswered: ${unanswered.slice(0, 3).map((card) => this.#name(card)).join(", ")}`);
      for (const card of cards) this.#remember(card);
    } else {
      const open = new Set(cards.map((card) => card.key));
      for (const key of this.#known.keys()) if (!open.has(key)) this.#known.delete(key);
      for (const key of this.#throughMs.keys()) if (!open.has(key)) this.#throughMs.delete(key);
      for (const card of cards) spare(() => this.#take(card));
    }
    this.#loop();
  }

  change(change) {
    for (const card of change.cards) spare(() => this.#take(card));
    for (const node of change.nodes) spare(() => this.#takeNode(node));
    if (change.is_broker_linked === false) this.#announcer.urgent("Central is cut off from the broker. Alerts cannot arrive.");
    if (change.is_disk_ok === false) this.#announcer.urgent("Central cannot write to its disk. Alerts cannot be stored.");
    if (change.has_reserve === false) this.#announcer.urgent("Central's disk is full. Alerts still arrive, but soon they will not.");
    if (change.rejected !== null) this.#takeFaults();
    if (change.missing?.length) this.#announcer.status(`Not on duty: ${change.missing.map((one) => one.name).join(", ")}`);
    if (change.on_watch?.length === 0) this.#announcer.urgent("Nobody on duty.");
    this.#loop();
  }

  #takeFaults() {
    const newest = Math.max(0, ...this.#model.faults(0).map(lastMs));
    if (newest > this.#faultMs) this.#announcer.urgent("Central has a fault: something was not processed. See the warning above the alerts.");
    this.#faultMs = newest;
  }

  // A line changes for many reasons; only a new state is announced.
  #takeNode(node) {
    const before = this.#nodes.get(node.node);
    const now = { state: node.state, isBlocked: blockedMs(node) !== null };
    this.#nodes.set(node.node, now);
    if (node.state !== before?.state && node.state !== "ok") this.#announcer.status(`${node.premises}: ${healthWord(node.state).toLowerCase()}`);
    if (now.isBlocked && !before?.isBlocked) this.#announcer.urgent(`Radio channel blocked at ${node.premises}. An alert is waiting there.`);
  }

  live() {
    this.#announcer.status("Live");
  }

  notLive() {
    this.#announcer.urgent("Not live. What you see is old.");
  }

  #take(card) {
    const before = this.#known.get(card.key);
    const now = this.#remember(card);
    const isCalling = card.state === "unanswered";
    const behind = pressedBehind(card);
    if (before && behind && isAgainSince(before, now)) this.#takeAgain(behind, rank(behind));
    const isNew = isCalling && (!before || before.state !== "unanswered" || now.rank < before.rank);
    if (isCalling && now.isNobody && !before?.isNobody) this.#announcer.urgent(`Nobody to ask: ${this.#name(card)}`);
    if (isNew && now.rank <= 2) {
      if (now.rank === 1) this.#sound.endQuiet();
      this.#announcer.urgent(`${this.#name(card)}, unanswered`);
      this.#duty.notify(card);
    } else if (isNew) {
      if (now.rank === 3) this.#sound.once("p3");
      this.#announcer.status(`${this.#name(card)}, unanswered`);
    } else if (before && isPressedAgain(card) && isAgainSince(before, now)) {
      this.#takeAgain(card, now.rank);
    } else if (before && isCalling && now.rank === 1 && isPressedSince(before, now)) {
      this.#soundThrough(card);
    } else if (before && before.state !== card.state) {
      const by = card.answered_by && card.state !== "unanswered" ? (isAutomatic(card.answered_by) ? " automatically" : ` by ${card.answered_by.name}`) : "";
      this.#announcer.status(`${this.#name(card)}: ${stateWord(card.state).toLowerCase()}${card.state === "closed" ? "" : by}`);
    } else if (before && !before.cancelled && card.cancelled) {
      this.#announcer.status(`${this.#name(card)}: cancelled by shop, still open`);
    }
  }

  // A waiting attack that is pressed once more sounds through the quiet.
  #soundThrough(card) {
    const nowMs = performance.now();
    if (nowMs - (this.#throughMs.get(card.key) ?? -Infinity) < THROUGH_EVERY_MS || !this.#sound.through("p1")) return;
    this.#throughMs.set(card.key, nowMs);
    this.#announcer.urgent(`Pressed once more: ${this.#name(card)}, unanswered`);
  }

  // Answered a moment ago and pressed once more: sounds once, because someone has it.
  #takeAgain(card, urgency) {
    const said = `PRESSED AGAIN: ${this.#name(card)}`;
    if (urgency === 1) this.#sound.endQuiet();
    if (urgency <= 3) this.#sound.once(`p${urgency}`);
    if (urgency <= 2) {
      this.#announcer.urgent(said);
      this.#duty.notify(card);
    } else {
      this.#announcer.status(said);
    }
  }

  #remember(card) {
    const kept = { incident: card.incident, againAt: card.pressed_again_at, rank: rank(card), state: card.state, cancelled: card.cancelled, count: card.alert_count, through: card.through, isNobody: (card.asking ?? []).some((line) => !line.role) };
    this.#known.set(card.key, kept);
    return kept;
  }

  #loop() {
    const urgency = this.#model.mostUrgent();
    this.#sound.loop(urgency === 1 ? "p1" : urgency === 2 ? "p2" : null);
  }

  #name(card) {
    return `${this.kindOf(card)}, ${card.premises}, ${card.place}`;
  }
}
