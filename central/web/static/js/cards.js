// One alert card: built once, then only differences are changed, so that neither focus nor pointer loses its place.

import { me } from "./account.js";
import { AskingView } from "./asking.js";
import { element, name, setData, setHidden, setShape, setText, shape } from "./dom.js";
import { arrivedMs, closedMs, isPressedAgain, isSame, pressedMs } from "./model.js";
import { cardPath } from "./paths.js";
import { PlaceView } from "./places.js";
import * as words from "./words.js";

const CLOSE = { verb: "close", label: "Close…", key: "C" };
const PRIMARY = {
  unanswered: { verb: "acknowledge", label: "Acknowledge", key: "A" },
  answered: { verb: "on-the-way", label: "On the way…", key: "W" },
  "on-the-way": CLOSE,
};
// No one goes out for a test.
const primaryOf = (card) => {
  if (isPressedAgain(card)) return PRIMARY.unanswered;
  return card.kind === "test" && card.state === "answered" ? CLOSE : PRIMARY[card.state];
};

export class CardView {
  #parts = {};
  #card = null;
  #openSignature = "";
  #drawn = [];
  #asking = new AskingView();
  #place = new PlaceView();
  isOpen = false;
  primaryChangedMs = -Infinity;

  // key: its name on the page, which stays when a card that stands for many shows another of them.
  constructor(key) {
    const p = this.#parts;
    const id = `card-${key}`;
    p.level = element("span");
    p.shape = shape("shape-p1");
    p.kind = element("span", "badge-kind");
    p.premises = name("");
    p.place = name("", "card-place");
    p.toggle = button("toggle", "card-toggle", p.premises);
    p.toggle.setAttribute("aria-expanded", "false");
    p.toggle.setAttribute("aria-controls", `${id}-more`);
    p.state = element("span", "card-word");
    p.by = name("");
    p.after = element("span", "num");
    p.again = element("p", "card-again");
    p.acts = element("p", "card-acts");
    p.person = element("p", "card-person");
    p.silent = element("p", "card-silent");
    p.late = element("p", "card-late");
    p.cancelled = element("p", "card-cancelled");
    p.untold = element("p", "card-untold");
    p.facts = element("p", "card-facts");
    p.error = element("p", "card-error");
    p.age = element("span", "card-age num");
    p.clock = element("span", "card-clock num");
    p.path = element("span", "card-path");
    p.primaryLabel = element("span");
    p.primaryKey = element("kbd");
    p.primary = button("primary", "button is-primary card-primary", p.primaryLabel, p.primaryKey);
    p.assign = letter("assign", "S", "Assign");
    p.note = letter("note", "N", "Note");
    p.going = letter("on-the-way", "W", "Who is coming");
    p.close = letter("close", "C", "Close");
    p.more = element("div", "card-more");
    p.more.id = `${id}-more`;
    p.more.hidden = true;
    setText(p.silent, words.silentWarning);

    const heading = element("h3", "card-premises", p.toggle, " ", p.place);
    heading.id = `${id}-name`;
    p.kind.id = `${id}-kind`;
    this.node = element(
      "article", "card",
      element("div", "card-bar"),
      element("div", "badge", element("span", "badge-level", p.shape, p.level), p.kind),
      element("div", "card-main", heading, element("p", "card-state", p.state, " ", p.by, " ", p.after),
        this.#asking.node, p.person, p.again, p.acts, p.cancelled, p.silent, p.late, p.untold, p.facts, this.#place.node, p.error),
      element("div", "card-time", p.age, p.clock, p.path),
      element("div", "card-actions", p.primary, element("div", "card-letters", p.assign, p.note, p.going, p.close)),
      p.more,
    );
    this.node.dataset.incident = key;
    this.node.tabIndex = -1;
    this.node.setAttribute("aria-labelledby", `${id}-kind ${id}-name`);
  }

  get card() {
    return this.#card;
  }

  // view: { me, sending, error, nowMs, nextShifts }; place: what the office knows of the premises, or null
  update(card, view, place) {
    this.#place.update(place);
    const wanted = [card, view.me, view.sending, view.error, view.nextShifts];
    if (wanted.every((one, i) => one === this.#drawn[i])) return;
    this.#drawn = wanted;
    const p = this.#parts;
    const level = words.level(card);
    if (this.#card && primaryOf(this.#card)?.verb !== primaryOf(card)?.verb) this.primaryChangedMs = performance.now();
    this.#card = card;
    setData(this.node, "level", level.toLowerCase());
    setData(this.node, "state", card.state);
    setData(this.node, "again", String(isPressedAgain(card)));
    setData(this.node, "late", String(card.is_late));
    setText(p.level, level);
    setShape(p.shape, `shape-${level.toLowerCase()}`);
    setText(p.kind, words.isTest(card) && card.kind !== "test" ? `DRILL: ${words.kindWord(card.kind)}` : words.kindWord(card.kind));
    p.kind.title = words.kindMeans(card.kind);
    setText(p.premises, card.premises);
    setText(p.place, card.place);
    this.#drawState(card, view);
    this.#drawTimes(card, view);
    this.#drawActions(card, view);
    if (this.isOpen) this.#drawMore(card, view.nowMs);
  }

  // The operator must still see it and be able to answer it.
  fail(card) {
    const p = this.#parts;
    setText(p.premises, String(card.premises));
    setText(p.error, "Central has a fault and cannot show all of this. Ring the premises.");
    setHidden(p.error, false);
    this.#drawn = [];
  }

  tick(view) {
    if (!this.#card) return;
    this.#drawTimes(this.#card, view);
  }

  toggle(nowMs) {
    this.isOpen = !this.isOpen;
    if (this.isOpen) this.#drawMore(this.#card, nowMs);
    this.#parts.more.hidden = !this.isOpen;
    this.#parts.toggle.setAttribute("aria-expanded", String(this.isOpen));
  }

  #drawState(card, view) {
    const p = this.#parts;
    const [first, ...earlier] = acts(card);
    setText(p.state, first?.word ?? words.stateWord(card.state));
    setText(p.by, first?.who ?? "");
    setText(p.after, first?.when ?? "");
    // On a card that stands for many, others were answered and this one came later.
    const isAgain = Boolean(card.pressed_again_at) && card.state !== "closed";
    const which = card.again_kind ? `${words.kindWord(card.again_kind)} ` : "";
    setText(p.again, isAgain ? `${which}PRESSED AGAIN ${words.clock(Date.parse(card.pressed_again_at))} – not answered yet` : "");
    setHidden(p.again, !isAgain);
    setText(p.acts, earlier.map((act) => [act.word, act.who, act.when].filter(Boolean).join(" ")).join(" · "));
    setHidden(p.acts, !earlier.length);
    setText(p.cancelled, card.cancelled ? `CANCELLED BY SHOP – ${words.cancelWord(card.cancelled)}${card.state === "closed" ? "" : " – still open"}` : "");
    setHidden(p.cancelled, !card.cancelled);
    setHidden(p.silent, !card.is_silent);
    const pressed = card.pressed_at ? words.minuteAndDay(Date.parse(card.pressed_at), view.nowMs) : "at an unknown time";
    setText(p.late, card.is_late ? `LATE – pressed ${pressed}, arrived ${words.minuteAndDay(arrivedMs(card), view.nowMs)}` : "");
    setHidden(p.late, !card.is_late);
    setText(p.untold, words.untoldWarning);
    setHidden(p.untold, !card.is_untold);
    this.#drawPerson(card);
    this.#drawFacts(card);
    setText(p.error, view.error ?? "");
    setHidden(p.error, !view.error);
  }

  // Central has the reference alone: who that is, and the photograph, is at the office.
  #drawPerson(card) {
    const { person } = this.#parts;
    const signature = JSON.stringify([card.person, card.left]);
    if (person.dataset.signature === signature) return;
    person.dataset.signature = signature;
    const reference = words.officeUrl ? element("a", "", card.person) : element("strong", "", card.person);
    if (words.officeUrl) {
      reference.href = `${words.officeUrl}register/?q=${encodeURIComponent(card.person)}`;
      reference.target = "_blank";
      reference.rel = "noreferrer";
    }
    person.replaceChildren(...(card.person ? [reference, ...(card.left ? [` – Left when asked: ${card.left}`] : [])] : []));
    setHidden(person, !card.person);
  }

  #drawFacts(card) {
    const facts = [];
    if (card.stands_for > 1) facts.push(element("strong", "", words.standsFor(card)));
    if (card.alert_count > 1) facts.push(element("strong", "", `×${card.alert_count}`, " pressed"));
    const count = (response) => card.members.filter((line) => line.response === response).length;
    if (count("responding")) facts.push(`${count("responding")} responding`);
    if (count("seen")) facts.push(`${count("seen")} seen`);
    if (card.assigned_to) facts.push(element("span", "", "assigned to ", name(card.assigned_to)));
    if (card.path === "radio") facts.push(element("span", "", shape("path-radio"), "came by radio", ...(card.relay ? [", heard at ", name(card.relay)] : [])));
    if (card.is_clock_ahead) facts.push("unit’s clock is ahead");
    const signature = JSON.stringify([card.stands_for, card.urgent_kind, card.urgent_count, card.state, card.alert_count, card.members, card.assigned_to, card.is_clock_ahead, card.path, card.relay]);
    if (this.#parts.facts.dataset.signature === signature) return;
    this.#parts.facts.dataset.signature = signature;
    this.#parts.facts.replaceChildren(...facts.map((fact) => element("span", "fact", fact)));
    setHidden(this.#parts.facts, facts.length === 0);
  }

  #drawTimes(card, { nowMs, nextShifts }) {
    const p = this.#parts;
    this.#asking.draw(card, nextShifts, nowMs);
    const endMs = card.state === "closed" ? closedMs(card) : nowMs;
    setText(p.age, words.age(endMs - pressedMs(card)));
    setText(p.clock, words.clockAndDay(pressedMs(card), nowMs));
    setText(p.path, cardPath(card));
  }

  #drawActions(card, view) {
    const p = this.#parts;
    const primary = primaryOf(card);
    setHidden(p.primary, !primary);
    setHidden(p.assign, !primary);
    setHidden(p.going, card.state !== "on-the-way" && !(card.state === "answered" && isPressedAgain(card)));
    setHidden(p.close, !primary || primary === CLOSE || isPressedAgain(card));
    const about = `${words.kindWord(card.kind)} ${card.premises}`;
    if (primary) {
      const label = view.sending ? "Sending…" : primary.label;
      setData(p.primary, "verb", primary.verb);
      setText(p.primaryLabel, label);
      setText(p.primaryKey, view.sending ? "" : primary.key);
      setHidden(p.primaryKey, Boolean(view.sending) || !primary.key);
      p.primary.setAttribute("aria-label", `${label} ${about}`);
    }
    for (const [one, word] of [[p.assign, "Assign"], [p.note, "Note on"], [p.going, "Who is coming to"], [p.close, "Close"]]) {
      one.setAttribute("aria-label", `${word} ${about}`);
    }
    // Not "disabled": that would lose the focus after a press by key.
    for (const one of [p.primary, p.assign, p.going, p.close]) one.setAttribute("aria-disabled", String(Boolean(view.sending)));
  }

  #drawMore(card, nowMs) {
    const signature = `${card.revision}/${card.history.length}/${card.members.length}`;
    if (signature === this.#openSignature) return;
    this.#openSignature = signature;
    const members = card.members.map((line) =>
      element("li", "", element("span", "num", words.clock(Date.parse(line.at))), " ", name(line.premises), ` ${words.responseWord(line.response)}`));
    const history = card.history.map((line) => element("li", "", ...historyLine(line, nowMs)));
    this.#parts.more.replaceChildren(
      element("div", "card-list", element("h4", "", "History"), history.length ? element("ol", "", ...history) : element("p", "", "Nothing yet.")),
      element("div", "card-list", element("h4", "", "Other members"), members.length ? element("ul", "", ...members) : element("p", "", "No response yet.")),
      element("p", "card-id num", `Incident ${card.incident}`, ...statementLink(card)),
    );
  }
}

// Who did what, newest first: closing, setting out and answering may be by three people.
function acts(card) {
  const done = [];
  const clock = (text) => words.clock(Date.parse(text));
  if (card.state === "unanswered") return done;
  const isClosed = card.state === "closed";
  if (isClosed) done.push({ word: `CLOSED: ${card.outcome} –`, who: card.closed_by ? words.byWhom(card.closed_by) : "", when: card.closed_at ? clock(card.closed_at) : "" });
  if (card.coming && card.state !== "answered") {
    const said = card.coming_said_by && !isSame(card.coming, card.coming_said_by) ? `, reported ${words.byWhom(card.coming_said_by)}` : "";
    done.push({ word: isClosed ? "On the way:" : "ON THE WAY:", who: words.personWords(card.coming), when: `${card.coming_at ? clock(card.coming_at) : ""}${said}` });
  }
  const isAllAutomatic = isClosed && [card.closed_by, card.answered_by].every((by) => by && words.isAutomatic(by));
  if (card.answered_by && !isAllAutomatic) {
    const after = card.answered_after_s === null ? "" : `, after ${words.span(1000 * card.answered_after_s)}`;
    const when = card.answered_at ? `${clock(card.answered_at)}${after}` : "";
    done.push({ word: done.length ? "Answered" : "ANSWERED", who: words.byWhom(card.answered_by), when });
  }
  return done;
}

function historyLine(line, nowMs) {
  const parts = [element("span", "num", words.clockAndDay(Date.parse(line.at), nowMs)), ` ${words.historyWord(line.what)}`];
  if (line.text) parts.push(": ", name(line.text));
  if (line.about) parts.push(`, ${line.about}`);
  if (line.by && !words.isAutomatic(line.by)) parts.push(" – ", words.roleTitle(line.by.role), " ", name(line.by.name));
  return parts;
}

// The office makes it: there the incident is written down, or stands already. It lets in nobody else.
function statementLink(card) {
  const isTheirs = me.roles.includes("co-ordinator") || me.roles.includes("police");
  if (!words.officeUrl || !isTheirs || words.isTest(card) || card.priority > 3) return [];
  const link = element("a", "", "Statement for the police");
  const seen = new URLSearchParams({ kind: card.kind, at: card.pressed_at ?? card.arrived_at });
  link.href = `${words.officeUrl}incidents/${card.incident}/?${seen}`;
  link.target = "_blank";
  link.rel = "noreferrer";
  return [" · ", link];
}

function button(verb, classes, ...children) {
  const made = element("button", classes, ...children);
  made.type = "button";
  made.dataset.verb = verb;
  return made;
}

function letter(verb, key, label) {
  return button(verb, "button card-letter", element("kbd", "", key), element("span", "", label));
}
