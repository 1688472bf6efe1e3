// What this browser remembers, and what this page does until it is closed. Storage
// may be forbidden; then nothing is kept, and nothing depends on it.

export function remembered(key: string): string | null {
  return read(() => localStorage, key);
}

export function remember(key: string, value: string): void {
  write(() => localStorage, key, value);
}

/** As `remembered`, of this page alone. */
export function rememberedHere(key: string): string | null {
  return read(() => sessionStorage, key);
}

/** As `remember`, for this page alone. */
export function rememberHere(key: string, value: string): void {
  write(() => sessionStorage, key, value);
}

function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

function write(storage: () => Storage, key: string, value: string): void {
  try {
    storage().setItem(key, value);
  } catch {
    // Not kept.
  }
}
