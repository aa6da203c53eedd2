// app/theme: the reader's choice of colours, kept in localStorage. theme.js in the head applies it.
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from './html.js';

const KEY = 'heloise.theme';
const THEMES = ['auto', 'light', 'dark'];

function read() {
  const is_dark = document.documentElement.dataset.theme === 'dark';
  try {
    const theme = localStorage.getItem(KEY);
    return { theme: THEMES.includes(theme) ? theme : 'auto', is_dark };
  } catch {
    return { theme: 'auto', is_dark };
  }
}

export function setTheme(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    return; // what cannot be kept is not changed
  }
  window.dispatchEvent(new Event('heloise-theme-chosen'));
}

/** What is chosen ('auto', 'light', 'dark'), and what is shown: {theme, is_dark}. */
export function useTheme() {
  const [state, setState] = useState(read);
  useEffect(() => {
    const changed = () => setState(read());
    window.addEventListener('heloise-theme', changed);
    return () => window.removeEventListener('heloise-theme', changed);
  }, []);
  return state;
}
