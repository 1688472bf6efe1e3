// What this browser remembers. Storage may be forbidden; then nothing is kept.

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Not kept, and nothing depends on it.
  }
}
