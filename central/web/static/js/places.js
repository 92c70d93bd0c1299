// What the office knows of the premises, on its card: the first lines always, the rest when somebody opens it. Phone
// numbers are text: whoever rings has a phone in hand.

import { element, name, setHidden } from "./dom.js";

export class PlaceView {
  #summary = element("summary", "place-first");
  #rest = element("dl", "place-rest");
  #drawn = null;
  node = element("details", "place", this.#summary, this.#rest);

  constructor() {
    this.node.hidden = true;
  }

  // place: a line of the board's premises; null: the office knows none, or it is not this person's.
  update(place) {
    if (place === this.#drawn) return;
    this.#drawn = place;
    setHidden(this.node, !place);
    this.#summary.replaceChildren(...(place ? firstLines(place) : []));
    this.#rest.replaceChildren(...(place ? rest(place) : []));
  }
}

function firstLines(place) {
  const first = [place.address, (place.when_going ?? "").split("\n")[0]].filter(Boolean);
  return (first.length ? first : [`About ${place.name}`]).map((text) => name(text, "fact"));
}

function rest(place) {
  const told = [
    ["Staff, during an alert", lines(place.staff_contact)],
    ["When going there", lines(place.when_going)],
    ["Open", lines(place.opening_hours)],
    ["Contacts", (place.contacts ?? []).map(contact)],
    ["Address", lines(place.address)],
    ["On the map", "latitude" in place && "longitude" in place ? [name(`${place.latitude.toFixed(5)}, ${place.longitude.toFixed(5)}`, "num")] : []],
  ];
  return told.filter(([, values]) => values.length).map(([title, values]) => element("div", "", element("dt", "", title), ...values.map((value) => element("dd", "", value))));
}

function lines(text) {
  return (text ?? "").split("\n").filter(Boolean).map((line) => name(line));
}

function contact(one) {
  const parts = [name(one.name)];
  if (one.phone) parts.push(" ", name(one.phone, "num"));
  if (one.is_key_holder) parts.push(" – key-holder");
  if (one.note) parts.push(" – ", name(one.note));
  return element("span", "", ...parts);
}
