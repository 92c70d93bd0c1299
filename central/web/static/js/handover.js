// What somebody who comes on duty finds: alerts that are open, units out of order, and what those before them left. It
// stays until they say that they have read it. Whoever goes is shown the same alerts.

import { byId, element, name, setHidden, setText } from "./dom.js";
import { isSame } from "./model.js";
import { needsLook } from "./paths.js";
import * as words from "./words.js";

const NAMED = 5;
const NOTES = 8;
const WELL = ["ok", "revoked"];

export class HandoverView {
  #drawn = "";
  #announcer;

  constructor(announcer) {
    this.#announcer = announcer;
  }

  // me: of this browser, or null
  draw(model, me, nowMs) {
    const mine = model.onDuty.find((one) => isSame(one, me));
    if (mine?.is_unread && byId("handover").hidden) this.#announcer.status("The handover stands below the unanswered alerts");
    setHidden(byId("handover"), !mine?.is_unread);
    if (!mine?.is_unread) return;
    setText(byId("handover-open"), openWords(model) || "No alert is open.");
    setText(byId("handover-units"), unitWords(model));
    const left = before(model.wentOff, mine).map((one) => [words.personWords(one), words.minuteAndDay(Date.parse(one.at), nowMs), one.note ?? ""]);
    if (JSON.stringify(left) === this.#drawn) return;
    this.#drawn = JSON.stringify(left);
    const none = element("li", "", "Nobody was on duty before you in the last seven days.");
    byId("handover-notes").replaceChildren(...(left.length ? left.map(noteLine) : [none]));
  }
}

// "2 alerts are open, 1 unanswered: ATTACK Echo Club, THEFT Bakery."; empty if there is none. Tests do not count.
export function openWords(model) {
  const open = [...model.unanswered(), ...model.inHand()].filter((card) => !words.isTest(card));
  if (!open.length) return "";
  const waiting = open.filter((card) => card.state === "unanswered").length;
  return `${open.length === 1 ? "1 alert is" : `${open.length} alerts are`} open, ${waiting} unanswered: ${named(open, (card) => `${words.kindWord(card.kind)} ${card.premises}`)}`;
}

function unitWords(model) {
  const wrong = model.premises().filter((node) => !WELL.includes(node.state) || needsLook(node));
  if (!wrong.length) return "All units are in order.";
  return `${wrong.length === 1 ? "1 unit needs" : `${wrong.length} units need`} a look: ${named(wrong, (node) => `${node.premises} (${words.healthWord(node.state)})`)}`;
}

const named = (some, say) => `${some.slice(0, NAMED).map(say).join(", ")}${some.length > NAMED ? " …" : "."}`;

// The latest first, those of the same role on top: all since this person went off duty themselves.
function before(wentOff, mine) {
  const own = wentOff.findLastIndex((one) => isSame(one, mine));
  const others = wentOff.slice(own + 1).reverse();
  const isOfRole = (one) => one.role === mine.role;
  return [...others.filter(isOfRole), ...others.filter((one) => !isOfRole(one))].slice(0, NOTES);
}

function noteLine([who, at, note]) {
  return element("li", "", element("strong", "", name(who)), ` until ${at}: `, ...(note ? ["“", name(note), "”"] : ["no note."]));
}
