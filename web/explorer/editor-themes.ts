import * as monaco from 'monaco-editor/esm/vs/editor/editor.api.js';
import { EDITOR_THEMES } from './editor-theme-names';

interface Palette {
  base: 'vs' | 'vs-dark';
  surface: string;
  ink: string;
  accent: string;
  keyword: string;
  field: string;
  type: string;
  text: string;
  number: string;
  comment: string;
}

export function defineEditorThemes(): void {
  define(EDITOR_THEMES.light, {
    base: 'vs',
    surface: '#ffffff',
    ink: '#1f1a17',
    accent: '#b42a16',
    keyword: '#b42a16',
    field: '#1f4e8c',
    type: '#8a5200',
    text: '#1a6e45',
    number: '#6b3fa0',
    comment: '#6f655f',
  });
  define(EDITOR_THEMES.dark, {
    base: 'vs-dark',
    surface: '#211c1a',
    ink: '#f2ece8',
    accent: '#ff7a64',
    keyword: '#ff8e7b',
    field: '#9cc7f5',
    type: '#f0bd72',
    text: '#8fd6ab',
    number: '#c9a8f5',
    comment: '#a0958e',
  });
}

function define(name: string, c: Palette): void {
  monaco.editor.defineTheme(name, {
    base: c.base,
    inherit: true,
    rules: [
      rule('', c.ink),
      rule('keyword', c.keyword),
      rule('keyword.json', c.number),
      rule('key.identifier.gql', c.field),
      rule('argument.identifier.gql', c.number),
      rule('type.identifier.gql', c.type),
      rule('string', c.text),
      rule('string.key.json', c.field),
      rule('string.value.json', c.text),
      rule('number', c.number),
      rule('comment', c.comment),
    ],
    colors: {
      // The page's own background shows through, so that the editors follow its panels.
      'editor.background': '#ffffff00',
      'editor.foreground': c.ink,
      'editorLineNumber.foreground': c.comment,
      'editorLineNumber.activeForeground': c.ink,
      'editorCursor.foreground': c.accent,
      'editor.selectionBackground': `${c.accent}33`,
      'scrollbar.shadow': '#ffffff00',
      focusBorder: c.accent,
      'textLink.foreground': c.accent,
      'textLink.activeForeground': c.accent,
      'editorLink.activeForeground': c.accent,
      'editorWidget.background': c.surface,
      'editorHoverWidget.background': c.surface,
      'editorSuggestWidget.background': c.surface,
      'editorSuggestWidget.selectedBackground': `${c.accent}26`,
      'editorSuggestWidget.selectedForeground': c.ink,
      'editorSuggestWidget.highlightForeground': c.accent,
      'editorSuggestWidget.focusHighlightForeground': c.accent,
      'list.hoverBackground': `${c.accent}1a`,
      'list.highlightForeground': c.accent,
      'list.focusHighlightForeground': c.accent,
      'quickInput.background': c.surface,
      'quickInputList.focusBackground': `${c.accent}26`,
      'quickInputList.focusForeground': c.ink,
      'menu.background': c.surface,
      'menu.selectionBackground': `${c.accent}26`,
      'menu.selectionForeground': c.ink,
      'input.background': `${c.ink}0d`,
    },
  });
}

function rule(token: string, foreground: string) {
  return { token, foreground: foreground.slice(1) };
}
