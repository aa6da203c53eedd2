/* A sign-up form that checks the address with Heloise, in Express.
 * SPDX-License-Identifier: Apache-2.0 */
import express from 'express';
import { HeloiseError, HeloiseUnreachable } from 'heloise-client';

const TIMEOUT_MS = 3000;
const WORDS = {
    invalid_syntax: 'This does not look like an email address.',
    domain_not_found: 'There is no such domain.',
    mailbox_disabled: 'This mailbox was switched off.',
};

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text) => text.replace(/[&<>"']/g, (c) => escapes[c]);

/** The record, or null where nothing is known: then the form takes the address. */
async function ask(heloise, email) {
    try {
        const answer = await heloise.verify(email, { timeoutMs: TIMEOUT_MS });
        return answer.pending ? null : answer;
    } catch (error) {
        if (!(error instanceof HeloiseError || error instanceof HeloiseUnreachable)) {
            throw error;
        }
        console.warn(`the address was not checked: ${error.message}`);
        return null;
    }
}

/** What the form says; nothing: it is taken. wasAsked: they insist on the address. */
function judge(record, wasAsked) {
    if (record === null) {
        return {};
    }
    if (record.status === 'undeliverable') {
        return { complaint: WORDS[record.sub_status] ?? 'This address does not take mail.', suggestion: record.did_you_mean };
    }
    return record.did_you_mean !== null && !wasAsked ? { suggestion: record.did_you_mean } : {};
}

function page({ email = '', complaint, suggestion }) {
    const trouble = [complaint && escape(complaint), suggestion && `Did you mean <strong>${escape(suggestion)}</strong>?`];
    return `<!doctype html>
<html lang="en">
<title>Sign up</title>
<form method="post">
  <label for="email">Email</label>
  <input id="email" name="email" type="email" required value="${escape(email)}" aria-describedby="trouble">
  <p id="trouble" role="alert">${trouble.filter(Boolean).join(' ')}</p>
  ${suggestion && !complaint ? `<input type="hidden" name="asked" value="${escape(email)}">` : ''}
  <button>Sign up</button>
</form>
</html>
`;
}

export function createApp(heloise) {
    const app = express();
    app.use(express.urlencoded({ extended: false }));
    app.get('/', (request, response) => {
        response.send(page({}));
    });
    app.post('/', async (request, response, next) => {
        try {
            const email = String(request.body.email ?? '').trim();
            const said = judge(await ask(heloise, email), request.body.asked === email);
            if (said.complaint || said.suggestion) {
                response.status(422).send(page({ email, ...said }));
            } else {
                response.send(`<!doctype html>\n<title>Welcome</title>\n<p>We have sent a link to <strong>${escape(email)}</strong>.</p>\n`);
            }
        } catch (error) {
            next(error);
        }
    });
    return app;
}
