// The line that is always in sight: the most urgent unanswered alert, the acknowledgement that can be undone, and whether
// the page is quiet. Its space is reserved, so that nothing moves when it appears.

import { byId, setData, setHidden, setShape, setText } from "./dom.js";
import { isPressedAgain, isSame, pressedBehind, rank } from "./model.js";
import * as words from "./words.js";

const URGENT = 2; // P1 and P2; the rest can wait in the list

export class Strip {
  #parts;
  urgent = null; // the key of the card that the line names
  undoable = null; // the card whose acknowledgement this person may undo

  constructor(parts) {
    this.#parts = parts;
  }

  draw(isLive) {
    const { model, sound } = this.#parts;
    const quietS = Math.ceil(sound.quietLeftS);
    setText(byId("quiet-state"), quietS ? `QUIET ${quietS} s – a new attack still sounds` : "");
    setHidden(byId("quiet-state"), !quietS);
    if (model.isEmpty) return;
    this.#drawUrgent(model, isLive);
    this.#drawUndo();
  }

  #drawUrgent(model, isLive) {
    const waiting = model.unanswered();
    const first = waiting[0];
    const isUrgent = first && rank(first) <= URGENT;
    const behind = waiting.map(pressedBehind).filter(Boolean);
    const again = [...behind, ...model.inHand().filter(isPressedAgain)].find((card) => rank(card) <= URGENT);
    const named = again && (!isUrgent || rank(again) < rank(first)) ? again : isUrgent ? first : null;
    this.urgent = named?.key ?? null;
    setHidden(byId("urgent"), !named);
    setHidden(byId("calm"), Boolean(named));
    setText(byId("calm"), isLive ? "Nothing urgent is unanswered" : "");
    if (!named) return;
    const level = words.level(named).toLowerCase();
    setData(byId("urgent"), "level", level);
    setShape(byId("urgent").firstElementChild, `shape-${level}`);
    setText(byId("urgent-name"), named.premises);
    setText(byId("urgent-word"), named === again ? `${words.kindWord(named.kind)} PRESSED AGAIN:` : unansweredWords(waiting.filter((card) => rank(card) === rank(named))));
  }

  #drawUndo() {
    const { model, duty, clock } = this.#parts;
    const mine = model.inHand().filter((card) => card.undo_until && isSame(card.answered_by, duty.me) && leftMs(card, clock) > 0);
    this.undoable = mine.reduce((newest, card) => (!newest || card.undo_until > newest.undo_until ? card : newest), null);
    setHidden(byId("undo"), !this.undoable);
    if (!this.undoable) return;
    const about = `${words.kindWord(this.undoable.kind)} ${this.undoable.premises}`;
    setText(byId("undo-left"), `${Math.ceil(leftMs(this.undoable, clock) / 1000)} s`);
    byId("undo").title = about;
    byId("undo").setAttribute("aria-label", `Undo acknowledge ${about}`);
  }
}

const leftMs = (card, clock) => Date.parse(card.undo_until) - clock.now();

// "1 ATTACK unanswered:", "2 ATTACKS unanswered:"; of several kinds, their priority.
function unansweredWords(cards) {
  const kinds = new Set(cards.map((card) => card.kind));
  const word = kinds.size === 1 ? `${words.kindWord(cards[0].kind)}${cards.length === 1 ? "" : "S"}` : words.level(cards[0]);
  return `${cards.length} ${word} unanswered:`;
}
