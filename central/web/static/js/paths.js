// The two paths from a premises, each as a shape and words, and their figures this month.

import { element, name, setData, setHidden, setShape, setText, shape } from "./dom.js";
import * as words from "./words.js";

const BUSY_FROM = 50;
export const BLOCKED_FROM_MS = 10_000;
const monthFormat = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });

// "by radio+net, late": the path of the first copy first.
export const cardPath = (card) =>
  `by ${(card.paths.length ? card.paths : [card.path]).map(words.pathWord).join("+")}${card.is_late ? ", late" : ""}`;

// Since when an alert has waited there for a clear channel; unknown for a premises out of contact.
export function blockedMs(node) {
  const isKnown = node.radio?.blocked_since && (node.state === "ok" || node.state === "fault");
  return isKnown ? Date.parse(node.radio.blocked_since) : null;
}

export const needsLook = (node) => Boolean(blockedMs(node) || node.radio?.is_test_overdue || node.is_weekly_test_overdue);

export class PathsView {
  constructor() {
    this.net = way("net");
    this.radio = way("radio");
    this.warnings = element("ul", "node-warnings");
    this.figures = element("p", "node-figures num");
    this.ways = element("div", "node-paths", this.net.box, this.radio.box);
  }

  get parts() {
    return [this.ways, this.warnings, this.figures];
  }

  update(node, nowMs, isLinked) {
    const when = (text) => words.minuteAndDay(Date.parse(text), nowMs);
    setHidden(this.ways, node.state === "revoked");
    if (isLinked) this.net.say(node.state, words.netShape(node.state), `Net ${words.netWord(node.state)}`);
    else this.net.say("never-seen", "state-never-seen", "Net unknown");
    this.#drawRadio(node, when);
    this.#drawWarnings(node, when);
    setText(this.figures, figuresText(node.figures));
    setHidden(this.figures, !node.figures.length);
  }

  #drawRadio(node, when) {
    const radio = node.radio;
    if (!radio) {
      this.radio.say("none", "state-never-seen", "No radio");
      return;
    }
    // The last radio state of a premises out of contact may no longer be true.
    const isOld = node.state !== "ok" && node.state !== "fault";
    const said = radio.state === "unknown" ? [] : [`${isOld ? "was " : ""}${words.radioWord(radio.state)}`];
    if (radio.tested_at && ["ready", "untested"].includes(radio.state)) said.push(`tested ${when(radio.tested_at)}`);
    if (radio.heard_at) said.push(`heard ${when(radio.heard_at)}${radio.heard_by.length ? ` at ${radio.heard_by[0]}` : ""}`);
    if (radio.busy_percent >= BUSY_FROM) said.push(`channel ${radio.busy_percent} % busy`);
    this.radio.say(radio.state, words.radioShape(radio.state), `Radio ${said.join(", ")}`);
  }

  #drawWarnings(node, when) {
    const said = [];
    if (blockedMs(node)) said.push(`CHANNEL BLOCKED since ${when(node.radio.blocked_since)} – an alert is waiting. Stuck transmitter or jamming`);
    if (node.radio?.is_test_overdue) {
      said.push(`RADIO TEST OVERDUE – ${node.radio.tested_at ? `last came back ${when(node.radio.tested_at)}` : "none has come back"}`);
    }
    if (node.is_weekly_test_overdue) said.push(`WEEKLY TEST OVERDUE – last ${when(node.weekly_test_at)}. Staff should press Test`);
    const signature = said.join("\n");
    setHidden(this.warnings, !said.length);
    if (this.warnings.dataset.signature === signature) return;
    this.warnings.dataset.signature = signature;
    this.warnings.replaceChildren(...said.map((line) => element("li", "", line)));
  }
}

function way(kind) {
  const mark = shape("state-ok");
  const text = name("");
  const box = element("span", "node-path", mark, text);
  box.dataset.path = kind;
  return {
    box,
    say(state, shapeId, said) {
      setData(box, "state", state);
      setShape(mark, shapeId);
      setText(text, said);
    },
  };
}

// "Nov: net 99.93 %, 95 % of 12 alerts within 4 s · radio 97 %".
function figuresText(figures) {
  const month = figures[0]?.month;
  const said = figures.filter((one) => one.month === month).map((one) => {
    const parts = [`${words.pathWord(one.path)} ${one.available_percent === null ? "–" : `${one.available_percent} %`}`];
    if (one.deliveries) parts.push(`95 % of ${one.deliveries} alert${one.deliveries === 1 ? "" : "s"} ${one.most_s === null ? "took over 300 s" : `within ${one.most_s} s`}`);
    return parts.join(", ");
  });
  return month ? `${monthFormat.format(Date.parse(`${month}-15`))}: ${said.join(" · ")}` : "";
}
