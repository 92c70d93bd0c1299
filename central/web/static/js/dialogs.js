// The dialogs: who is on duty, assign, who is on the way, note, close, help. Opened only by a press or key, left with
// Esc; the focus then goes back to where it was.

import { byId, element, name, setText } from "./dom.js";
import { roles } from "./words.js";

export class Dialogs {
  #back = null;

  constructor() {
    for (const dialog of document.querySelectorAll("dialog")) {
      dialog.addEventListener("click", (event) => {
        if (event.target.closest("[data-cancel]")) dialog.close();
      });
      dialog.addEventListener("close", () => this.#giveBack());
    }
  }

  get isOpen() {
    return document.querySelector("dialog[open]") !== null;
  }

  // submit(values) → sentence to show and stay open, or null when done.
  ask(which, { about = "", label = null, values = {}, people = null, submit }) {
    const dialog = byId(`dialog-${which}`);
    if (this.isOpen) return;
    const form = dialog.querySelector("form");
    form.reset();
    if (people) offer(dialog, people);
    for (const [field, value] of Object.entries(values)) if (value) fill(form.elements[field], value);
    const aboutNode = dialog.querySelector("[data-about]");
    if (aboutNode) setText(aboutNode, about);
    const button = dialog.querySelector("[data-submit]");
    button.dataset.word ??= button.textContent;
    const ready = () => {
      setText(button, label ?? button.dataset.word);
      button.setAttribute("aria-disabled", "false");
    };
    ready(); // it may have been left while it was sending
    const told = dialog.querySelector(".dialog-error");
    setText(told, "");
    const sent = async (event) => {
      event.preventDefault();
      if (button.getAttribute("aria-disabled") === "true") return;
      setText(told, "");
      button.setAttribute("aria-disabled", "true");
      setText(button, "Sending…");
      const reason = await submit(Object.fromEntries(new FormData(form)), people);
      if (form.onsubmit !== sent) return; // the window has been opened for something else since
      ready();
      if (reason) setText(told, reason);
      else dialog.close();
    };
    form.onsubmit = sent;
    this.#open(dialog);
  }

  help() {
    if (!this.isOpen) this.#open(byId("dialog-help"));
  }

  suggestAssignees(people) {
    const names = [...people.map((person) => person.name), ...Object.values(roles)];
    byId("assign-to").replaceChildren(...[...new Set(names)].map((text) => {
      const option = element("option");
      option.value = text;
      return option;
    }));
  }

  #open(dialog) {
    this.#back = document.activeElement;
    setText(dialog.querySelector(".dialog-alert"), "");
    dialog.showModal();
    dialog.querySelector("input[type=radio]:checked")?.focus();
  }

  // Told a moment after it was shut: somebody may have gone on by then.
  #giveBack() {
    if (document.activeElement !== document.body) return;
    if (this.#back?.isConnected) this.#back.focus({ preventScroll: true });
  }
}

// A group of one radio is that radio, not a group.
function fill(field, value) {
  if (field.type === "radio") field.checked = field.value === value;
  else field.value = value;
}

// People to choose from by their place in the list; typing a name chooses "Someone else".
function offer(dialog, people) {
  const choices = people.map((person, i) => {
    const input = element("input");
    Object.assign(input, { type: "radio", name: "who", value: String(i), required: true });
    return element("label", "choice", input, name(`${roles[person.role]} ${person.name}`));
  });
  dialog.querySelector("[data-people]").replaceChildren(...choices);
  const other = dialog.querySelector("[name=who][value=other]");
  for (const field of dialog.querySelectorAll(".other select, .other input")) field.oninput = () => (other.checked = true);
}
