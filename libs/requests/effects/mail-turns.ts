import { callsInTurn, type InTurn } from '#event-store/in-turn';
import { MOST_MAILS_AT_ONCE } from '#gateways/mail';
import { MailNotSent } from '#gateways/mail-failures';

/** What a gateway for mails threw. */
export class GatewayFailed extends Error {
  constructor(cause: unknown) {
    super('the gateway for mails failed', { cause });
  }
}

/**
 * Sends mails, each when its turn has come. A server that is away is not asked once for each mail that waits for it: those fail
 * with the one that asked (RFC 5321, 4.5.4.1). @throws GatewayFailed
 */
export function mailTurns(): InTurn {
  const inTurn = callsInTurn(MOST_MAILS_AT_ONCE);
  let outages = 0;
  let last: GatewayFailed | undefined;
  return async (send, isFirst) => {
    const outagesBefore = outages;
    return inTurn(async () => {
      if (last && outages > outagesBefore) throw last;
      try {
        return await send();
      } catch (error) {
        if (error instanceof GatewayFailed && isAway(error)) {
          outages += 1;
          last = error;
        }
        throw error;
      }
    }, isFirst);
  };
}

const isAway = ({ cause }: GatewayFailed): boolean => cause instanceof MailNotSent && cause.isAboutServer;
