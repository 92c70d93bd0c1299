// Who is asked now about an unanswered alert, by each scheme's policy: how long for, and who is next. NOBODY is loud.

import { element, setHidden } from "./dom.js";
import * as words from "./words.js";

const NAMED_MAX = 3;

export class AskingView {
  node = element("div", "card-asking");
  #drawn = "";

  // nextShifts: by the rota, the earliest first
  draw(card, nextShifts, nowMs) {
    const lines = card.state === "unanswered" ? (card.asking ?? []).map((line) => askingWords(line, nextShifts, nowMs)) : [];
    const signature = JSON.stringify(lines);
    if (signature === this.#drawn) return;
    this.#drawn = signature;
    this.node.replaceChildren(...lines.map(({ loud, text }) => element("p", loud ? "is-loud" : "", ...(loud ? [element("strong", "", loud), " "] : []), text)));
    setHidden(this.node, !lines.length);
  }
}

function askingWords(line, nextShifts, nowMs) {
  if (!line.role) return { loud: `NOBODY TO ASK (${line.scheme_name}).`, text: nextShiftWords(nextShifts, [line.scheme], nowMs) };
  const names = (line.names ?? []).slice(0, 3).join(", ");
  const more = (line.names ?? []).length > 3 ? ` and ${line.names.length - 3} more` : "";
  const leftS = Math.max(0, Math.ceil((Date.parse(line.until) - nowMs) / 1000));
  const round = (line.round ?? 1) > 1 ? `, round ${line.round}` : "";
  const place = `step ${line.step ?? 1} of ${line.steps ?? 1}${round}`;
  return { loud: "", text: `Asking (${line.scheme_name}, ${place}): ${words.roleTitle(line.role)} ${names}${more} – ${leftS} s, then ${words.roleTitle(line.next_role)}` };
}

// schemes: whose; null = of all that this page sees
export function nextShiftWords(nextShifts, schemes, nowMs) {
  const next = nextShifts.find((one) => schemes === null || schemes.includes(one.scheme));
  if (!next) return "No shift to come is known from the rota.";
  return `Next by the rota: ${words.roleTitle(next.role)} ${next.name}, ${words.minuteAndDay(Date.parse(next.begins_at), nowMs)}.`;
}

// Of shifts that have begun and whose person is not on duty.
export function missingWords(missing, nowMs) {
  const some = missing.slice(0, NAMED_MAX).map((one) => `${words.roleTitle(one.role).replace(/ on duty$/, "")} ${one.name}, shift since ${words.minuteAndDay(Date.parse(one.begins_at), nowMs)}`);
  const more = missing.length > NAMED_MAX ? ` and ${missing.length - NAMED_MAX} more` : "";
  return `NOT ON DUTY: ${some.join("; ")}${more}.`;
}
