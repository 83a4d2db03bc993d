import { processRefusals, refusalCodes } from './refusal-codes.ts';

/**
 * Everything that is known about a stable code: the HTTP status it is answered with, what it means, what the client does
 * about it, and the field of the request that it is about, where that is always the same.
 */
export interface ErrorCode {
  readonly status: number;
  readonly meaning: string;
  readonly whatToDo: string;
  readonly field?: string;
}

/** What can go wrong with any request, whatever it asks for. */
export const requestErrors = {
  'invalid-request': {
    status: 400,
    meaning: 'A field of the body, a parameter or a header has a wrong value.',
    whatToDo: 'Correct the fields that `errors` names, and send the request again.',
  },
  'malformed-request': {
    status: 400,
    meaning: 'The request is no HTTP request, or its body is no JSON.',
    whatToDo: 'Send a JSON object with the content type application/json.',
  },
  'bad-cursor': {
    status: 400,
    meaning: 'The cursor is none of this API, or belongs to another order.',
    whatToDo: 'Start again with the first page, and change nothing but the cursor from page to page.',
    field: 'cursor',
  },
  'bad-event': {
    status: 400,
    meaning: 'What was sent cannot be stored, for example a name that is too long.',
    whatToDo: 'Send less text.',
  },
  'no-such-position': {
    status: 400,
    meaning: 'The log has no event at the position in waitFor, for example because it was restored from an older copy.',
    whatToDo:
      'Send only positions that an answer named; look at what is there, and send the command again if it is not.',
  },
  'not-a-file-of-leads': {
    status: 400,
    meaning: 'The file cannot be read as leads.',
    whatToDo: 'Send CSV with a header line, or one JSON object in each line, in the encoding that `encoding` names.',
  },
  'bad-signature': {
    status: 400,
    meaning: 'A notice of the payment provider is not signed with the secret of this store, or was sent long ago.',
    whatToDo: 'Set STRIPE_WEBHOOK_SECRET to the secret of the endpoint, and the clock of the machine.',
  },
  'malformed-notice': {
    status: 400,
    meaning: 'The notice of the payment provider does not have the fields of its kind.',
    whatToDo: 'Nothing is recorded. Look at the notice in the pages of the provider.',
  },
  'sign-in-failed': {
    status: 401,
    meaning: 'No account has this e-mail address and this password.',
    whatToDo: 'Try again with the exact address and password, or ask for a link to set a new password.',
  },
  'factor-needed': {
    status: 401,
    meaning: 'The password is right, and the account has a second factor.',
    whatToDo: 'Send a code of the authenticator app, or a recovery code, as `code`.',
    field: 'code',
  },
  'token-ended': {
    status: 401,
    meaning: 'What was sent as Authorization: Bearer is no token of a session or of an API key, or it has ended.',
    whatToDo: 'Sign in again, or ask an administrator for a new key.',
  },
  'actor-not-taken': {
    status: 400,
    meaning:
      'Leadger-Actor was sent, but the store has members of staff, or the request did not come directly from the machine of the store.',
    whatToDo: 'Leave the header out. Sign in, or send the key of a program.',
    field: 'leadger-actor',
  },
  'trial-only': {
    status: 403,
    meaning: 'Texts of mails are shown in a trial only: they hold links that open accounts.',
    whatToDo: 'Look at the mail in the mailbox where it was sent.',
  },
  'bad-mail-secret': {
    status: 401,
    meaning: 'A mail to support does not come with the secret of this store.',
    whatToDo: 'Let the mail provider send SUPPORT_WEBHOOK_SECRET as the password of the address that it calls.',
  },
  'no-store-yet': {
    status: 503,
    meaning: 'There is no store yet to which a mail to support could belong.',
    whatToDo: 'Open a store. The mail is taken when its provider sends it again, or with the next look at the mailbox.',
  },
  'not-from-here': {
    status: 403,
    meaning:
      'The request is addressed to a name that is not the server’s, or was sent by a page of another site; or it asks for the health or the metrics from a network that may not read them.',
    whatToDo:
      'Send it to localhost or to PUBLIC_URL, without the Origin of another site. ALLOWED_ORIGINS and MONITORING_NETWORKS say who else may.',
  },
  'not-found': {
    status: 404,
    meaning: 'The command was sent with If-Match, but what it is about does not exist.',
    whatToDo: 'Check the id in the path.',
  },
  'notices-not-expected': {
    status: 404,
    meaning: 'The server expects no notices of a payment provider.',
    whatToDo: 'Set STRIPE_WEBHOOK_SECRET, so that it can check them.',
  },
  'support-mail-not-expected': {
    status: 404,
    meaning: 'The server takes no mails to support over HTTP.',
    whatToDo: 'Set SUPPORT_WEBHOOK_SECRET, so that it can check who brings them.',
  },
  'no-such-route': {
    status: 404,
    meaning: 'The API has no such path with this method.',
    whatToDo: 'Look the path up at /api/docs.',
  },
  'mail-copy-unknown': {
    status: 404,
    meaning: 'The store keeps no copy of this mail.',
    whatToDo: 'Copies exist only on one machine without a mail server, and only of mails that were sent.',
  },
  'nothing-parked': {
    status: 404,
    meaning: 'No item is parked under this id.',
    whatToDo: 'List the parked items again: it may have been retried already.',
    field: 'parkedItemId',
  },
  'unknown-read-model': {
    status: 404,
    meaning: 'There is no read model of this name.',
    whatToDo: 'List the read models for their names.',
    field: 'name',
  },
  'no-rebuild': {
    status: 404,
    meaning: 'This program does not rebuild the read model now.',
    whatToDo: 'Nothing, if the rebuild has ended; else ask the program that does it.',
  },
  'already-rebuilding': {
    status: 409,
    meaning: 'The read model is being rebuilt already.',
    whatToDo: 'Wait for that rebuild, or cancel it.',
  },
  'revision-mismatch': {
    status: 412,
    meaning: 'It has changed since the revision that If-Match names. Nothing was recorded.',
    whatToDo: 'Read it again, decide again, and send the new ETag.',
    field: 'if-match',
  },
  'append-too-large': {
    status: 413,
    meaning: 'The request would store more than one append may hold.',
    whatToDo: 'Send less at once.',
  },
  'body-too-large': {
    status: 413,
    meaning: 'The body is larger than the server accepts.',
    whatToDo: 'Send less at once; send many leads as a file to /api/leads/batches.',
  },
  'address-too-long': {
    status: 414,
    meaning: 'The path of the request is too long.',
    whatToDo: 'Check the ids in the path.',
  },
  'unsupported-media-type': {
    status: 415,
    meaning: 'The route does not accept this content type.',
    whatToDo: 'Send application/json; for a file of leads text/csv or application/x-ndjson.',
  },
  'key-reused': {
    status: 422,
    meaning:
      'The Idempotency-Key was used before, with another body. A public form never gets it for a lead: there another body is another record, whoever the person is.',
    whatToDo: 'Use a new key for a new request, and the same body when you repeat one.',
    field: 'idempotency-key',
  },
  'stream-damaged': {
    status: 423,
    meaning:
      'What this is about is damaged: somebody cut or deleted its stream in the event store, or another program writes to it. Nothing is decided on a part of it.',
    whatToDo: 'Tell an operator: `leadger damaged` lists the damaged streams, and says how to mend each of them.',
  },
  'stream-access-refused': {
    status: 423,
    meaning:
      "The event store does not let the ledger's account read the stream of what this is about, or write to it: somebody changed its access list.",
    whatToDo: 'Tell an operator: `leadger damaged` lists these streams, too.',
  },
  'too-many-passwords': {
    status: 429,
    meaning: 'So many passwords are being checked that this one would wait too long. Nothing was recorded.',
    whatToDo: 'Send the request again after Retry-After seconds.',
  },
  'too-many-attempts': {
    status: 429,
    meaning: 'From this network, too many attempts were made to sign in to the account, or to recover its password.',
    whatToDo: 'Send no more of them for Retry-After seconds.',
  },
  'too-many-at-once': {
    status: 429,
    meaning: 'The caller has as many feeds, exports or histories under way as one caller may have.',
    whatToDo: 'Close what is not read, or wait for its end; send the request again after Retry-After seconds.',
  },
  'request-too-slow': {
    status: 408,
    meaning: 'The body of the request did not arrive in time. Nothing was recorded.',
    whatToDo: 'Send the request again over a faster connection; send many leads as a file to /api/leads/batches.',
  },
  'headers-too-large': {
    status: 431,
    meaning: 'The headers are larger than the server accepts.',
    whatToDo: 'Send fewer or shorter headers.',
  },
  'internal-error': {
    status: 500,
    meaning: 'The server has a defect. It was logged.',
    whatToDo: 'Repeat the request with the same Idempotency-Key once; then report it with the time.',
  },
  'unreadable-event': {
    status: 500,
    meaning: 'A stored event cannot be read by this version, or its key is missing.',
    whatToDo: 'Run the version that wrote it, or newer; `detail` names the stream, the revision and the type.',
  },
  'damaged-event': {
    status: 500,
    meaning: 'A stored event is not what was written.',
    whatToDo: 'Run `leadger verify`, and restore the log from a backup.',
  },
  'event-id-taken': {
    status: 500,
    meaning:
      'An event was to be stored with the id of an earlier one of its stream. Nothing was recorded: it is a defect.',
    whatToDo: 'Send the request with a new Idempotency-Key, and report it with the time.',
  },
  'store-unavailable': {
    status: 503,
    meaning: 'The event store cannot be reached. Nothing was recorded.',
    whatToDo: 'Send the request again after Retry-After seconds.',
  },
  'outcome-unknown': {
    status: 503,
    meaning: 'The event store failed while it recorded the command: it may or may not be recorded.',
    whatToDo:
      'Send the request again with the same Idempotency-Key, which `details` repeats: it is carried out at most once. If it had none, look first whether it was recorded.',
  },
  'too-much-contention': {
    status: 503,
    meaning: 'Other commands kept changing the same thing. Nothing was recorded.',
    whatToDo: 'Send the request again after Retry-After seconds.',
  },
  'erasure-incomplete': {
    status: 503,
    meaning: 'The key of the person is destroyed, but a program that reads the keys still holds its bytes on the disk.',
    whatToDo: 'End that program, and send the request again.',
  },
  'read-models-unavailable': {
    status: 503,
    meaning: 'The database of the read models cannot be reached.',
    whatToDo: 'Send the request again after Retry-After seconds; commands work meanwhile.',
  },
  'read-model-being-built': {
    status: 503,
    meaning: 'The read model is being built from the log, and answers when it is complete.',
    whatToDo: 'Send the request again after Retry-After seconds; /health shows the progress.',
  },
  'not-reached-yet': {
    status: 503,
    meaning: 'The read models do not reflect the position in waitFor yet.',
    whatToDo: 'Send the request again after Retry-After seconds.',
  },
  'too-many-feeds': {
    status: 503,
    meaning: 'As many change feeds are open as the server allows.',
    whatToDo: 'Close feeds that are not read, and connect again after Retry-After seconds.',
  },
  'store-full': {
    status: 507,
    meaning: 'The disk of the event store is full. Nothing was recorded; reading works.',
    whatToDo: 'Make room on the disk, and send the request again.',
  },
} as const satisfies Record<string, ErrorCode>;

