import { z } from 'zod';
import { type Decider, type Decision, isRefusal, type Refusal, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { id, shortStoreText, timeZone } from '../kernel/fields.ts';
import { earliest, inEffectAt } from '../kernel/instants.ts';
import { isTimeZone } from '../kernel/local-days.ts';
import { freshFactor, type RightsOf, staffWith } from '../kernel/rights.ts';
import { contradictionIn } from './contradictions.ts';
import {
  changesBetween,
  type PolicyVersion,
  type Publication,
  versionsReachedBy,
  withPublication,
} from './versions.ts';

/** All numbers and lists that a store may choose. A version is never changed; a new one is published (POL-1). */
export const policyStream = 'policy-main';

const reason = shortStoreText(100);
const reasons = z.array(reason).min(1).max(50);
const days = z.number().positive().max(3650);

const percent = z.number().min(0).max(100);
const cadence = z.strictObject({
  name: shortStoreText(50).describe('The name of the cadence.'),
  days: days.describe('Times 24 hours.'),
});

const retentionDays = z.int().min(1).max(3650).optional();
const retention = z.strictObject({
  mailCopiesDays: retentionDays.describe('How long copies of sent mails are kept; 90 days when absent.'),
  lookReasonsDays: retentionDays.describe(
    'How long after the end of its month the reason of a look at the history of a customer can be read; 730 days when absent.',
  ),
});

/** RULES: DLV-2, DLV-6, DLV-11, DLV-12, RPL-2 … RPL-5, ORD-3, LOY-1, LOY-3, LOY-4, LOY-7, LOY-8, LOY-10, SUP-1, SUP-3. */
export const policyDocument = z.strictObject({
  maximumCustomersPerSharedLead: z
    .int()
    .min(1)
    .max(100)
    .describe('To how many customers a shared lead is sold at most (DLV-2).'),
  sharedPersonDays: days
    .optional()
    .describe(
      'How many days after its last sale a person of a shared lead may be sold as a new lead; never when absent (DLV-11).',
    ),
  consentRequired: z.boolean().optional().describe('True: no lead is taken without evidence of consent (DLV-12).'),
  captureToleranceMinutes: z
    .number()
    .min(0)
    .max(1440)
    .optional()
    .describe(
      'How many minutes after its receipt a lead may say that it was captured, because clocks differ; a later instant is refused (DLV-6). 5 when absent.',
    ),
  freshAfterDays: days.describe('The age at which an unsold real-time lead becomes fresh (DLV-6).'),
  agedAfterDays: days.describe('The age at which an unsold fresh lead becomes aged (DLV-6).'),
  returnWindowDays: days.describe('How long after its delivery a lead may be returned (RPL-2).'),
  verificationDays: days.describe('Within how many days a return is verified (RPL-5).'),
  approvedReturnReasons: reasons.describe('Reasons for which a lead may be returned (RPL-3): their codes.'),
  invalidReturnReasons: reasons.describe('Reasons for which a return is denied at once (RPL-4): their codes.'),
  returnReasonLabels: z
    .record(reason, reason)
    .optional()
    .describe('Code of a reason → how customers see it. A reason without a label is shown by its code.'),
  restartPausedAfterDays: days.describe(
    'After how many times 24 hours a paused order in Loyalty Rewards restarts by itself (ORD-3).',
  ),
  renewalCadences: z
    .array(cadence)
    .min(1)
    .max(20)
    .describe('How often an order in Loyalty Rewards may be renewed (LOY-1).'),
  exclusiveBonusPercent: percent.describe('The bonus on exclusive orders: the first order and every renewal (LOY-3).'),
  sharedBonusPercents: z
    .array(percent)
    .min(1)
    .max(20)
    .describe(
      'The bonus on shared orders: on the first order, the first renewal, and so on. The last one holds for all later renewals (LOY-3).',
    ),
  sharedBonusMayFall: z
    .boolean()
    .optional()
    .describe('True confirms that the bonuses on shared orders may fall; without it they are refused as a mistake.'),
  standardBonusPercent: percent.describe('The bonus on every renewal after the ladder is lost (LOY-4).'),
  pausesThatKeepTheLadder: z
    .int()
    .min(0)
    .max(100)
    .describe('How many pauses in the life of an order keep the ladder (LOY-4).'),
  renewalNoticeDays: days.describe('How many days before a renewal the customer gets a notice (LOY-7).'),
  renewalRetryHours: z
    .array(z.number().positive().max(720))
    .max(10)
    .describe(
      'The hours between the attempts to charge a declined renewal; after the last one the programme is held (LOY-8).',
    ),
  renewalGraceHours: z
    .number()
    .positive()
    .max(720)
    .optional()
    .describe(
      'How many hours after its date a renewal is still charged by itself; a later one waits for an operator (LOY-10). 24 when absent.',
    ),
  ticketAnswerBusinessHours: z
    .number()
    .positive()
    .max(10_000)
    .describe('Within how many hours of business days a ticket is answered (SUP-1).'),
  ticketsByMailADay: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'How many tickets one address opens by mail in a day (UTC); later mails are set aside (SUP-3). 20 when absent.',
    ),
  businessTimeZone: timeZone
    .refine(isTimeZone, 'must be the IANA name of a time zone, like America/New_York')
    .describe('The time zone in which business days begin and end.'),
  holidays: z.array(z.iso.date()).max(1000).describe('Days without business, besides weekends.'),
  legalEndings: z
    .array(shortStoreText(50))
    .max(200)
    .optional()
    .describe(
      'Endings of the names of businesses that are no difference between them, like "Inc." (DLV-3). A changed list holds from the next start of the store on, which makes the keys of all names anew. A default list when absent.',
    ),
  twoMembersForPersons: z
    .boolean()
    .optional()
    .describe(
      'True: an erasure or an export of a person needs two members of staff: one asks, and another one approves. One is enough when absent.',
    ),
  retention: retention
    .optional()
    .describe('How long is kept what the store need not keep for ever. Nothing of the log is removed.'),
});
export type PolicyDocument = z.infer<typeof policyDocument>;

