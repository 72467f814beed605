/** What the catalogue says of one error code. */
export interface ErrorEntry {
  /** HTTP status that a service answers with. */
  readonly status: number
  /** Whether repeating the same call later can succeed. */
  readonly retryable: boolean
  /** The problem in a few words; the `title` of problem details (RFC 9457). */
  readonly title: string
  /** What the reader can do about it, in one sentence. */
  readonly hint: string
}

/** Every error that Millrace raises. `docs/errors.md` lists the same; a test holds them equal. */
// One line a code: a table to read, which the formatter would spread over four hundred lines.
// oxfmt-ignore
export const catalogue = {
  'event.invalid': { status: 400, retryable: false, title: 'The event breaks its envelope or schema', hint: 'See errors for each field; mend the event and send it again.' },
  'event.too-large': { status: 413, retryable: false, title: 'The event is too large', hint: 'Store large bodies elsewhere and send a reference.' },
  'json.invalid': { status: 400, retryable: false, title: 'The body is not JSON that is safe to parse', hint: 'Send well-formed UTF-8 JSON without prototype keys and not nested too deep.' },
  'topic.unknown': { status: 404, retryable: false, title: 'There is no such topic', hint: 'Check the name; topics are declared in code.' },
  'topic.guarded': { status: 400, retryable: false, title: 'The topic is guarded by uniqueness constraints', hint: 'Append single events, which are judged against the constraints; channels are for topics without any.' },
  'type.unknown': { status: 400, retryable: false, title: 'The topic has no such event type', hint: 'Use one of the types that the topic declares.' },
  'upcaster.failed': { status: 500, retryable: false, title: 'An old event could not be brought to the present version', hint: 'Mend the upcaster of this type and version.' },
  'append.version': { status: 412, retryable: false, title: 'The key has moved on', hint: 'Read the key again and decide anew.' },
  'append.claimed': { status: 409, retryable: false, title: 'The value is taken', hint: 'Choose another value.' },
  'append.not-owner': { status: 409, retryable: false, title: 'The key and the claim do not belong together', hint: 'The key has released the value, never claimed it, or holds it already.' },
  'append.fingerprint': { status: 422, retryable: false, title: 'The idempotency key was used with another body', hint: 'Use a fresh idempotency key for a new request.' },
  'append.partial-duplicate': { status: 409, retryable: false, title: 'Some events of the unit are on the log and some are not', hint: 'Send the unit as it was sent the first time.' },
  'append.channel-gap': { status: 409, retryable: false, title: 'The channel has a gap', hint: 'Resend from the sequence number after the last one taken.' },
  'append.channel-stale': { status: 409, retryable: false, title: 'The channel has a newer incarnation', hint: 'Another writer has taken over this channel; stop.' },
  'append.keyring': { status: 503, retryable: true, title: 'The caller does not hold the live digest keys', hint: 'Reload the keyring; a rotation is under way.' },
  'append.gated': { status: 503, retryable: true, title: 'The claims of this topic are being swapped', hint: 'Repeat the request in a moment.' },
  'append.unknown': { status: 503, retryable: true, title: 'It is unknown whether the append took place', hint: 'Repeat the same request with the same event ids; nothing is written twice.' },
  'append.limit': { status: 413, retryable: false, title: 'The append is larger than the limit', hint: 'Send fewer events at once.' },
  'log.unavailable': { status: 503, retryable: true, title: 'The log cannot be reached', hint: 'Repeat later; nothing was written.' },
  'log.gap': { status: 500, retryable: false, title: 'The partition has a gap in its sequence', hint: 'Stop the reader and compare the log with its archive or replica.' },
  'log.trimmed': { status: 410, retryable: false, title: 'The range was removed by retention', hint: 'Read from the archive or start at the earliest position.' },
  'log.corrupt': { status: 500, retryable: false, title: 'The log holds something that Millrace did not write', hint: 'Look at the key named in the detail; nothing was changed.' },
  'position.invalid': { status: 400, retryable: false, title: 'The position cannot be read', hint: 'Use a position as an answer gave it.' },
  'lease.fenced': { status: 409, retryable: false, title: 'The lease was taken over', hint: 'Drop what was in hand; the new owner goes on.' },
  'commit.unknown': { status: 503, retryable: true, title: 'It is unknown whether the commit took place', hint: 'Repeat the same call: token and number make that safe.' },
  'commit.refused': { status: 500, retryable: false, title: 'The commit does not fit the log', hint: 'Nothing was written; take a new lease and read on from its position.' },
  'pipeline.unheld': { status: 500, retryable: false, title: 'A value lost its event on the way through the pipeline', hint: 'Use the held or durable operators of @millrace/processor instead of those of rxjs that keep values.' },
  'pipeline.order': { status: 500, retryable: false, title: 'The state would be folded out of order', hint: 'Put evolve and durable operators before those that let events overtake each other.' },
  'pipeline.ended': { status: 500, retryable: false, title: 'The pipeline ends before it has handled anything', hint: 'Build the pipeline on the lane that it is given, and let it go on.' },
  'pipeline.abandoned': { status: 500, retryable: false, title: 'An operator was unsubscribed while it held events', hint: 'Move take, catchError and the like before the operator that keeps values, or into its inner streams.' },
  'pipeline.resubscribed': { status: 500, retryable: false, title: 'The lane was subscribed to a second time', hint: 'Let errors through instead of retry; the event is tried again.' },
  'pipeline.outcome': { status: 500, retryable: false, title: 'An event was given two outcomes that exclude each other', hint: 'Decide about defer and dead before anything else is recorded.' },
  'pipeline.undeclared': { status: 500, retryable: false, title: 'The pipeline uses what its processor has not declared', hint: 'Declare the state or effect that the detail names, and give each durable operator a name of its own.' },
  'pipeline.held': { status: 500, retryable: false, title: 'The pipeline held an event for too long', hint: 'Let operators hand on what they keep in time, or use a durable one, which settles at once.' },
  'handler.timeout': { status: 500, retryable: false, title: 'A handler did not end in time', hint: 'Heed the signal, or raise the time limit.' },
  'event.given-up': { status: 500, retryable: false, title: 'A handler has given the event up', hint: 'The reason is in the detail.' },
  'effect.unknown': { status: 500, retryable: false, title: 'The processor lists no such effect', hint: 'Keep an effect and its name until the last one that was recorded is carried out.' },
  'state.invalid': { status: 500, retryable: false, title: 'A stored state does not fit this program', hint: 'Add the migration that is missing, or mend the schema.' },
  'state.too-large': { status: 413, retryable: false, title: 'The state of a key is too large', hint: 'Keep less in the state, or raise its maxBytes.' },
  'timer.unknown': { status: 500, retryable: false, title: 'A timer is due that no operator has set', hint: 'Keep a durable operator and its name until its last timer has fired.' },
  'retry.unavailable': { status: 503, retryable: true, title: 'The clock of retries cannot be reached', hint: 'Nothing is lost: what is parked is planned again when it answers.' },
  'members.unavailable': { status: 503, retryable: true, title: 'The list of members cannot be reached', hint: 'Repeat later; what is held is kept meanwhile.' },
  'members.full': { status: 503, retryable: true, title: 'The group has too many members', hint: 'Stop some of them; silent ones leave the list by themselves after ten minutes.' },
  'commit.too-large': { status: 413, retryable: false, title: 'The commit is larger than the limit', hint: 'Commit more often, or record less for one event.' },
  'outbox.diverged': { status: 500, retryable: false, title: 'An outbox and its target do not agree on what was forwarded', hint: 'One of the two servers was set back; compare the channel with the outbox before the group goes on.' },
  'claims.collision': { status: 409, retryable: false, title: 'Two owners would hold one value', hint: 'Settle the listed owners before the rotation or rebuild.' },
  'claims.busy': { status: 409, retryable: true, title: 'Another rebuild of these claims is under way', hint: 'Wait until it has ended, or stop it; then start again.' },
  'claims.behind': { status: 503, retryable: true, title: 'The rebuild could not catch up with the log', hint: 'Run it again at a quieter time, or closed, which refuses claim changes meanwhile.' },
  'fold.invalid': { status: 400, retryable: false, title: 'The file cannot be used as a fold', hint: 'Export initial and fold(state, event) that returns the next state; see docs/what-the-log-makes-possible.md.' },
  'group.unknown': { status: 404, retryable: false, title: 'There is no such group', hint: 'Check the name; millrace groups lists them.' },
  'view.behind': { status: 504, retryable: true, title: 'The view has not reached the position in time', hint: 'Repeat the read, or read without after.' },
  'view.gap': { status: 503, retryable: true, title: 'The view lacks the events before these', hint: "Read on from the view's own checkpoint." },
  'view.rebuilding': { status: 409, retryable: true, title: 'The view is being rebuilt already', hint: 'Wait until that rebuild has ended, or stop it; the next one goes on where it was.' },
  'account.unknown': { status: 404, retryable: false, title: 'There is no such account', hint: 'Check the id, and that the token is of the same account.' },
  'session.refused': { status: 401, retryable: false, title: 'Address and password do not belong to an account', hint: 'Check both for typing mistakes, or sign up.' },
  'link.expired': { status: 410, retryable: false, title: 'The link does not hold any more', hint: 'Ask for a new link and use the latest mail.' },
  'service.unavailable': { status: 503, retryable: true, title: 'A service behind this one cannot be reached', hint: 'Repeat later with the same Idempotency-Key.' },
  'service.busy': { status: 503, retryable: true, title: 'The service has too much to do', hint: 'Repeat after the time in the Retry-After header, with the same Idempotency-Key.' },
  'service.failed': { status: 502, retryable: false, title: 'A service behind this one gave a wrong answer', hint: 'Give the correlation id to the operator.' },
  'request.malformed': { status: 400, retryable: false, title: 'The request cannot be read', hint: 'Send well-formed HTTP: valid percent-encoding, headers and framing.' },
  'request.invalid': { status: 400, retryable: false, title: 'The request breaks the rules of its fields', hint: 'See errors for each field.' },
  'request.unauthorized': { status: 401, retryable: false, title: 'The request needs a valid token', hint: 'Send Authorization: Bearer with a token that this service knows.' },
  'request.forbidden': { status: 403, retryable: false, title: 'The request is not allowed', hint: 'Use an account, token or origin that may do this.' },
  'route.unknown': { status: 404, retryable: false, title: 'There is nothing at this address', hint: 'Look up the path in /docs or /openapi.json.' },
  'route.method': { status: 405, retryable: false, title: 'The method is not allowed here', hint: 'Use one of the methods in the Allow header.' },
  'request.slow': { status: 408, retryable: true, title: 'The request arrived too slowly', hint: 'Send the whole request within the time limit.' },
  'request.too-large': { status: 413, retryable: false, title: 'The body is too large', hint: 'Send less at once.' },
  'request.media-type': { status: 415, retryable: false, title: 'The content type is not supported', hint: 'Send one of the content types that the detail names, as UTF-8 and uncompressed.' },
  'request.limited': { status: 429, retryable: true, title: 'There were too many requests', hint: 'Repeat after the time in the Retry-After header.' },
  'request.overdue': { status: 503, retryable: true, title: 'The answer was not ready in time', hint: 'Repeat with the same Idempotency-Key.' },
  'port.taken': { status: 500, retryable: false, title: 'The port cannot be listened on', hint: 'Stop the other program or choose another port.' },
  'stop.failed': { status: 500, retryable: false, title: 'Not everything could be stopped', hint: 'See the log for each part that did not stop in time.' },
  'mail.temporary': { status: 503, retryable: true, title: 'The mail could not be sent now', hint: 'It is tried again; see the scope and the answer in the details.' },
  'mail.refused': { status: 422, retryable: false, title: 'The mail was refused for good', hint: "Correct the address or the mail; the provider's answer is in the details." },
  'mail.unknown': { status: 503, retryable: true, title: 'It is unknown whether the mail was sent', hint: 'It is sent again with the same Message-ID; the reader may see it twice.' },
  'migration.refused': { status: 500, retryable: false, title: 'The database and this program do not agree on its schema', hint: 'Never change a migration that was applied; run the newest program.' },
  'migration.failed': { status: 500, retryable: false, title: 'A change of the database schema failed', hint: 'See the detail for what the database answered; nothing of it remains.' },
  'settings.invalid': { status: 500, retryable: false, title: 'The settings are wrong', hint: 'Correct each variable that the detail names.' },
  'internal': { status: 500, retryable: false, title: 'Something went wrong on our side', hint: 'Give the correlation id to the operator.' },
} as const satisfies Record<string, ErrorEntry>

/** A code of the catalogue. */
export type ErrorCode = keyof typeof catalogue
