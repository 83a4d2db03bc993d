import type { CommandOf } from '#domain/ledger';
import { programmeStream } from '#domain/loyalty/programme';
import { orderStream } from '#domain/orders/order';
import type { Answer, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

/** An order's programme in Loyalty Rewards (LOY). */
export function programmeRequests(tools: RequestTools) {
  const { now } = tools;
  return {
    hold: (orderId: string, context: RequestContext) =>
      send(tools, orderId, { type: 'HoldProgramme', at: now() }, context),
    activate: (orderId: string, context: RequestContext) =>
      send(tools, orderId, { type: 'ActivateProgramme', at: now() }, context),
    cancel: (orderId: string, context: RequestContext) =>
      send(tools, orderId, { type: 'CancelProgramme', at: now(), cause: 'customer' }, context),
  };
}

/** An order that never joined has no programme that could name its customer: then only the order tells whose it is. */
async function send(
  tools: RequestTools,
  orderId: string,
  command: CommandOf<'programme'>,
  context: RequestContext,
): Promise<Answer> {
  const order = await tools.stateOf<'order'>(orderStream(orderId));
  const refusal = checkRightEarly(orderStream(orderId), { type: 'CancelOrder' }, order, context);
  if (refusal) return tools.refuse(orderId, programmeStream(orderId), refusal, context);
  return tools.send(orderId, programmeStream(orderId), command, context);
}
