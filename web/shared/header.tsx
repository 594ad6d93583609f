import icon from './icon.svg';
import { KeyForm } from './key-form';
import type { ApiKey } from './use-api-key';
import type { Theme, ThemeChoice } from './use-theme';

const PAGES = [
  { href: '/graphql', name: 'GraphQL', rest: 'explorer' },
  { href: '/v1/docs', name: 'REST', rest: 'reference' },
] as const;

const THEME_ICON: Record<Theme, string> = {
  system: 'M4 5h16v11H4zM9 20h6M12 16v4',
  light:
    'M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 1.5v2M12 20.5v2M1.5 12h2M20.5 12h2M4.6 4.6 6 6M18 18l1.4 1.4M4.6 19.4 6 18M18 6l1.4-1.4',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
};

interface HeaderProps {
  here: (typeof PAGES)[number]['href'];
  apiKey: ApiKey;
  choice: ThemeChoice;
}

export function Header({ here, apiKey, choice }: HeaderProps) {
  const themeLabel = `Theme: ${choice.theme}. Switch to ${choice.next}`;
  return (
    <header className="bar">
      <div className="brand">
        <img src={icon} alt="" width="28" height="28" />
        <h1>Darkroom</h1>
      </div>
      <nav aria-label="API pages">
        {PAGES.map(({ href, name, rest }) => (
          <a key={href} href={href} aria-current={href === here ? 'page' : undefined}>
            {name}
            <span className="wide-only"> {rest}</span>
          </a>
        ))}
      </nav>
      <KeyForm apiKey={apiKey} />
      <button type="button" className="icon-button" onClick={choice.cycle} aria-label={themeLabel} title={themeLabel}>
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          <path d={THEME_ICON[choice.theme]} />
        </svg>
      </button>
    </header>
  );
}
