// Sends one action and reports its outcome truly: done (in which change), refused (why), or not known.

import { leave, me, SIGNED_OUT } from "./account.js";
import { HEADERS, TIMEOUT_MS } from "./post.js";

// role: of the person's own; who acts, central knows by the session; the account says only whose page this is.
export async function send(action, role) {
  let answer;
  try {
    answer = await fetch("/actions", {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ action, role, account: me.account }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const outcome = await answer.json();
    if (answer.status === SIGNED_OUT) leave();
    if (answer.ok) return { sequence: outcome.sequence, left: outcome.left ?? 0, untouched: outcome.untouched ?? 0 };
    return { reason: outcome.reason ?? `Central answered ${answer.status}.` };
  } catch {
    // The request may have arrived without an answer: never say that it did not.
    return { reason: "Central did not answer. This may or may not have been done: watch the card." };
  }
}
