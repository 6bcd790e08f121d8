// Files that the page makes itself and hands to whoever sits before it: nothing leaves the browser.

export function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], {type}));
  Object.assign(document.createElement('a'), {href: url, download: name}).click();
  // Not at once: the browser reads it when it begins to save.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Text as a part of a file name that every system takes. */
export const fileName = text => String(text).replace(/[^A-Za-z0-9._~-]+/g, '-').replace(/^\.+/, '') || 'cascade';
