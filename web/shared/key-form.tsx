import { type FormEvent, useId, useState } from 'react';
import type { Identity } from './identity';
import { cleanKey } from './stored-key';
import type { ApiKey } from './use-api-key';

export function KeyForm({ apiKey }: { apiKey: ApiKey }) {
  const id = useId();
  const [draft, setDraft] = useState(apiKey.key);
  const [remember, setRemember] = useState(apiKey.remember);
  const refused = apiKey.identity.state === 'refused';

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const key = cleanKey(draft);
    setDraft(key);
    apiKey.apply({ key, remember });
  };

  const forget = () => {
    setDraft('');
    setRemember(false);
    apiKey.apply({ key: '', remember: false });
  };

  const toggleRemember = (next: boolean) => {
    setRemember(next);
    if (apiKey.key) apiKey.apply({ key: apiKey.key, remember: next });
  };

  return (
    <form className="key-form" onSubmit={submit}>
      <label htmlFor={`${id}key`}>API key</label>
      <input
        id={`${id}key`}
        className="key-input"
        type="password"
        autoComplete="off"
        spellCheck={false}
        placeholder="Paste a key"
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        aria-invalid={refused}
        aria-describedby={`${id}status`}
      />
      <button type="submit" className="button">
        Use key
      </button>
      {apiKey.key && (
        <button type="button" className="button quiet" onClick={forget}>
          Forget
        </button>
      )}
      <label className="remember" title="Keeps the key in this browser after the tab is closed">
        <input type="checkbox" checked={remember} onChange={(event) => toggleRemember(event.target.checked)} />
        Remember
      </label>
      <p id={`${id}status`} className={`key-status ${apiKey.identity.state}`} role="status">
        <IdentityText identity={apiKey.identity} />
      </p>
    </form>
  );
}

function IdentityText({ identity }: { identity: Identity }) {
  switch (identity.state) {
    case 'anonymous':
      return 'No key: public data only';
    case 'checking':
      return 'Checking the key…';
    case 'known':
      return (
        <>
          Signed in as <strong>{identity.handle}</strong>
        </>
      );
    case 'refused':
      return identity.reason;
  }
}
