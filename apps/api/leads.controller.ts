import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { type Contact, contact } from '#domain/leads/contact';
import { leadStream } from '#domain/leads/lead';
import type { EventStore } from '#event-store/port';
import type { Vault } from '#vault/vault';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { EVENT_STORE, VAULT } from '#wiring/tokens';
import { Answers, CommandRoute, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { Conforming, Id, InstantField, Line } from './fields.ts';
import { HistoryQuery, history, historyExample, historyOf } from './history.ts';
import { IdOf, notFound } from './ids.ts';

class ReceiveLeadBody {
  @Id({ description: 'what it is sold as', example: 'exclusive-real-time' })
  leadTypeId!: string;

  @Line({ description: 'where it comes from', example: 'landing-page-7', maxLength: 100 })
  source!: string;

  @InstantField({
    description: 'when the person asked to be contacted',
    example: '2026-03-01T09:29:58Z',
    optional: true,
  })
  capturedAt?: Instant;

  @Conforming(contact, {
    description: 'the person, with a telephone number or an e-mail address at least; sealed before it is stored',
    example: { firstName: 'Ada', lastName: 'Byron', telephone: '+1 212 555 0142', email: 'ada@example.com' },
  })
  contact!: Contact;
}

@ApiTags('leads')
@Controller('api/leads')
export class LeadsController {
  readonly #requests: Requests;
  readonly #stores: { events: EventStore; vault: Vault };

  constructor(
    @Inject(Requests) requests: Requests,
    @Inject(EVENT_STORE) events: EventStore,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#requests = requests;
    this.#stores = { events, vault };
  }

  @Post()
  @CommandRoute({
    summary: 'Take in one lead; it is offered at once (DLV-6)',
    records: ['LeadReceived'],
    creates: '/api/leads/:id',
  })
  async receive(@Body() body: ReceiveLeadBody, @Asking() caller: Caller): Promise<Answer> {
    // A key makes the lead; without one, the same capture of the same person is the same lead.
    const identity = caller.requestHash
      ? { leadId: deriveId('lead', caller.commandId) }
      : { occasion: caller.commandId };
    const [answer] = await this.#requests.receiveLeads([{ ...body, ...identity }], caller);
    return answer as Answer;
  }

  @Get(':leadId/history')
  @ApiOperation({ summary: 'All that happened to a lead, and what it came to' })
  @Answers(200, 'the history', history, historyExample)
  @Problems(400, 404)
  async history(@IdOf('lead') leadId: string, @Query() { at }: HistoryQuery) {
    const told = await historyOf(this.#stores, leadStream(leadId), at);
    if (!told) throw notFound('lead', leadId);
    return told;
  }
}
