// Cropping a face by dragging: fills in the numbers, which do it all without this file, too.
"use strict";

const form = document.querySelector("[data-crop-form]");
const picture = document.querySelector("[data-crop-picture]");
const box = document.querySelector("[data-crop-box]");

if (form && picture && box) {
  const RATIO = 4 / 3;
  const WIDTH_MIN = 48;
  const field = (name) => form.elements[name];
  const { width: across, height: down } = picture.viewBox.baseVal;
  const widthMax = Math.min(across, Math.floor((down * 3) / 4));
  const corner = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  corner.setAttribute("class", "crop-corner");
  picture.append(corner);
  let drag = null;

  const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

  function read() {
    const width = clamp(Math.round(Number(field("width").value)) || widthMax, WIDTH_MIN, widthMax);
    return { left: Number(field("left").value) || 0, top: Number(field("top").value) || 0, width };
  }

  function draw({ left, top, width }) {
    const knob = Math.max(across, down) / 40;
    for (const [name, value] of Object.entries({ x: left, y: top, width, height: width * RATIO })) box.setAttribute(name, value);
    for (const [name, value] of Object.entries({ x: left + width - knob, y: top + width * RATIO - knob, width: 2 * knob, height: 2 * knob })) corner.setAttribute(name, value);
    box.setAttribute("visibility", "visible");
  }

  function set({ left, top, width }) {
    const wide = clamp(Math.round(width), WIDTH_MIN, widthMax);
    const high = Math.min(Math.round(wide * RATIO), down);
    const next = { left: clamp(Math.round(left), 0, across - wide), top: clamp(Math.round(top), 0, down - high), width: wide };
    for (const [name, value] of Object.entries(next)) field(name).value = value;
    field("proposal").value = "own";
    draw(next);
  }

  function at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    return { x: point.x, y: point.y };
  }

  picture.addEventListener("pointerdown", (event) => {
    const from = at(event);
    const start = read();
    const isInside = event.target === box;
    if (event.target !== corner && !isInside) {
      // Pressed elsewhere: the frame comes there.
      set({ ...start, left: from.x - start.width / 2, top: from.y - (start.width * RATIO) / 2 });
    }
    drag = { isResize: event.target === corner, from, start: read() };
    picture.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  picture.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const to = at(event);
    const { isResize, from, start } = drag;
    if (isResize) {
      const room = Math.min(across - start.left, ((down - start.top) * 3) / 4);
      set({ ...start, width: Math.min(start.width + to.x - from.x, room) });
    } else {
      set({ ...start, left: start.left + to.x - from.x, top: start.top + to.y - from.y });
    }
  });
  for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, () => { drag = null; });
  for (const name of ["left", "top", "width"]) {
    field(name).addEventListener("input", () => {
      field("proposal").value = "own";
      draw(read());
    });
  }

  // A proposal is where fine adjustment begins.
  form.addEventListener("change", (event) => {
    const view = event.target.closest(".proposal")?.querySelector("svg")?.viewBox.baseVal;
    if (!view) return;
    for (const [name, value] of [["left", view.x], ["top", view.y], ["width", view.width]]) field(name).value = value;
    draw(read());
  });

  picture.setAttribute("data-is-live", "");
  document.querySelector("[data-crop-hint]").hidden = false;
  draw(read());
}
