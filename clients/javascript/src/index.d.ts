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

/** error: nothing else is there. */
export interface Row extends Answer { row: number; error?: string; }

export type StreamEvent =
    | { type: 'stage'; data: { text: string } }
    | { type: 'line'; data: { t_ms: number; direction: 'S' | 'C' | 'T'; text: string } }
    | { type: 'verdict' | 'pending'; data: Answer };

export type BatchState = 'loading' | 'running' | 'paused' | 'cancelled' | 'done' | 'failed' | 'deleted';
export interface ProbeOptions {
    /** 24, 25, 465, 587, 2525, or that of the service's configuration. */
    port?: number;
    /** Of a domain: this mail server alone. */
    host?: string;
    /** Of a domain: all of its mail servers, not the first that can be reached. */
    allHosts?: boolean;
    tls?: 'may' | 'never' | 'must' | 'at_once';
    serverName?: string;
    /** Versions of TLS, the STARTTLS injection, DANE, MTA-STS; true where nothing is said. */
    examine?: boolean;
    /** Compares ports 25, 465, 587 and 2525. */
    ports?: boolean;
    /** The sender; '': the null sender. */
    from?: string;
    /** Recipients that are asked with RCPT. */
    to?: string[];
    user?: string; password?: string; mechanism?: string;
    /** Tries each login that is offered. */
    testLogins?: boolean;
    /** Sends a message, where the operator of the service allows it. */
    send?: boolean;
    message?: string;
    /** Tests for relaying, where the operator of the service names the target. */
    relayDomain?: string;
    relayTo?: string;
    /** What was seen by then is the answer. */
    timeoutMs?: number;
    signal?: AbortSignal;
}

export type ProbeAnswer = 'not_tried' | 'yes' | 'no' | 'unknown';
export type ProbeLevel = 'ok' | 'advice' | 'unknown' | 'mend';

export interface ProbeCertificate {
    subject: string; issuer: string; names: string[]; not_before: number; not_after: number;
    key: string; key_bits: number; signature: string; sha256: string; key_sha256: string;
}

export interface ProbeLine { t_ms: number; direction: 'C' | 'S' | 'T'; tls: boolean; text: string; }

export interface ProbeTalk {
    end: 'done' | 'refused' | 'not_offered' | 'withheld' | 'unreached' | 'tls' | 'timeout' | 'closed' | 'garbage' | 'local' | 'stopped';
    stage: string; detail: string; connect_ms: number; total_ms: number; banner: string;
    extensions: { line: string; meaning: string | null }[];
    tls: {
        version: string; cipher: string; cipher_bits: number; group: string; handshake_ms: number;
        trusted: boolean; for_host: boolean; verification: string; ocsp: string; chain: ProbeCertificate[];
    } | null;
    steps: {
        stage: string; about: string; began_ms: number; took_ms: number; tls: boolean;
        code: number; enhanced: string | null; text: string; meaning: string;
    }[];
}

/** Without an address there are its name and preference only. */
export interface ProbeHost extends Partial<ProbeTalk> {
    host: string; preference: number | null; has_address: boolean; ip?: string; port?: number; transcript?: ProbeLine[];
    tls_versions?: { version: string; offered: ProbeAnswer; detail: string }[];
    starttls_injection?: 'not_tried' | 'dropped' | 'refused' | 'answered_in_clear' | 'vulnerable' | 'unknown';
    dane?: 'not_tried' | 'none' | 'unusable' | 'match' | 'mismatch' | 'not_secure' | 'unknown';
    dane_records?: number; dane_usable?: number; dane_authentic?: boolean; mta_sts_names_it?: ProbeAnswer;
    logins?: { mechanism: string; worked: ProbeAnswer; detail: string }[];
    ports?: (ProbeTalk & { port: number })[];
    relay?: ProbeTalk & { transcript: ProbeLine[] };
}

export interface Probe {
    name: string; port: number; route: string | null; complete: boolean; added: string[];
    mta_sts: { state: 'not_tried' | 'none' | 'found' | 'broken' | 'unknown'; mode: string; detail: string };
    hosts: ProbeHost[];
    /** host: its place in hosts; null: of the target. */
    findings: { check: string; level: ProbeLevel; host: number | null; text: string; hint: string }[];
    worst: ProbeLevel;
}

export type ProbeEvent =
    | { type: 'stage'; data: { text: string } }
    | { type: 'line'; data: ProbeLine & { meaning: string | null } }
    | { type: 'result'; data: Probe };

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

export interface History {
    email: string;
    history: {
        at: string; kind: string; status: Status | null; sub_status: SubStatus; server: string | null; egress: string;
    }[];
}

/** From route on: where the domain is known. */
export interface Domain {
    domain: string; known: boolean;
    flags: { is_disposable: boolean; is_free: boolean; is_gov: boolean; is_edu: boolean };
    route?: string; implicit_mx?: boolean; mx?: { host: string; preference: number }[]; catch_all?: boolean | null;
    provider?: { name: string; label: string; class: string }; site?: string;
}

/** record: to be published; empty: none. */
export interface DnsHealth {
    domain: string; grade: 'A' | 'B' | 'C' | 'D' | 'F'; score: number; complete: boolean;
    findings: {
        check: string; area: string; level: 'unknown' | 'advice' | 'warning' | 'error' | 'critical';
        text: string; why: string; todo: string; record: string;
    }[];
    facts: { [name: string]: unknown };
}

/** budget: recipients a day; 0: no limit. */
export interface Egress {
    name: string; source_v4: string | null; source_v6: string | null; proxy: boolean; helo: string;
    weight: number; budget: number; asked_24h: number; blocked_sites: number;
}

export type Health = 'well' | 'recovering' | 'blocked' | 'trying';

