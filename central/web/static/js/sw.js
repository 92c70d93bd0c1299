// The service worker: shows that something waits, and opens it. It keeps nothing, and fetches nothing that is shown: what
// is shown as live must be live. What a notice says is in docs/notifier.md.

const SENTENCES = {
  alert: "An alert waits.",
  drill: "A drill waits.",
  shift: "Your shift begins.",
  test: "A test. Tap here to show that it reached you.",
};
const REFERENCE = /^[A-Za-z0-9_-]{1,64}$/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  // Browsers want something shown for each message; what cannot be read may have been an alert.
  let told = null;
  try {
    told = event.data.json();
  } catch {}
  const occasion = Object.hasOwn(SENTENCES, told?.occasion) ? told.occasion : "alert";
  const reference = typeof told?.reference === "string" && REFERENCE.test(told.reference) ? told.reference : "";
  event.waitUntil(
    self.registration.showNotification("Watchlink", {
      body: SENTENCES[occasion],
      icon: "/static/icon.svg",
      tag: `watchlink-${occasion}`,
      renotify: true,
      requireInteraction: occasion === "alert",
      data: { reference },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { reference } = event.notification.data;
  event.waitUntil(self.clients.openWindow(reference ? `/wake/${reference}` : "/"));
});

// Browsers change their subscription when they like. What central holds then leads nowhere, and nobody hears an alert.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew()));
// From a page that was opened: some browsers change it without a word.
self.addEventListener("message", (event) => {
  if (event.data === "renew") event.waitUntil(renew().then((isRenewed) => isRenewed && event.source?.postMessage("renewed")));
});

// Resolves to whether central holds another one now.
async function renew() {
  const { endpoint, key } = await (await fetch("/phones/mine")).json();
  // Signed out, or this browser is none of the person's phones: nothing is subscribed that nobody asked for.
  if (!endpoint || !key) return false;
  const push = self.registration.pushManager;
  const subscription = (await push.getSubscription()) ?? (await push.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  if (subscription.endpoint === endpoint) return false;
  const { keys } = subscription.toJSON();
  const answered = await fetch("/phones/renew", {
    method: "POST",
    headers: { "content-type": "application/json", "x-watchlink": "1" },
    body: JSON.stringify({ endpoint: subscription.endpoint, p256dh: keys.p256dh, auth: keys.auth }),
  });
  return answered.ok;
}
