/** The parts of <openapi-explorer> that this page touches; the package has no types of its own. */
import 'openapi-explorer/dist/es/openapi-explorer.js';
import type { DetailedHTMLProps, HTMLAttributes } from 'react';

export interface SecurityScheme {
  apiKeyId: string;
  type: string;
  scheme?: string;
}

export interface ReferenceElement extends HTMLElement {
  resolvedSpec?: { securitySchemes?: SecurityScheme[] } | null;
  setAuthenticationConfiguration(schemeId: string, configuration: { token: string }): Promise<void>;
}

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'openapi-explorer': DetailedHTMLProps<HTMLAttributes<ReferenceElement>, ReferenceElement> &
        Record<string, unknown>;
    }
  }
}
