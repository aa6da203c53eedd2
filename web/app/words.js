// app/words: what statuses, sub-statuses, reasons and flags mean, in sentences. docs/verdicts.md is their source.
// SPDX-License-Identifier: Apache-2.0
import { spoken } from './format.js';

export const STATUSES = ['deliverable', 'undeliverable', 'risky', 'unknown'];

export const STATUS = {
  deliverable: { icon: 'check', text: 'Deliverable' },
  undeliverable: { icon: 'cross', text: 'Undeliverable' },
  risky: { icon: 'warn', text: 'Risky' },
  unknown: { icon: 'question', text: 'Unknown' },
};

const SUB = {
  accepted: 'The server takes mail for it, and refuses an address that cannot exist.',
  accepted_rate_limited: 'The mailbox exists; it gets more mail at the moment than its server allows.',
  accepted_forward: 'The server takes mail for it and forwards it elsewhere.',
  catch_all: 'The server takes mail for any name, so this one proves nothing.',
  accepts_all_provider: 'This provider says yes to every name at this point and sorts out later.',
  accepted_unconfirmed: 'The server took it, but whether it refuses others could not be tested.',
  mailbox_full: 'The mailbox exists and is full.',
  disposable: 'A throw-away mailbox.',
  role: 'A shared address such as sales@, risky by the settings here.',
  suppressed: 'A free address, risky by the settings here.',
  mailbox_not_found: 'The server says that there is no such mailbox.',
  mailbox_disabled: 'The mailbox exists and was switched off.',
  mailbox_moved: 'The mailbox has moved away.',
  invalid_syntax: 'This is no mail address.',
  domain_not_found: 'The domain does not exist.',
  no_mail_host: 'The domain has no mail server.',
  null_mx: 'The domain says that it takes no mail (null MX).',
  mx_unroutable: 'The domain’s mail servers have no public address.',
  domain_not_hosted: 'Its mail servers say that they do not serve this domain.',
  smtputf8_unsupported: 'None of its servers can take a non-ASCII address.',
  greylisted: 'The server asks strangers to come back later (greylisting).',
  temp_failure: 'The server has trouble of its own at the moment.',
  rate_limited: 'The server limits how much may be asked at a time.',
  blocked: 'The server refuses us, not the address.',
  blanket_reject: 'The server refuses every name alike, so it says nothing about this one.',
  tls_required_failed: 'The server demands TLS, and it could not be set up.',
  connect_failed: 'None of its servers could be reached.',
  connect_timeout: 'Its servers do not answer.',
  smtp_timeout: 'The server stopped answering in mid-conversation.',
  disconnected: 'The server hung up in mid-conversation.',
  protocol_error: 'What answers there does not speak SMTP.',
  dns_error: 'DNS gave no answer about the domain.',
  skipped: 'It was not asked.',
  internal_error: 'Trouble on our side; ask again.',
};

const DELIVERABLE = ['accepted', 'accepted_rate_limited', 'accepted_forward'];
const RISKY = ['catch_all', 'accepts_all_provider', 'accepted_unconfirmed', 'mailbox_full', 'disposable', 'role', 'suppressed'];
const UNDELIVERABLE = ['mailbox_not_found', 'mailbox_disabled', 'mailbox_moved', 'invalid_syntax', 'domain_not_found', 'no_mail_host', 'null_mx',
  'mx_unroutable', 'domain_not_hosted', 'smtputf8_unsupported'];

const BLOCK = {
  ip_list: 'Our address is on a block list.',
  ip_reputation: 'Our address has a poor reputation there.',
  helo: 'Our EHLO name displeases it.',
  sender: 'Our sender address displeases it.',
  ptr: 'Our address has no proper reverse name (PTR).',
  spf_dkim_dmarc: 'The sender’s SPF, DKIM or DMARC displeases it.',
  policy: 'A policy of theirs.',
  geo: 'Our country or network is blocked.',
};

const SKIP = {
  provider_policy: 'The provider is set to be skipped.',
  egress_unhealthy: 'We are blocked there, and have no other way out.',
  budget: 'The time or a limit was used up.',
  cancelled: 'It was stopped.',
};

