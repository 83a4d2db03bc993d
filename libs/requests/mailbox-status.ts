import { type Mailbox, READ_MAILBOX } from '#gateways/mailbox';
import type { ProcessStatus } from '#processes/engine/process-run';

/** Health and metrics tell of the mailbox as of any other call to the outside. */
export function mailboxStatus(mailbox: Mailbox): ProcessStatus {
  const { failing, failingSince, lastError } = mailbox.status();
  const since = {
    ...(failingSince && { failingSince, noneAnsweredSince: failingSince }),
    ...(lastError && { lastError }),
  };
  const reading = { what: READ_MAILBOX, isEffect: true, failing, underWay: 0, ...since };
  return {
    ...{ name: 'support-mailbox', waitingForRetry: failing, parked: 0 },
    ...(lastError && { lastError }),
    withoutResult: failing > 0 ? [reading] : [],
  };
}
