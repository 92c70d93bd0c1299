// Small pieces of drawing: only what differs is changed, so that neither finger nor focus loses its place.
export const make = (name, text = "") => { const element = document.createElement(name); element.textContent = text; return element; };
export const set = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };

// Brings a list to these entries, newest first; what stays is the same element. A list under a finger waits: a button
// that moved or was made anew between the press and the release would never be clicked.
export function fill(list, entries, keyOf, line) {
  if (list.matches(":active")) return;
  const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const wanted = entries.map((entry) => {
    const key = keyOf(entry);
    const item = before.get(key) ?? line(entry);
    before.delete(key); // said twice, a line has two elements
    item.dataset.key = key;
    return item;
  });
  for (const item of [...list.children]) if (!wanted.includes(item)) item.remove();
  // From the end, so that an entry at the top is put in and those that stay are not moved: moving takes the focus.
  wanted.reduceRight((next, item) => {
    if (item.parentNode !== list || item.nextSibling !== next) list.insertBefore(item, next);
    return item;
  }, null);
}
