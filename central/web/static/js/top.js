// The bar and the banners above the lists, and the window's title.

import { byId, element, name, setData, setHidden, setText } from "./dom.js";
import { missingWords, nextShiftWords } from "./asking.js";
import { arrivedMs, lastMs } from "./model.js";
import { BLOCKED_FROM_MS, blockedMs } from "./paths.js";
import * as words from "./words.js";

const SAID_MS = 4000;

export class Top {
  #parts;
  #said = { text: "", untilMs: 0 };

  constructor(parts) {
    this.#parts = parts;
  }

  // A short line that disappears by itself.
  say(text) {
    this.#said = { text, untilMs: performance.now() + SAID_MS };
    this.#drawFigures();
  }

  draw({ isLive, isLost }) {
    const { model, clock, sound, duty } = this.#parts;
    const hasBoard = !model.isEmpty;
    const nowMs = clock.now();
    const isWaiting = !hasBoard && !isLost;
    const live = isLive ? "live" : isWaiting ? "wait" : isLost ? "lost" : "not-live";
    setData(byId("live"), "live", live);
    setText(byId("live-word"), { live: "LIVE", wait: "CONNECTING", lost: "NOT LIVE", "not-live": clock.isFrozen || isLost ? "NOT LIVE" : "CONNECTING" }[live]);
    setText(byId("live-clock"), isLive ? words.clock(nowMs) : "");
    const isOld = !isLive && (clock.isFrozen || isLost);
    setData(byId("room"), "old", String(isOld));
    const banner = byId("banner-not-live");
    setHidden(banner, !isOld);
    banner.classList.toggle("is-red", isLost);
    banner.classList.toggle("is-amber", !isLost);
    if (isOld) setText(byId("not-live-word"), `NOT LIVE since ${clock.isSet ? words.clock(nowMs) : "this page was opened"}.`);
    for (const node of document.querySelectorAll("[data-as-of]")) setText(node, isOld ? `as of ${words.clock(nowMs)}` : "");
    this.#drawPerson(duty, model, hasBoard);
    setHidden(byId("banner-sound"), sound.isOn);
    const quietS = Math.ceil(sound.quietLeftS);
    setText(byId("quiet-word"), quietS ? `Quiet ${quietS} s` : "Quiet 60 s");
    setHidden(byId("quiet"), !sound.isRunning);
    setText(byId("theme"), `Theme: ${document.documentElement.dataset.theme ?? "auto"}`);
    if (hasBoard) this.#drawBoard(model, nowMs);
    document.title = this.#title(model, isOld);
  }

  #drawPerson(duty, model, hasBoard) {
    const isOn = duty.isOn(model);
    setText(byId("person-word"), isOn || !duty.mayAct ? "You:" : "Not on duty:");
    setHidden(byId("start-duty"), isOn || !duty.mayAct);
    setHidden(byId("end-duty"), !isOn);
    setHidden(byId("banner-nobody"), !hasBoard || model.onDuty.length > 0);
    if (hasBoard) setText(byId("nobody-next"), model.nextShifts.length ? nextShiftWords(model.nextShifts, null, this.#parts.clock.now()) : "");
    setHidden(byId("banner-missing"), !hasBoard || !model.missing.length);
    if (hasBoard && model.missing.length) setText(byId("missing-word"), missingWords(model.missing, this.#parts.clock.now()));
    if (hasBoard) this.#drawDuty(model.onDuty);
  }

  #drawDuty(people) {
    const list = byId("duty");
    const signature = JSON.stringify(people);
    if (list.dataset.signature === signature) return;
    list.dataset.signature = signature;
    const since = (one) => element("span", "num", words.minuteAndDay(Date.parse(one.since), this.#parts.clock.now()));
    list.replaceChildren(...people.map((one) => element("span", "duty-one", name(words.personWords(one)), " since ", since(one), ...(one.has_page === false ? [element("strong", "", " – page shut")] : []))), people.length ? "" : "nobody");
  }

  #drawBoard(model, nowMs) {
    setHidden(byId("banner-broker"), model.isBrokerLinked);
    setHidden(byId("banner-disk"), model.isDiskOk);
    setHidden(byId("notice-lane"), model.hasAlertsLane || !model.isBrokerLinked);
    setHidden(byId("banner-reserve"), model.hasReserve || !model.isDiskOk);
    setHidden(byId("banner-clock"), !model.clockFault);
    setText(byId("clock-word"), model.clockFault);
    const isFlood = model.isFlood(nowMs);
    setHidden(byId("banner-flood"), !isFlood);
    if (isFlood) setText(byId("flood-word"), `MANY ALERTS: ${model.newCount(nowMs)} new cards in 10 minutes.`);
    this.#drawFaults(model, nowMs);
    this.#drawBlocked(model, nowMs);
    this.#drawFigures();
  }

  // Central's rules failed on something and left it out: it may have been a call for help.
  #drawFaults(model, nowMs) {
    const faults = model.faults(nowMs);
    setHidden(byId("banner-fault"), !faults.length);
    if (!faults.length) return;
    const from = faults.map((line) => model.nodes.get(line.sender)?.premises).filter(Boolean);
    const others = from.length > 2 ? ` and ${from.length - 2} more` : "";
    const what = from.length ? `something from ${from.slice(0, 2).join(", ")}${others} was not processed` : "something was not done";
    setText(byId("fault-word"), `CENTRAL HAS A FAULT: ${what} (${words.clock(Math.max(...faults.map(lastMs)))}).`);
    setText(byId("fault-advice"), from.length ? "Ring them now, then report it." : "Check every card, then report it.");
  }

  // Jamming or a stuck transmitter: premises without network cannot call for help meanwhile.
  #drawBlocked(model, nowMs) {
    const blocked = [...model.nodes.values()].filter((node) => blockedMs(node) && nowMs - blockedMs(node) >= BLOCKED_FROM_MS);
    setHidden(byId("banner-radio"), !blocked.length);
    if (!blocked.length) return;
    const first = blocked.reduce((a, b) => (blockedMs(a) <= blockedMs(b) ? a : b));
    const others = blocked.length > 1 ? ` and ${blocked.length - 1} more` : "";
    setText(byId("radio-word"), `RADIO CHANNEL BLOCKED for ${words.span(nowMs - blockedMs(first))} at ${first.premises}${others}.`);
  }

  #drawFigures() {
    const { model, clock } = this.#parts;
    if (performance.now() < this.#said.untilMs) {
      setText(byId("figures"), this.#said.text);
      return;
    }
    const nowMs = clock.now();
    const waiting = model.unanswered().filter((card) => !words.isTest(card));
    const oldestMs = waiting.length ? nowMs - Math.min(...waiting.map(arrivedMs)) : null;
    const oldest = oldestMs === null ? "" : ` · longest unanswered ${words.age(oldestMs)}`;
    const count = model.newCount(nowMs); // one card may stand for thousands of alerts
    setText(byId("figures"), `${count} new card${count === 1 ? "" : "s"} in 10 min${oldest}`);
  }

  #title(model, isOld) {
    // Tests and drills come last and do not count: the number is of calls for help.
    const first = model.unanswered()[0];
    const count = model.unanswered().filter((card) => !words.isTest(card)).length;
    const kind = first && (words.isTest(first) ? (first.kind === "test" ? "TEST" : `TEST ${words.kindWord(first.kind)}`) : words.kindWord(first.kind));
    const name = first ? `${count ? `(${count}) ` : ""}${kind} ${first.premises}` : "Watchlink control room";
    return isOld ? `NOT LIVE – ${name}` : name;
  }
}