export interface Site {
    site: string; provider: { name: string; label: string; class: string }; domains: number; open: number;
    limits: { connections: number; rcpts_per_connection: number; invalids_per_hour: number };
    paths: { egress: string; health: Health; open: number; refused_last_hour: number; again_in: number | null }[];
}

/** Each address once; more: there are others. unread: members that could not be read, and why. */
export interface Extracted {
    addresses: {
        email: string; ascii: string; offset: number;
        member?: string; line?: number; page?: number; row?: number; column?: number;
    }[];
    more: boolean; unread: string[];
}

/** silent: said nothing of a mailbox. unused: could not be used; the first of them are faults. */
export interface Learned {
    alive: number; gone: number; silent: number; unused: number; faults: { line: number; detail: string }[];
}

export interface Watch {
    id: string; label: string | null; state: 'waiting' | 'running' | 'paused'; paused: boolean; cause: string | null;
    every_s: number; batch: string; run: string | null; addresses: number; checked: number | null; asked: number; changed: number;
    webhook: string | null; created_at: string | null; last_at: string | null; next_at: string | null;
}

export interface WatchChange {
    email: string; at: string | null; run: string;
    before: { status: Status; sub_status: SubStatus }; after: { status: Status; sub_status: SubStatus };
}

export interface Webhook {
    number: number; id: string;
    type: 'batch.done' | 'batch.failed' | 'batch.paused' | 'batch.result' | 'reacher.result' | 'watch.changed';
    batch: string | null; url: string; state: 'waiting' | 'delivered' | 'failed'; tries: number;
    created_at: string; changed_at: string; next_at: string | null;
    last_status: number | null; last_error: string | null; body: { [member: string]: unknown };
}

export interface Version { name: string; version: string; api: string; }

/** The next page: its `next` as before. */
export interface PageOptions { limit?: number; before?: string; }

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
    /** The webhook hears of each result too. */
    webhookResults?: boolean;
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
    batches(options?: PageOptions): Promise<{ batches: Batch[]; next: string | null }>;
    batch(id: string): Promise<Batch>;
    pauseBatch(id: string): Promise<Batch>;
    resumeBatch(id: string): Promise<Batch>;
    cancelBatch(id: string): Promise<Batch>;
    deleteBatch(id: string): Promise<null>;
    waitForBatch(id: string, options?: { pollMs?: number; signal?: AbortSignal }): Promise<Batch>;
    batchEvents(id: string, options?: { signal?: AbortSignal }): AsyncGenerator<{ type: 'progress' | 'over'; data: Batch }>;
    downloadResults(id: string, options?: ResultOptions & { format?: 'csv' | 'ndjson' | 'xlsx' }): Promise<Response>;
    results(id: string, options?: ResultOptions): AsyncGenerator<BatchRow>;
    lists(): Promise<List[]>;
    /** One of the two. */
    testLists(options: { domain?: string; address?: string }): Promise<ListTest>;
    listEntries(list: ListName, options?: { limit?: number; offset?: number }): Promise<ListEntries>;
    addListEntry(list: ListName, entry: string): Promise<ListChange>;
    removeListEntry(list: ListName, entry: string): Promise<ListChange>;
    /** What is stored of an address and still alive; HeloiseError with 404 otherwise. */
    address(email: string): Promise<Verdict>;
    history(email: string, options?: { limit?: number }): Promise<History>;
    erase(email: string): Promise<null>;
    /** The test of a mail server: a domain, HOST:PORT, an address, or an URL. */
    probe(target: string, options?: ProbeOptions): Promise<Probe>;
    probeStream(target: string, options?: ProbeOptions): AsyncGenerator<ProbeEvent>;
    domain(name: string): Promise<Domain>;
    /** selectors: of DKIM, joined by commas. smtp false: mail servers are not contacted. */
    dnsHealth(domain: string, options?: { selectors?: string; smtp?: boolean; signal?: AbortSignal }): Promise<DnsHealth>;
    egresses(): Promise<Egress[]>;
    sites(options?: {
        provider?: string; health?: Health; limit?: number; after?: string;
    }): Promise<{ sites: Site[]; next: string | null }>;
    /** The addresses in a text or a file of any kind. */
    extract(body: BodyInit, options?: {
        obfuscated?: boolean; hidden?: boolean; contentType?: string; signal?: AbortSignal;
    }): Promise<Extracted>;
    reportOutcomes(body: BodyInit, options?: {
        filename?: string; contentType?: string; signal?: AbortSignal;
    }): Promise<Learned>;
    /** every: '12h', '7d'. */
    createWatch(batch: string, every: string, options?: { label?: string; webhook?: string }): Promise<Watch>;
    watches(options?: PageOptions): Promise<{ watches: Watch[]; next: string | null }>;
    watch(id: string): Promise<Watch>;
    runWatch(id: string): Promise<Watch>;
    pauseWatch(id: string): Promise<Watch>;
    resumeWatch(id: string): Promise<Watch>;
    deleteWatch(id: string): Promise<null>;
    watchChanges(id: string, options?: PageOptions): Promise<{ changes: WatchChange[]; next: string | null }>;
    webhooks(options?: PageOptions & { batch?: string }): Promise<{ webhooks: Webhook[]; next: string | null }>;
    webhookSecret(url: string, options?: { secret?: string }): Promise<string>;
    replayWebhook(id: string): Promise<null>;
    version(): Promise<Version>;
}

/** The event in the body, or WebhookError. The body must be what came, byte for byte. */
export function verifyWebhook(
    secret: string, headers: Headers | Record<string, string | string[] | undefined>, body: string | Uint8Array,
    options?: { toleranceS?: number; nowS?: number },
): Promise<unknown>;
