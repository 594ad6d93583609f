import { useLayoutEffect, useState, useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const SLOT = 'darkroom:theme';
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const systemDark = window.matchMedia('(prefers-color-scheme: dark)');

function loadTheme(): Theme {
  const stored = localStorage.getItem(SLOT);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

function watchSystem(changed: () => void): () => void {
  systemDark.addEventListener('change', changed);
  return () => systemDark.removeEventListener('change', changed);
}

export interface ThemeChoice {
  theme: Theme;
  dark: boolean;
  next: Theme;
  cycle: () => void;
}

export function useTheme(): ThemeChoice {
  const [theme, setTheme] = useState(loadTheme);
  const systemIsDark = useSyncExternalStore(watchSystem, () => systemDark.matches);

  const dark = theme === 'system' ? systemIsDark : theme === 'dark';

  useLayoutEffect(() => {
    localStorage.setItem(SLOT, theme);
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  }, [theme, dark]);

  return {
    theme,
    dark,
    next: NEXT[theme],
    cycle: () => setTheme(NEXT[theme]),
  };
}
