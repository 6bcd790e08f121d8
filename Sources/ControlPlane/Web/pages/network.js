// When the browser's network changes, and waiting that ends when it does.

export const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

const handlers = new Set();
const tell = () => [...handlers].forEach(handler => handler());

addEventListener('online', tell);
// It also changes with every new estimate of rates and round trips, which are no other network.
let kind = navigator.connection?.type;
navigator.connection?.addEventListener('change', () => {
  if (navigator.connection.type !== kind && navigator.onLine) tell();
  kind = navigator.connection.type;
});

/** Calls `handler` whenever there is a network again, or another one; returns what ends that. */
export function whenChanged(handler) {
  handlers.add(handler);
  return () => handlers.delete(handler);
}

/** So long, or until the network changes: whether it did. */
export function pause(milliseconds) {
  return new Promise(resolve => {
    const stop = whenChanged(() => finish(true));
    const timer = setTimeout(() => finish(false), milliseconds);
    const finish = hasChanged => { clearTimeout(timer); stop(); resolve(hasChanged); };
  });
}