/** Every stable code that the API answers. */
export const errorCodes: Readonly<Record<string, ErrorCode>> & typeof requestErrors = {
  ...requestErrors,
  ...refusalCodes,
};

/** docs/errors.md, generated from the tables. */
export const errorsPage = (): string =>
  [
    ...introduction,
    '| status | code | meaning | what to do |',
    '|---|---|---|---|',
    ...Object.entries(errorCodes).map(answeredRow).sort(),
    '',
    '## Refusals that only processes get',
    '',
    'The process chooses again, or parks the command with this reason.',
    '',
    '| code | meaning |',
    '|---|---|',
    ...Object.entries(processRefusals)
      .map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
      .sort(),
    '',
  ].join('\n');

const introduction = [
  '# Errors',
  '',
  'Generated by `npm run leadger -- catalog --errors` from `apps/error-codes.ts` and `apps/refusal-codes.ts`; a test fails',
  'when this page is out of date. Errors of the API are problem documents (RFC 9457) with a stable `code`. Where two',
  'statuses stand, it is 404 if the path names the id that the code is about, else 409. With 409 the last column is in the answer, as `whatToDo` (NTF-5).',
  '',
];

const answeredRow = ([code, { status, meaning, whatToDo, field = '' }]: [string, ErrorCode]): string =>
  `| ${status === 409 && field.endsWith('Id') ? '404, 409' : status} | \`${code}\` | ${meaning} | ${whatToDo} |`;
