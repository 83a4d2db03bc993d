import { randomUUID } from 'node:crypto';
import { type Activities, activityTime } from '#domain/kernel/activities';
import { failureIn } from '#gateways/failures';
import { type Look, READ_MAILBOX } from '#gateways/mailbox';
import { readSupportLetter, type SupportMail } from '#gateways/support-mail';
import type { LetterTaken } from './letters.ts';
import type { Requests } from './requests.ts';

export interface MailTaking {
  readonly requests: Pick<Requests, 'support'>;
  readonly activities: Activities;
  readonly mail: SupportMail;
}

const ID = 'support-mail';

/** Takes one mail, whichever way it came, and tells what became of it. @throws when it cannot be recorded now */
export async function takeSupportMail(
  { requests, activities, mail }: MailTaking,
  raw: Uint8Array,
  recipients: readonly string[] = [],
): Promise<LetterTaken> {
  const startedAt = activityTime();
  const tell = (name: string, ending: { outcome: 'done' | 'failed'; stream?: string; reason?: string }) =>
    activities.tell({
      kind: 'support-mail',
      id: ID,
      correlationId: ID,
      name,
      startedAt,
      endedAt: activityTime(),
      ...ending,
    });
  try {
    const taken = await requests.support.takeLetter(await readSupportLetter(raw, recipients), mail);
    tell(taken.result, { outcome: 'done', stream: `ticket-${taken.ticketId}` });
    return taken;
  } catch (error) {
    tell('failed', { outcome: 'failed', reason: failureIn(error) });
    throw error;
  }
}

/** Tells each look into the mailbox as a call to the outside, with the number of looks that failed one after the other. */
export function lookTeller(activities: Activities): (look: Look) => void {
  let attempt = 1;
  return ({ startedAt, failure, taken, waiting }) => {
    const id = randomUUID();
    const ending =
      failure === undefined ? { outcome: 'done' as const } : { outcome: 'failed' as const, reason: failure };
    const call = { kind: 'effect', id, correlationId: id, name: READ_MAILBOX, attempt } as const;
    activities.tell({ ...call, startedAt, endedAt: activityTime(), ...ending, details: { taken, waiting } });
    attempt = failure === undefined ? 1 : attempt + 1;
  };
}
