// app/sse: server-sent events out of a text that comes in pieces (HTML Living Standard 9.2.6). Pure.
// SPDX-License-Identifier: Apache-2.0

const BYTES_MAX = 4 * 1024 * 1024; // of one event: a record with a long conversation is far below

/** A parser; feed(text) gives the events that are complete: [{type, data}]. Throws when one grows too large. */
export function sseParser() {
  let rest = '';
  let type = '';
  let data = [];
  let size = 0;

  function line(text, events) {
    if (text === '') {
      if (data.length > 0) events.push({ type: type || 'message', data: data.join('\n') });
      type = '';
      data = [];
      size = 0;
      return;
    }
    const colon = text.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') type = value;
    if (field === 'data') {
      size += value.length;
      data.push(value);
    }
  }

  return {
    feed(text) {
      const events = [];
      rest += text;
      for (;;) {
        const end = rest.search(/[\r\n]/);
        if (end < 0 || (rest[end] === '\r' && end === rest.length - 1)) break; // its \n may come yet
        line(rest.slice(0, end), events);
        rest = rest.slice(end + (rest.startsWith('\r\n', end) ? 2 : 1));
      }
      if (rest.length + size > BYTES_MAX) throw new Error('the server sent an event that is too large');
      return events;
    },
  };
}
