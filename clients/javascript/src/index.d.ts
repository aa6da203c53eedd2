/* Types of heloise-client. The record is described in docs/verdicts.md.
 * SPDX-License-Identifier: Apache-2.0 */

export type Status = 'deliverable' | 'undeliverable' | 'risky' | 'unknown';

export type SubStatus =
    | 'accepted' | 'accepted_rate_limited' | 'accepted_forward'
    | 'catch_all' | 'accepts_all_provider' | 'accepted_unconfirmed' | 'mailbox_full' | 'disposable' | 'role' | 'suppressed'
    | 'mailbox_not_found' | 'mailbox_disabled' | 'mailbox_moved' | 'invalid_syntax' | 'domain_not_found' | 'no_mail_host'
    | 'null_mx' | 'mx_unroutable' | 'domain_not_hosted' | 'smtputf8_unsupported'
    | 'greylisted' | 'temp_failure' | 'rate_limited' | 'blocked' | 'blanket_reject' | 'tls_required_failed'
    | 'connect_failed' | 'connect_timeout' | 'smtp_timeout' | 'disconnected' | 'protocol_error' | 'dns_error'
    | 'skipped' | 'internal_error';

export interface Reason { code: string; effect: number; detail: string | null; }

export interface TranscriptLine { t_ms: number; dir: 'S' | 'C' | 'T'; line: string; }

export interface Flags {
    is_disposable: boolean; is_role: boolean; is_free: boolean; is_plus_tagged: boolean; is_noreply: boolean;
    is_gov: boolean; is_edu: boolean; is_idn: boolean; is_gibberish: boolean;
    is_catch_all: boolean | null; is_full: boolean | null; is_disabled: boolean | null;
    disposable_entry: string | null;
}

export interface Dns {
    status: string; resolver_status: string; mx_found: boolean; implicit_mx: boolean; null_mx: boolean; ttl: number;
    mx: { host: string; preference: number; addresses: string[] }[];
}

export interface Provider { name: string; label: string | null; class: string; gateway: boolean; trait: string | null; }

export interface Smtp {
    host: string | null; ip: string | null; port: number; stage: string;
    code: number | null; enhanced: string | null; text: string | null; rule: string | null;
    tls: { used: boolean; version: string | null; cipher: string | null; cert_ok: boolean };
    extensions: string[]; attempts: number; egress: string | null; helo: string | null; mail_from: string;
    control: { tested: boolean; result: string | null; code: number; count: number };
    greylist: { seen: boolean; first_at: string | null; passed_at: string | null; waited_s: number };
    latency_ms: Record<string, number>;
}

export interface Verdict {
    email: string; normalized: string | null; ascii: string | null; local: string | null; domain: string | null;
    status: Status; sub_status: SubStatus; block_kind?: string; skip_reason?: string;
    score: number; confidence: number; reasons: Reason[]; did_you_mean: string | null;
    flags: Flags; dns: Dns | null; provider: Provider | null; smtp: Smtp | null;
    retry_after: number | null; checked_at: string; expires_at: string | null; cached: boolean; duration_ms: number;
    engine_version: string | null; rules_version: string | null; transcript?: TranscriptLine[];
}

/** pending: the time was over; the work goes on, and `link` will have the result. */
export interface Answer extends Verdict { pending?: true; link?: string; }

export interface Row extends Answer { row: number; }

export type StreamEvent =
    | { type: 'stage'; data: { text: string } }
    | { type: 'line'; data: { t_ms: number; direction: 'S' | 'C' | 'T'; text: string } }
    | { type: 'verdict' | 'pending'; data: Answer };

export type BatchState = 'loading' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed';

export interface Batch {
    id: string; label: string | null; file_name: string | null; column: string | null;
    state: BatchState; cause: string | null; bytes: number;
    /** addresses: distinct ones; done: of them. */
    counts: { rows: number; bad_rows: number; no_address: number; addresses: number; done: number };
    statuses: Record<Status, number>;
    /** Results by provider, at most 20; of a batch that was asked for by its id, and in its events. */
    providers?: { name: string | null; label: string | null; statuses: Record<Status, number> }[];
    per_second: number | null; seconds_left: number | null;
    webhook: string | null; created_at: string; changed_at: string; finished_at: string | null;
}

export interface Problem {
    type?: string; title?: string; status?: number; detail?: string; instance?: string; row?: number; column?: number;
    [member: string]: unknown;
}

export class HeloiseError extends Error {
    readonly status: number;
    readonly problem: Problem;
    readonly retryAfterMs: number | null;
}

export class HeloiseUnreachable extends Error { readonly cause: unknown; }

export class WebhookError extends Error {}

