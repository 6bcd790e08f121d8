// When the browser's network changes, and waiting that ends when it does.

export const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

const targets = [globalThis, navigator.connection].filter(Boolean);

/** Calls `handler` whenever there is a network again, or another one. */
export function whenChanged(handler) {
  for (const target of targets) target.addEventListener(target === globalThis ? 'online' : 'change', handler);
}

/** Resolves at the next change. */
export const changed = () => new Promise(resolve => { waiting.push(resolve); });

let waiting = [];
whenChanged(() => {
  const all = waiting;
  waiting = [];
  all.forEach(resolve => resolve());
});
