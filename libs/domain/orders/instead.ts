import type { OrderStatus } from './order.ts';

/** Of a command that an order may refuse: its programme in Loyalty Rewards is cancelled, so what is said instead differs. */
export interface Advised {
  readonly renewsNoMore?: boolean;
}

/**
 * What to do in place of what an order refuses in this state (NTF-5).
 * @param what what was asked, as in "it cannot be …"
 * @param mayRenew whether the order has a programme in Loyalty Rewards that goes on
 */
export function insteadOf(what: string, status: OrderStatus | 'unknown', mayRenew: boolean): string {
  switch (status) {
    case 'awaiting-payment':
      return 'wait until its payment is captured, or cancel it';
    case 'open':
      return 'pause or cancel it';
    case 'paused':
      return 'restart it first';
    case 'filled':
      return mayRenew ? ofMember(what) : ofFilled(what);
    default:
      return 'place a new order';
  }
}

/** A filled order may be re-opened by its programme only. */
function ofMember(what: string): string {
  if (what === 'cancelled') return 'cancel the programme, so that it does not renew';
  if (what === 'paused') return 'hold the programme, so that it does not renew';
  return 'wait for its next renewal, or place a new order';
}

const ofFilled = (what: string): string =>
  what === 'cancelled' ? 'nothing of it is left to deliver' : 'place a new order';
