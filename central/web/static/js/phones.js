// Lets this phone wake its owner: installs the service worker, subscribes at the browser's push service, and tells
// central where that is.

import { byId, setHidden, setText } from "./dom.js";
import { post } from "./post.js";

const NO_PUSH =
  "This browser cannot be woken. On an iPhone or iPad, first add the control room to the Home Screen (Share, then Add to Home Screen), and open it from there. On another computer, open the control room by its https address.";
const BLOCKED = "Notifications from this page are blocked. Allow them in the browser’s settings for this site, then try again.";

const button = byId("wake");
const said = byId("wake-said");
const key = button?.dataset.key ?? "";

document.documentElement.dataset.script = "on";
if (button) {
  const isAble = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  if (isAble) setHidden(button, false);
  else setText(said, NO_PUSH);
  button.addEventListener("click", () => busy(button, subscribe));
  if (isAble) markOwn();
}
for (const one of document.querySelectorAll("button[data-act]")) {
  one.addEventListener("click", () => busy(one, () => post(`/phones/${one.dataset.act}`, { phone: one.dataset.phone })));
}

// act returns what went wrong; otherwise central's page says how things stand.
async function busy(pressed, act) {
  if (pressed.getAttribute("aria-disabled") === "true") return;
  pressed.setAttribute("aria-disabled", "true");
  setText(said, "");
  const wrong = await act();
  if (wrong) {
    setText(said, wrong);
    pressed.setAttribute("aria-disabled", "false");
  } else {
    location.reload();
  }
}

// Of four phones, which is in the hand? The others may be the lost one.
async function markOwn() {
  const registration = await navigator.serviceWorker.getRegistration();
  navigator.serviceWorker.addEventListener("message", () => location.reload());
  navigator.serviceWorker.startMessages();
  registration?.active?.postMessage("renew");
  const endpoint = (await registration?.pushManager.getSubscription())?.endpoint;
  for (const line of document.querySelectorAll("li[data-endpoint]")) {
    setHidden(line.querySelector("[data-own]"), line.dataset.endpoint !== endpoint);
  }
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") return BLOCKED;
  let subscription;
  try {
    await navigator.serviceWorker.register(worker());
    const registration = await navigator.serviceWorker.ready;
    // Of another key it would be refused at each message.
    await (await registration.pushManager.getSubscription())?.unsubscribe();
    subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  } catch (error) {
    return `The browser’s push service did not answer (${error.name}). Check the phone’s network and try again.`;
  }
  const { endpoint, keys } = subscription.toJSON();
  return post("/phones/add", { endpoint, p256dh: keys.p256dh, auth: keys.auth });
}

// This page may load scripts from nowhere else: the policy knows one address.
function worker() {
  if (!window.trustedTypes) return "/sw.js";
  return window.trustedTypes.createPolicy("watchlink-worker", { createScriptURL: () => "/sw.js" }).createScriptURL("");
}

const bytes = (coded) => Uint8Array.from(atob(coded.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