export interface HeloiseOptions {
    /** http://127.0.0.1:8025 where nothing is said. */
    baseUrl?: string;
    key?: string | null;
    /** How often a 429 or 503 that names a wait is asked again; 2. */
    retries?: number;
    /** A longer wait than this is an error; 30000. */
    retryWaitMaxMs?: number;
    fetch?: typeof fetch;
}

export type ListName = 'disposable' | 'disposable-wildcard' | 'free' | 'popular' | 'roles' | 'tlds';

export interface List {
    list: ListName; purpose: string; file: string; entries: number; bytes: number; sha256: string;
    is_updated: boolean; has_former: boolean; changed_at: string | null;
    /** As the file says of itself; empty: it says nothing. */
    date: string; source: string; licence: string;
    own_file: string; added: number; removed: number;
}

export interface ListTest {
    input: string; domain: string;
    matches: {
        list: ListName; entry: string; rule: 'itself' | 'parent'; is_exception: boolean; file: string; line: number; is_own: boolean;
    }[];
    is_disposable: boolean; is_free: boolean; is_role: boolean; did_you_mean: string;
    provider: { name: string; where: string } | null;
}

export interface ListEntries {
    list: ListName; entries: { entry: string; is_exception: boolean; line: number }[]; total: number;
}

export interface ListChange { list: ListName; entry: string; change: 'none' | 'added' | 'restored' | 'dropped' | 'removed'; }

export interface VerifyOptions {
    /** What is known by then is the answer. */
    timeoutMs?: number;
    /** Ask anew, whatever is kept. */
    fresh?: boolean;
    signal?: AbortSignal;
}

export interface BatchOptions {
    filename?: string; column?: string; label?: string; webhook?: string; idempotencyKey?: string; contentType?: string;
    signal?: AbortSignal;
}

export interface ResultOptions { status?: string; subStatus?: string; finishedOnly?: boolean; signal?: AbortSignal; }

/** The columns of the list, and the record. */
export type BatchRow = { [column: string]: unknown } & { heloise: Verdict | null };

export class Heloise {
    constructor(options?: HeloiseOptions);
    verify(email: string, options?: VerifyOptions & { transcript?: boolean }): Promise<Answer>;
    verifyStream(email: string, options?: VerifyOptions): AsyncGenerator<StreamEvent>;
    verifyMany(emails: Iterable<string>, options?: VerifyOptions): AsyncGenerator<Row>;
    createBatch(body: BodyInit, options?: BatchOptions): Promise<Batch>;
    batches(options?: { limit?: number; before?: string }): Promise<{ batches: Batch[]; next: string | null }>;
    batch(id: string): Promise<Batch>;
    pauseBatch(id: string): Promise<Batch>;
    resumeBatch(id: string): Promise<Batch>;
    cancelBatch(id: string): Promise<Batch>;
    deleteBatch(id: string): Promise<null>;
    waitForBatch(id: string, options?: { pollMs?: number; signal?: AbortSignal }): Promise<Batch>;
    batchEvents(id: string, options?: { signal?: AbortSignal }): AsyncGenerator<{ type: 'progress' | 'over'; data: Batch }>;
    downloadResults(id: string, options?: ResultOptions & { format?: 'csv' | 'ndjson' }): Promise<Response>;
    results(id: string, options?: ResultOptions): AsyncGenerator<BatchRow>;
    lists(): Promise<List[]>;
    /** One of the two. */
    testLists(options: { domain?: string; address?: string }): Promise<ListTest>;
    listEntries(list: ListName, options?: { limit?: number; offset?: number }): Promise<ListEntries>;
    addListEntry(list: ListName, entry: string): Promise<ListChange>;
    removeListEntry(list: ListName, entry: string): Promise<ListChange>;
    /** What is stored of an address and still alive; HeloiseError with 404 otherwise. */
    address(email: string): Promise<Verdict>;
    domain(name: string): Promise<{ domain: string; known: boolean; [member: string]: unknown }>;
    history(email: string, options?: { limit?: number }): Promise<{
        email: string;
        history: {
            at: string; kind: string; status: Status | null; sub_status: SubStatus; server: string | null; egress: string;
        }[];
    }>;
    erase(email: string): Promise<null>;
    /** The addresses in any text, each once; more: there are others. */
    extract(text: string): Promise<{
        addresses: {
            email: string; ascii: string; offset: number;
            member?: string; line?: number; page?: number; row?: number; column?: number;
        }[];
        more: boolean; unread: string[];
    }>;
}

/** The event in the body, or WebhookError. The body must be what came, byte for byte. */
export function verifyWebhook(
    secret: string, headers: Headers | Record<string, string | string[] | undefined>, body: string | Uint8Array,
    options?: { toleranceS?: number; nowS?: number },
): Promise<unknown>;
