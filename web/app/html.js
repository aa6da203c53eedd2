// app/html: the one place that joins Preact and htm; every view takes html and the hooks from here.
// SPDX-License-Identifier: Apache-2.0
import { h } from '../vendor/preact.js';
import htm from '../vendor/htm.js';

export const html = htm.bind(h);
export { Component, Fragment, render } from '../vendor/preact.js';
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../vendor/preact-hooks.js';
