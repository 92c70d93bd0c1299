// The service worker: shows that something waits, and opens it. It keeps nothing and fetches nothing: what is shown as
// live must be live. What a notice says is in docs/notifier.md.

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
