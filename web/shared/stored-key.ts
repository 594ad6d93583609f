/** Where the API key lives in the browser: in this tab only, unless the reader asks for it to be remembered. */

const SLOT = 'darkroom:api-key';

export interface StoredKey {
  key: string;
  remember: boolean;
}

export function loadKey(): StoredKey {
  const remembered = localStorage.getItem(SLOT);
  return { key: sessionStorage.getItem(SLOT) ?? remembered ?? '', remember: remembered !== null };
}

export function saveKey({ key, remember }: StoredKey): void {
  sessionStorage.removeItem(SLOT);
  localStorage.removeItem(SLOT);
  if (key) (remember ? localStorage : sessionStorage).setItem(SLOT, key);
}

/** People paste whole header lines; only the key itself is kept. */
export function cleanKey(pasted: string): string {
  return pasted
    .trim()
    .replace(/^authorization:\s*/i, '')
    .replace(/^bearer\s+/i, '');
}
