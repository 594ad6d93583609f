import { useEffect, useState } from 'react';
import { Header } from '../shared/header';
import { useApiKey } from '../shared/use-api-key';
import { useTheme } from '../shared/use-theme';
import type { ReferenceElement } from './reference-element';
import './reference-element';
import shadowStyles from './reference.css?inline';

export function App() {
  const { key, ...apiKey } = useApiKey();
  const choice = useTheme();
  const [element, setElement] = useState<ReferenceElement | null>(null);

  useEffect(() => {
    if (!element?.shadowRoot) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(shadowStyles);
    element.shadowRoot.adoptedStyleSheets = [...element.shadowRoot.adoptedStyleSheets, sheet];
  }, [element]);

  useEffect(() => {
    if (!element) return;
    const sign = () => signWith(element, key);
    sign();
    element.addEventListener('spec-loaded', sign);
    return () => element.removeEventListener('spec-loaded', sign);
  }, [element, key]);

  return (
    <div className="page">
      <Header here="/v1/docs" apiKey={{ key, ...apiKey }} choice={choice} />
      <openapi-explorer
        ref={setElement}
        spec-url="/v1/openapi.json"
        // The document names the public address, which this page may not be at, and its policy allows its own only.
        server-url={window.location.origin}
        default-schema-tab="body"
        hide-server-selection
      >
        <div slot="authentication" className="how-to-sign">
          <h2>Authentication</h2>
          <p>
            Enter your API key in the field at the top of the page. Every request that you try from here is then sent
            with it, as <code>Authorization: Bearer …</code>.
          </p>
        </div>
      </openapi-explorer>
    </div>
  );
}

function signWith(element: ReferenceElement, token: string): void {
  const schemes = element.resolvedSpec?.securitySchemes ?? [];
  for (const { apiKeyId, type, scheme } of schemes) {
    if (type === 'http' && scheme?.toLowerCase() === 'bearer') {
      void element.setAuthenticationConfiguration(apiKeyId, { token });
    }
  }
}