const REASON = {
  accepted: 'Accepted',
  rcpt_accepted: 'The server accepted the address',
  rcpt_accepted_vaguely: 'Accepted, in words that promise nothing',
  rcpt_exists: 'The reply says that the mailbox exists',
  rcpt_no_user: 'The reply says that there is no such user',
  rcpt_no_user_temporary: '“No such user”, with a temporary code',
  rcpt_refused: 'The server refused the address',
  rcpt_full: 'The reply says that the mailbox is full',
  rcpt_disabled: 'The reply says that the mailbox is disabled',
  rcpt_moved: 'The reply says that the user has moved',
  control_refused: 'An address that cannot exist was refused',
  control_accepted: 'An address that cannot exist was accepted as well',
  control_untestable: 'Whether others are refused cannot be tested here',
  control_untested: 'Whether others are refused was not tested',
  control_answer: 'What the control was told',
  no_control: 'No control was asked',
  policy_blocked: 'A refusal about us',
  name_shaped: 'It looks like a person’s name',
  gibberish: 'It looks like random letters',
  role: 'A shared address',
  likelihood: 'How likely the mailbox exists, by its name and what is known of the domain',
  likeness_letters: 'Its letters, held against those of names',
  likeness_digits: 'Its digits and signs',
  likeness_keys: 'Keys in a row',
  likeness_shape: 'Its shape',
  likeness_role: 'A shared address',
  domain_pattern: 'How the domain’s known addresses are made',
  domain_outcomes: 'What was seen of others at the domain',
  provider_outcomes: 'What was seen of others at the provider',
  earlier_answer: 'What an earlier run was told of it',
  dns_signs: 'What its DNS says',
  likely_typo: 'The domain looks mistyped',
  free_provider: 'A free mail provider',
  disposable: 'A throw-away domain',
  mixed_codes: 'The lines of the reply carried different codes',
  stable_refusal: 'The temporary refusal stayed the same',
  differs_from_others: 'Other addresses are answered otherwise',
  postmaster_accepted: 'Postmaster does not get this refusal',
  postmaster_refused: 'Postmaster gets the same refusal',
  accepted_before: 'Accepted in an earlier run',
  refused_before: 'Refused in an earlier run',
  seen_before: 'The same answer on other days',
  answer_changed: 'An earlier run was answered the opposite',
  backup_exchanger: 'Answered by a backup server',
  provider_accepts_all: 'This provider accepts every name',
  provider_selective: 'This provider accepts only names that exist',
  session_distrusted: 'An acceptance after many refusals is not trusted',
  verification_in_progress: 'The server was still looking it up',
  no_smtp: 'Mail servers were not asked, by the settings here',
  domain_not_served: 'The server does not serve this domain',
  not_reached: 'The server was not reached',
};

const FLAG = {
  is_disposable: 'Throw-away', is_role: 'Role', is_free: 'Free provider', is_catch_all: 'Catch-all',
  is_plus_tagged: 'Plus tag', is_noreply: 'No-reply', is_gov: 'Government', is_edu: 'Education', is_idn: 'Non-ASCII domain',
  is_full: 'Full', is_disabled: 'Disabled', is_gibberish: 'Random letters',
};

const CLASS = {
  webmail: 'Webmail', business: 'Business mail', gateway: 'Filter in front', isp: 'Internet provider', hosting: 'Hosting',
  forwarder: 'Forwarder', selfhosted: 'Own server',
};

export function subSentence(record) {
  return SUB[record.sub_status] ?? spoken(record.sub_status);
}

/** Each sub-status belongs to one status. */
export function statusOf(sub) {
  if (DELIVERABLE.includes(sub)) return 'deliverable';
  if (RISKY.includes(sub)) return 'risky';
  return UNDELIVERABLE.includes(sub) ? 'undeliverable' : 'unknown';
}

/** What makes a block or a skip precise, or null. */
export function causeSentence(record) {
  return BLOCK[record.block_kind] ?? SKIP[record.skip_reason] ?? null;
}

export function reasonText(code) {
  return REASON[code] ?? (SUB[code] ?? spoken(code)).replace(/\.$/, '');
}

export function flagText(name) {
  return FLAG[name] ?? spoken(name.replace(/^is_/, ''));
}

export function classText(name) {
  return CLASS[name] ?? spoken(name);
}

/** What the score advises (docs/verdicts.md, Score). */
export function adviceText(score) {
  if (score >= 80) return 'Send';
  if (score >= 50) return 'Send with care';
  return score >= 20 ? 'Hold' : 'Drop';
}

export const BATCH_STATE = {
  loading: { text: 'Reading', tone: 'busy' },
  running: { text: 'Running', tone: 'busy' },
  paused: { text: 'Paused', tone: 'risky' },
  done: { text: 'Done', tone: 'deliverable' },
  cancelled: { text: 'Cancelled', tone: 'unknown' },
  failed: { text: 'Failed', tone: 'undeliverable' },
};

export const LIST_STATE = {
  waiting: { text: 'Waiting', tone: 'unknown' },
  running: { text: 'Checking', tone: 'busy' },
  paused: { text: 'Paused', tone: 'risky' },
};

/** How one way out fares at one far end. */
export const HEALTH = {
  well: { text: 'Well', tone: 'deliverable' },
  recovering: { text: 'Recovering', tone: 'busy' },
  trying: { text: 'Trying again', tone: 'risky' },
  blocked: { text: 'Blocked', tone: 'undeliverable' },
};

export function stateOf(table, state) {
  return table[state] ?? { text: spoken(state), tone: 'unknown' };
}