/** What a version says about single fields (POL-2). Null: the field is left out again, and its default holds. */
export type PolicyChanges = {
  readonly [Field in keyof PolicyDocument]?:
    | PolicyDocument[Field]
    | (undefined extends PolicyDocument[Field] ? null : never);
};

/** Only what a policy may leave out may be null. */
function changesOf({ shape }: z.ZodObject): z.ZodType<PolicyChanges, PolicyChanges> {
  const changeable = Object.entries(shape as Record<string, z.ZodType>).map(([name, field]) => [
    name,
    field instanceof z.ZodOptional
      ? (field.unwrap() as z.ZodType).nullable().optional().describe(`${field.description} Null: leave it out again.`)
      : field.optional().describe(field.description ?? ''),
  ]);
  return z.strictObject(Object.fromEntries(changeable)) as z.ZodType<PolicyChanges, PolicyChanges>;
}

export const policyChanges = changesOf(policyDocument);

/** As it is stored: older versions took names of time zones that this one refuses, and a log is written anew with them. */
const storedDocument = policyDocument.extend({
  businessTimeZone: timeZone.describe(policyDocument.shape.businessTimeZone.description ?? ''),
});

export type Retention = { readonly [Name in keyof z.infer<typeof retention>]-?: number };
const defaultRetention: Retention = { mailCopiesDays: 90, lookReasonsDays: 730 };

/** Not in the default policy: versions that say nothing about it, such as all older ones, get the same. */
export const retentionOf = (document: PolicyDocument | undefined): Retention => ({
  mailCopiesDays: document?.retention?.mailCopiesDays ?? defaultRetention.mailCopiesDays,
  lookReasonsDays: document?.retention?.lookReasonsDays ?? defaultRetention.lookReasonsDays,
});

export const twoMembersForPersonsIn = (document: PolicyDocument | undefined): boolean =>
  document?.twoMembersForPersons === true;

/** Versions that say nothing about it, such as all older ones, get the same. */
export const renewalGraceHoursOf = ({ renewalGraceHours = 24 }: PolicyDocument): number => renewalGraceHours;

/** SUP-3: versions that say nothing about it, such as all older ones, get the same. */
export const ticketsByMailADayOf = ({ ticketsByMailADay = 20 }: Pick<PolicyDocument, 'ticketsByMailADay'>): number =>
  ticketsByMailADay;

/** DLV-6: how much later than its receipt a capture may be. */
export const captureToleranceMinutesOf = ({
  captureToleranceMinutes = 5,
}: Pick<PolicyDocument, 'captureToleranceMinutes'>): number => captureToleranceMinutes;

