// What this browser remembers between visits. Shared by its tabs; never needed: storage may be switched off.

const PREFIX = "watchlink.";

export function remembered(name, otherwise) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Storage is switched off or full: the setting holds for this visit.
  }
}

// The theme is read by a plain script before the first paint, so it is stored without quotes.
export function rememberTheme(theme) {
  try {
    localStorage.setItem(`${PREFIX}theme`, theme);
  } catch {
    // As above.
  }
}

export function onOtherTab(name, then) {
  window.addEventListener("storage", (event) => {
    if (event.key === PREFIX + name) then();
  });
}
