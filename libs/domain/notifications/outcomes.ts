import { z } from 'zod';

/*
 * How mails and calls fail, in codes. Servers outside answer with texts too; these repeat addresses and hosts, so no event
 * stores them. Version 1 did: its upcasters read the codes from the text and drop the rest.
 */

/** The code CLASS.SUBJECT.DETAIL of an answer (RFC 3463), whose class is the first digit of the status. */
const enhanced = z.object({ subject: z.int().nonnegative(), detail: z.int().nonnegative() }).optional();

/** A permanent refusal by a mail server: its code (RFC 5321), and where it gave one, the enhanced code. */
export const mailAnswer = z.object({ status: z.int().min(500).max(599).optional(), enhanced });
export type MailAnswer = z.infer<typeof mailAnswer>;

const REFUSAL = /\b(5\d\d)\b(?:[ -]5\.(\d{1,3})\.(\d{1,3})\b)?/;
const ANSWER = /\b([45]\d\d)\b(?:[ -][45]\.(\d{1,3})\.(\d{1,3})\b)?/;

const codesIn = (text: string, shape: RegExp): MailAnswer => {
  const [, status, subject, detail] = shape.exec(text) ?? [];
  if (status === undefined) return {};
  if (subject === undefined) return { status: Number(status) };
  return { status: Number(status), enhanced: { subject: Number(subject), detail: Number(detail) } };
};

/** The codes in a mail server's refusal, which may stand after other words. Nothing else of it. */
export const mailAnswerIn = (text: string): MailAnswer => codesIn(text, REFUSAL);

/** The same of an answer that may be a refusal for now. */
export const anyMailAnswerIn = (text: string): MailAnswer => codesIn(text, ANSWER);

/** The refusal, for people. */
export const tellMailAnswer = (answer: MailAnswer): string =>
  answer.status === undefined ? 'the mail server refused it' : `the mail server answered${codesOf(answer)}`;

/** The codes of an answer, after a space; none where there was no answer. */
export function codesOf({ status, enhanced }: Pick<FailedMail, 'status' | 'enhanced'>): string {
  if (status === undefined) return '';
  const more = enhanced ? ` (${String(status)[0]}.${enhanced.subject}.${enhanced.detail})` : '';
  return ` ${status}${more}`;
}

/** Why an attempt to send a mail failed, for people. `answered`: the server refused it for now, or refuses the store. */
const mailFailures = {
  answered: 'the mail server answered',
  'no-answer': 'the mail server did not answer in time',
  'name-unknown': 'the host of the mail server is unknown',
  unreachable: 'there was no connection to the mail server, or it broke',
  'no-safe-connection': 'the certificate or the encryption of the mail server was not accepted',
  'not-confirmed': 'the mail server got all of it and did not confirm that it took it',
  failed: 'it failed',
} as const;
type MailFailure = keyof typeof mailFailures;

/** Fields of an event. `status`: the answer, when there was one (RFC 5321). */
export const mailFailure = {
  failure: z.enum(Object.keys(mailFailures) as [MailFailure, ...MailFailure[]]),
  status: z.int().min(200).max(599).optional(),
  enhanced,
};
export type FailedMail = Pick<MailAnswer, 'enhanced'> & {
  readonly failure: MailFailure;
  readonly status?: number | undefined;
};

export const tellFailedMail = ({ failure, ...answer }: FailedMail): string =>
  `${mailFailures[failure]}${codesOf(answer)}`;

/** Why a call to a customer's program failed, for people. `answered`: with another status than 2xx. */
const webhookFailures = {
  answered: 'it answered',
  'no-answer': 'it did not answer in time',
  'name-unknown': 'its host is unknown',
  unreachable: 'there was no connection to it, or it broke',
  'no-safe-connection': 'its certificate or its encryption was not accepted',
  'private-address': 'its address is not on the public Internet',
  'switched-off': 'the customer does not want leads sent to a program any more',
  'customer-erased': 'the customer was erased',
  'person-erased': 'the person was erased',
} as const;
type WebhookFailure = keyof typeof webhookFailures;

/** Fields of an event. `status`: the answer, when there was one. */
export const webhookFailure = {
  failure: z.enum(Object.keys(webhookFailures) as [WebhookFailure, ...WebhookFailure[]]),
  status: z.int().optional(),
};
export type FailedCall = { readonly failure: WebhookFailure; readonly status?: number | undefined };

/** Nothing is sent any more, and there is nothing to do: who was to get it, or whom it is about, was erased. */
export const isForErased = ({ failure }: FailedCall): boolean =>
  failure === 'customer-erased' || failure === 'person-erased';

export const tellFailedCall = ({ failure, status }: FailedCall): string =>
  `${webhookFailures[failure]}${status === undefined ? '' : ` ${status}`}`;

/** How the texts of version 1 began, or what they contained. */
const olderReasons: readonly (readonly [RegExp, WebhookFailure])[] = [
  [/^no answer/, 'no-answer'],
  [/getaddrinfo/, 'name-unknown'],
  [/certificate|SSL|TLS/i, 'no-safe-connection'],
  [/is not an address on the public Internet$/, 'private-address'],
  [/^the customer does not want/, 'switched-off'],
  [/^the customer was erased$/, 'customer-erased'],
  [/^the person was erased$/, 'person-erased'],
];

function failedCallIn(text: string): FailedCall {
  const [, status] = /^it answered (\d{3})$/.exec(text) ?? [];
  if (status !== undefined) return { failure: 'answered', status: Number(status) };
  return { failure: olderReasons.find(([pattern]) => pattern.test(text))?.[1] ?? 'unreachable' };
}

type Data = Record<string, unknown>;

export const mailUpcasters = {
  MailRefused: [({ reason, ...data }: Data): Data => ({ ...data, answer: mailAnswerIn(String(reason)) })],
};

const withoutText = ({ reason, ...data }: Data): Data => ({ ...data, ...failedCallIn(String(reason)) });

export const webhookUpcasters = { WebhookFailed: [withoutText], WebhookParked: [withoutText] };