const defaultLegalEndings = [
  ...['Inc.', 'Incorporated', 'Corp.', 'Corporation', 'Co.', 'Company', 'LLC', 'Ltd.', 'Limited', 'LLP', 'LP', 'LLLP'],
  ...['PLLC', 'PC', 'PLC', 'Ltée', 'Ltda.', 'Pty', 'Pte', 'GmbH', 'mbH', 'AG', 'KG', 'OHG', 'UG', 'e.K.', 'e.V.'],
  ...['S.A.', 'S.A. de C.V.', 'S.A.S.', 'S.A.R.L.', 'S.r.l.', 'S.p.A.', 'S.L.', 'B.V.', 'N.V.', 'AB', 'Oy', 'A/S'],
  ...['ApS', 's.r.o.', 'Sp. z o.o.'],
];

/** Not in the default policy: versions that say nothing about it, such as all older ones, get the same. */
export const legalEndingsOf = (document: PolicyDocument | undefined): readonly string[] =>
  document?.legalEndings ?? defaultLegalEndings;

export const defaultPolicy: PolicyDocument = {
  maximumCustomersPerSharedLead: 3,
  freshAfterDays: 1,
  agedAfterDays: 30,
  returnWindowDays: 5,
  verificationDays: 7,
  approvedReturnReasons: [
    'telephone-disconnected',
    'wrong-number',
    'outside-us-and-canada',
    'submitted-by-third-party',
  ],
  invalidReturnReasons: [
    'not-interested',
    'cannot-be-reached',
    'no-voice-mail',
    'bad-email-address',
    'contacted-by-same-company',
    'already-in-network-marketing',
    'delivered-too-long-ago',
  ],
  returnReasonLabels: {
    'telephone-disconnected': 'Disconnected telephone',
    'wrong-number': 'Wrong number',
    'outside-us-and-canada': 'Located outside US & Canada',
    'submitted-by-third-party': 'Information submitted by a third party (unwillingly)',
    'not-interested': 'Not interested',
    'cannot-be-reached': 'Cannot be reached',
    'no-voice-mail': 'No voice mail possible',
    'bad-email-address': 'Bad e-mail address',
    'contacted-by-same-company': 'Contacted before by someone of the same company',
    'already-in-network-marketing': 'Already in network marketing',
    'delivered-too-long-ago': 'Delivered more than 5 days ago',
  },
  restartPausedAfterDays: 7,
  renewalCadences: [
    { name: 'weekly', days: 7 },
    { name: 'every-other-week', days: 14 },
    { name: 'once-a-month', days: 30 },
  ],
  exclusiveBonusPercent: 10,
  sharedBonusPercents: [10, 10, 20, 30],
  standardBonusPercent: 10,
  pausesThatKeepTheLadder: 1,
  renewalNoticeDays: 3,
  renewalRetryHours: [24, 72],
  renewalGraceHours: 24,
  ticketAnswerBusinessHours: 48,
  businessTimeZone: 'America/New_York',
  holidays: [],
};

const { returnReasonLabels: _labels, ...unlabelled } = defaultPolicy;

/**
 * Version 1 had no loyalty programme and no support: these get the default values. Its reasons had no labels. Until
 * version 2 every policy was published whole, and it means what it did.
 */
export const policyUpcasters = {
  PolicyPublished: [
    (older: Record<string, unknown>) => ({ ...older, policy: { ...unlabelled, ...(older.policy as object) } }),
    (older: Record<string, unknown>) => older,
  ],
};

export const policyEvents = {
  PolicyPublished: fact({
    version: z.int().positive().describe('The number of the version, from 1.'),
    author: id.min(1).describe('Who published it.'),
    effectiveFrom: instant.describe('From when it holds.'),
    policy: storedDocument
      .optional()
      .describe('The whole policy, of a version that does not go by those before it: the first one, and older ones.'),
    changes: changesOf(storedDocument)
      .optional()
      .describe('The fields that it changes; all others stay as they are then.'),
  }),
};
export type PolicyEvent = EventsOf<typeof policyEvents>;

/**
 * A whole policy is an edited copy of the version that its author saw, by default the one in force: it changes the fields in
 * which it differs.
 */
