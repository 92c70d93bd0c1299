// Small ways to build and change elements. Text only ever goes in as text: no markup from data, anywhere.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function element(tag, classes = "", ...children) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  made.append(...children);
  return made;
}

// A foreign name, isolated so that it cannot change the text direction around it.
export function name(text, classes = "") {
  const made = element("bdi", classes);
  made.textContent = text;
  return made;
}

export function shape(id) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#${id}`);
  svg.append(use);
  return svg;
}

export function setShape(svg, id) {
  const use = svg.firstElementChild;
  if (use.getAttribute("href") !== `#${id}`) use.setAttribute("href", `#${id}`);
}

// If one thing cannot be drawn, the rest of the page goes on, and the console says why.
export function spare(draw, instead = () => {}) {
  try {
    draw();
  } catch (error) {
    console.error("cannot be drawn", error);
    instead();
  }
}

// Writing the same text again would make a screen reader or a layout do work for nothing.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setHidden(node, isHidden) {
  if (node.hidden !== isHidden) node.hidden = isHidden;
}

export function setData(node, key, value) {
  if (node.dataset[key] !== value) node.dataset[key] = value;
}

// Puts `wanted` into `list`, in order, moving as few as possible and keeping the focus. Other elements stay until
// `prune`: another list may want one of them, with the focus in it.
export function arrange(list, wanted) {
  const keep = new Set(wanted);
  let place = list.firstElementChild;
  for (const child of wanted) {
    while (place && !keep.has(place)) place = place.nextElementSibling;
    if (child === place) place = place.nextElementSibling;
    else move(list, child, place);
  }
}

export function prune(list, wanted) {
  const keep = new Set(wanted);
  for (const child of [...list.children]) if (!keep.has(child)) child.remove();
}

// Not Element.moveBefore, though it would keep the focus by itself: in Chromium 156 a card that is changed and moved
// by it in one go keeps the colours of its old state, so that an answered alert looks unanswered.
function move(list, child, before) {
  const focused = child.contains(document.activeElement) ? document.activeElement : null;
  list.insertBefore(child, before);
  if (focused && list.isConnected) focused.focus({ preventScroll: true });
}
