import { customerStream, isRegistered, notRegistered } from '#domain/accounts/customer';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import type { CommandOf } from '#domain/ledger';
import { noPolicy, policyAt, policyStream } from '#domain/policy/policy';
import { type AnswerPolicy, ticket, ticketStream, unknownTicket } from '#domain/support/ticket';
import type { SupportLetter, SupportMail } from '#gateways/support-mail';
import type { TicketRow } from '#read-models/models/tickets';
import type { Marked } from '#read-models/queries/damaged';
import { seal } from './account-seals.ts';
import type { HistoryRequest } from './histories.ts';
import { personKeys } from './lead-receipt.ts';
import { takeLetter } from './letters.ts';
import { listOpened, openRow, type QueryTools } from './query-tools.ts';
import type { Receipt, RequestContext, RequestDependencies, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';
import { listWholeHistory, type WholeHistoryRequest } from './whole-history.ts';

interface OpenTicketRequest {
  readonly customerId: string;
  readonly subject: string;
  readonly message: string;
  /** Set when the customer asks to be called back. */
  readonly callBack?: { readonly telephone: string };
}

type TicketCommand = CommandOf<'ticket'>;

/** What customers ask of support, and how support answers (SUP). All texts are sealed under the customer's key. */
export const supportRequests = (tools: RequestTools) => ({
  openTicket: (request: OpenTicketRequest, context: RequestContext) => openTicket(tools, request, context),
  answerTicket: (ticketId: string, answer: string, context: RequestContext) =>
    onTicket(tools, ticketId, 'AnswerTicket', context, async (customerId, at) => ({
      type: 'AnswerTicket',
      at,
      answer: await seal(tools.vault, customerId, 'answer', answer),
    })),
  writeAgain: (ticketId: string, message: string, context: RequestContext) =>
    onTicket(tools, ticketId, 'WriteAgain', context, (customerId, at) => writeAgain(tools, customerId, message, at)),
  /** A mail to support, once. */
  takeLetter: (letter: SupportLetter, supportMail: SupportMail) => takeLetter(tools, letter, supportMail),
  /** A mail that was set aside is a ticket from now on, to be answered as any other. */
  takeUpLetter: (ticketId: string, context: RequestContext) =>
    onTicket(tools, ticketId, 'TakeUpLetter', context, async (_, at) => {
      const promised = await answerPolicy(tools, at);
      return 'refused' in promised ? promised : { type: 'TakeUpLetter', at, answerPolicy: promised };
    }),
  closeTicket: (ticketId: string, context: RequestContext) =>
    onTicket(tools, ticketId, 'CloseTicket', context, async (_, at) => ({ type: 'CloseTicket', at })),
});

async function openTicket(tools: RequestTools, letter: OpenTicketRequest, context: RequestContext): Promise<Receipt> {
  const id = deriveId('ticket', context.commandId);
  const { customerId } = letter;
  const { storeId } = await tools.stateOf<'customer'>(customerStream(customerId));
  const draft = { type: 'OpenTicket', customerId, storeId } as const;
  const refusal = checkRightEarly(ticketStream(id), draft, ticket.initialState(), context);
  if (refusal) return tools.refuse(id, ticketStream(id), refusal, context);
  return tools.send(id, ticketStream(id), await opening(tools, letter), context);
}

async function opening(
  tools: RequestTools,
  { customerId, subject, message, callBack }: OpenTicketRequest,
): Promise<TicketCommand | Refusal> {
  const at = tools.now();
  const [customer, promised] = await Promise.all([
    tools.stateOf<'customer'>(customerStream(customerId)),
    answerPolicy(tools, at),
  ]);
  if (!isRegistered(customer)) return notRegistered;
  if ('refused' in promised) return promised;
  return {
    type: 'OpenTicket',
    at,
    customerId,
    storeId: customer.storeId,
    subject: await seal(tools.vault, customerId, 'subject', subject),
    message: await seal(tools.vault, customerId, 'message', message),
    ...(callBack && (await sealedCallBack(tools, customerId, callBack.telephone))),
    answerPolicy: promised,
  };
}

const sealedCallBack = async ({ vault }: RequestTools, customerId: string, telephone: string) => ({
  callBackTelephone: await seal(vault, customerId, 'telephone', telephone),
  ...personKeys(vault, { telephone }),
});

async function writeAgain(
  tools: RequestTools,
  customerId: string,
  message: string,
  at: Instant,
): Promise<TicketCommand | Refusal> {
  const promised = await answerPolicy(tools, at);
  if ('refused' in promised) return promised;
  return {
    type: 'WriteAgain',
    at,
    message: await seal(tools.vault, customerId, 'message', message),
    answerPolicy: promised,
  };
}

/** Nothing is sealed for a ticket that does not exist, nor for a caller without the right. */
async function onTicket(
  tools: RequestTools,
  ticketId: string,
  type: 'AnswerTicket' | 'WriteAgain' | 'TakeUpLetter' | 'CloseTicket',
  context: RequestContext,
  commandFor: (customerId: string, at: Instant) => Promise<TicketCommand | Refusal>,
): Promise<Receipt> {
  const stream = ticketStream(ticketId);
  const state = await tools.stateOf<'ticket'>(stream);
  if (state.status === 'unknown') return tools.send(ticketId, stream, unknownTicket, context);
  const refusal = checkRightEarly(stream, { type }, state, context);
  if (refusal) return tools.refuse(ticketId, stream, refusal, context);
  return tools.send(ticketId, stream, await commandFor(state.customerId, tools.now()), context);
}

/** The response time that the policy promises at that moment. */
export async function answerPolicy({ stateOf }: RequestTools, at: Instant): Promise<AnswerPolicy | Refusal> {
  const inForce = policyAt(await stateOf<'policy'>(policyStream), at);
  return inForce ? { policyVersion: inForce.version, ...inForce.policy } : noPolicy;
}

/** Tickets with their texts opened, and all that happened to a customer. */
export function supportQueries(tools: QueryTools & RequestDependencies) {
  const { tickets } = tools.rows;
  const open = (context: RequestContext, row: Marked<TicketRow>) => openTicketRow(tools, context, row);
  return {
    listTickets: listOpened(tickets.list, open),
    async getTicket(context: RequestContext, { ticketId }: { ticketId: string }) {
      const row = await tickets.find(context.caller, ticketId);
      return row && open(context, row);
    },
    ticketHistory: (context: RequestContext, { ticketId, ...upTo }: { ticketId: string } & HistoryRequest) =>
      tools.histories.of(context, ticketStream(ticketId), upTo),
    listWholeHistory: (context: RequestContext, request: WholeHistoryRequest) =>
      listWholeHistory(tools, context, request),
  };
}

const openTicketRow = (
  tools: QueryTools,
  context: RequestContext,
  { subject, messages, callBackTelephone, answerTo, ...row }: Marked<TicketRow>,
) =>
  openRow(tools, context, async (open) => ({
    ...row,
    subject: await open<string>(subject),
    messages: await Promise.all(
      messages.map(async ({ text, ...message }) => ({ ...message, text: await open<string>(text) })),
    ),
    callBackTelephone: await open<string>(callBackTelephone),
    answerTo: await open<string>(answerTo),
  }));