export type PolicyContent =
  | { readonly policy: PolicyDocument; readonly seenVersion?: number; readonly changes?: undefined }
  | { readonly policy?: undefined; readonly changes: PolicyChanges };

export type PolicyCommand = {
  type: 'PublishPolicy';
  at: Instant;
  author: string;
  effectiveFrom: Instant;
} & PolicyContent;

/** Who may ask for which command. */
export const policyRights = { PublishPolicy: freshFactor(staffWith(['administrator'], 'POL-1')) } satisfies RightsOf<
  PolicyCommand,
  PolicyState
>;

export type { PolicyVersion };

export interface PolicyState {
  /** In the order in which they were published. */
  readonly versions: PolicyVersion[];
}

export const policy: Decider<PolicyState, PolicyCommand, PolicyEvent> = {
  initialState: () => ({ versions: [] }),

  decide(command, state): Decision<PolicyEvent> {
    const { at, author, effectiveFrom } = command;
    if (effectiveFrom < at) return refuse('policy-in-the-past', 'a policy holds from now on or later', 'POL-1');
    const content = contentOf(command, state);
    if (isRefusal(content)) return content;
    if (content.changes && Object.keys(content.changes).length === 0) return [];
    const published = { at, version: state.versions.length + 1, author, effectiveFrom, ...content };
    return contradictionBy(published, command, state) ?? [{ type: 'PolicyPublished', data: published }];
  },

  evolve(state, { data }) {
    state.versions.splice(0, state.versions.length, ...withPublication(state.versions, data));
    return state;
  },
};

/** What a version says. The first one is whole: there is nothing that it could change. */
function contentOf(command: PolicyCommand, state: PolicyState): Pick<Publication, 'policy' | 'changes'> | Refusal {
  if (command.changes) return policyAt(state, command.effectiveFrom) ? { changes: command.changes } : noPolicy;
  if (!policyAt(state, command.at)) return { policy: command.policy };
  const copied = versionCopied(command, state);
  return isRefusal(copied) ? copied : { changes: changesBetween(copied.policy, command.policy) };
}

/** A planned version may have taken effect after the copy was made: then only its author knows what it is a copy of. */
function versionCopied(
  { at, seenVersion }: { readonly at: Instant; readonly seenVersion?: number },
  state: PolicyState,
): PolicyVersion | Refusal {
  if (seenVersion !== undefined)
    return (
      state.versions[seenVersion - 1] ??
      refuse('policy-version-unknown', `there is no version ${seenVersion} of the policy`, 'POL-2')
    );
  const inForce = policyAt(state, at) as PolicyVersion;
  const publishedLast = state.versions.at(-1)?.at ?? at;
  if (policyAt(state, publishedLast) === inForce) return inForce;
  const message = `version ${inForce.version} took effect since a policy was published last: say which version this is a copy of`;
  return refuse('policy-copy-unclear', message, 'POL-2');
}

/** Whether the new version, or one that is planned for later and goes by it, would contradict itself. */
function contradictionBy(published: Publication, command: PolicyCommand, state: PolicyState): Refusal | undefined {
  for (const { version, policy, effectiveFrom } of versionsReachedBy(published, state.versions)) {
    const nonsense = contradictionIn(policy);
    if (!nonsense) continue;
    const [fields, why] = nonsense;
    const which = version === published.version ? '' : `version ${version}, planned for ${effectiveFrom}: `;
    // Of several that contradict each other, the author is told one that they sent.
    const sent = fields.find((field) => !command.changes || Object.hasOwn(command.changes, field)) ?? fields[0];
    const path = `${command.changes ? 'changes' : 'policy'}.${sent}`;
    return { ...refuse('policy-contradicts-itself', `${which}${fields[0]} ${why}`, 'POL-1'), field: path };
  }
  return undefined;
}

/** The policy in force at an instant. */
export const policyAt = (state: PolicyState, at: Instant): PolicyVersion | undefined => inEffectAt(state.versions, at);

/** When the next published policy takes effect: work that depends on the policy may then be due earlier. */
export const nextPolicyChange = ({ versions }: PolicyState, after: Instant): Instant | undefined =>
  earliest(versions.map(({ effectiveFrom }) => effectiveFrom).filter((at) => at > after));

export const noPolicy = refuse('no-policy', 'no policy is in force yet', 'POL-1');
