/** Apart from the themes themselves, because the page must not load Monaco to know what they are called. */

export const EDITOR_THEMES = { light: 'darkroom-light', dark: 'darkroom-dark' };
