// A breach in two taps: here now, and whether they left. Nothing is called sent before the unit says so.
import { asked } from "./ask.js";

const box = document.getElementById("report");
const first = document.getElementById("report-first");

let incident = "";
let told = "";
let office = "";

// How it goes on, as the unit says it.
export function showProgress(progress) {
  const [isAtCentral, words] = progress[incident] ?? [false, ""];
  if (!incident || !words || words === told) return;
  told = words;
  const said = document.getElementById("report-said");
  said.dataset.state = isAtCentral ? "sent" : "saved";
  const strong = document.createElement("strong");
  strong.textContent = words;
  said.replaceChildren(strong, `In danger, use the radio or call 999. ${office}`);
}

if (first !== null) {
  const here = document.getElementById("here-now");
  const left = document.getElementById("left");
  const said = document.getElementById("report-said");

  // Kept when the same is pressed again because page or unit did not answer: nothing is raised twice. Another answer
  // is another report: under the first one's id it would be called sent, and be lost.
  const draw = () => [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  let id = "";
  let saidBefore = "";

  const say = (state, what, toDo) => {
    said.dataset.state = state;
    const strong = document.createElement("strong");
    strong.textContent = what;
    said.replaceChildren(strong, toDo);
  };
  const report = async (kind, leftWhenAsked) => {
    if (box.dataset.isReporting) return;
    box.dataset.isReporting = "yes";
    for (const button of box.querySelectorAll("button")) button.disabled = true;
    say("sending", "Sending…", "");
    const saidNow = `${kind} ${leftWhenAsked}`;
    if (saidNow !== saidBefore) id = draw();
    saidBefore = saidNow;
    try {
      const data = { report: id, kind, scheme: Number(box.dataset.scheme), case: Number(box.dataset.case), left: leftWhenAsked };
      const answer = await asked("/report", data);
      office = answer.office;
      say(answer.state, answer.what, `${answer.to_do} ${office}`);
      incident = answer.incident;
      told = "";
      if (answer.state !== "unknown") id = draw();
      if (!["impossible", "unknown"].includes(answer.state)) {
        first.hidden = true;
        left.hidden = true;
      }
    } catch {
      say("unknown", "It is not known whether this was sent.", "Use the panic button, or call 999.");
    }
    for (const button of box.querySelectorAll("button")) button.disabled = false;
    delete box.dataset.isReporting;
  };
  here.addEventListener("click", () => {
    left.hidden = !left.hidden;
    here.setAttribute("aria-expanded", String(!left.hidden));
    if (!left.hidden) left.scrollIntoView({ block: "nearest" });
  });
  for (const button of left.querySelectorAll("[data-left]")) {
    button.addEventListener("click", () => report("breach", button.dataset.left));
  }
  document.getElementById("seen-nearby").addEventListener("click", () => report("sighting", null));
}
