// The demo's authenticator: asks for the codes once a second, and draws what differs.
import { set } from "./dom.js";

async function draw() {
  const answer = await fetch("/authenticator.json").catch(() => null);
  if (!answer?.ok) return set(document.getElementById("lost"), "The demo does not answer. These codes may be old.");
  const codes = await answer.json();
  set(document.getElementById("lost"), "");
  set(document.querySelector("[data-seconds]"), String(codes.seconds));
  for (const line of codes.lines) set(document.querySelector(`[data-code="${CSS.escape(line.username)}"]`), line.code);
}

setInterval(draw, 1000);
