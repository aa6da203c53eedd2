// theme: sets the colours before anything is painted, so it is a plain script in the head and not a module: those of
// the reader's choice, else those that the system prefers. app/theme changes them later by the same function.
// SPDX-License-Identifier: Apache-2.0
(function () {
  'use strict';

  function chosen() {
    try {
      return localStorage.getItem('heloise.theme');
    } catch (blocked) {
      return null; // no storage, then as the system has it
    }
  }

  function apply() {
    var theme = chosen();
    var is_dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
    document.documentElement.dataset.theme = is_dark ? 'dark' : 'light';
    window.dispatchEvent(new Event('heloise-theme'));
  }

  window.addEventListener('heloise-theme-chosen', apply);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  apply();
})();
