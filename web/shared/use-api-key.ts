import { useCallback, useEffect, useState } from 'react';
import { type Identity, identify } from './identity';
import { loadKey, type StoredKey, saveKey } from './stored-key';

export interface ApiKey extends StoredKey {
  identity: Identity;
  apply: (next: StoredKey) => void;
}

export function useApiKey(): ApiKey {
  const [stored, setStored] = useState(loadKey);
  const [identity, setIdentity] = useState<Identity>({ state: 'anonymous' });

  const apply = useCallback((next: StoredKey) => {
    saveKey(next);
    setStored(next);
  }, []);

  useEffect(() => {
    if (!stored.key) {
      setIdentity({ state: 'anonymous' });
      return;
    }
    const abort = new AbortController();
    setIdentity({ state: 'checking' });
    void identify(stored.key, abort.signal).then((found) => {
      if (!abort.signal.aborted) setIdentity(found);
    });
    return () => abort.abort();
  }, [stored]);

  return { ...stored, identity, apply };
}
