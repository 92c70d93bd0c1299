// Announcements for screen readers. The live regions are in the page from the start; urgent news is announced at once,
// the rest in batches, so that a busy night does not talk over itself. An open dialog silences the page behind it, so
// urgent news goes into the dialog too, where all can read it.

import { byId, element, setText } from "./dom.js";

const BATCH_MS = 3000;
const KEPT = 6;

export class Announcer {
  #batch = [];
  #timer = 0;

  urgent(text) {
    const region = byId("say-alert");
    const line = element("p");
    setText(line, text);
    region.append(line);
    while (region.childElementCount > KEPT) region.firstElementChild.remove();
    const inWindow = document.querySelector("dialog[open] .dialog-alert");
    if (inWindow) setText(inWindow, text);
  }

  status(text) {
    if (!this.#batch.includes(text)) this.#batch.push(text);
    if (!this.#timer) this.#timer = setTimeout(() => this.#say(), BATCH_MS);
  }

  #say() {
    this.#timer = 0;
    const texts = this.#batch.splice(0);
    const said = texts.length > 4 ? [...texts.slice(0, 4), `and ${texts.length - 4} more changes`] : texts;
    setText(byId("say-status"), said.join(". "));
  }
}
