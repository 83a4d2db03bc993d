import { Body, Controller, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { CommandRoute } from './answers.ts';
import { Asking } from './caller.ts';
import { Id, Line, Text } from './fields.ts';
import { IdOf } from './ids.ts';

class RequestReplacementBody {
  @Id({ description: 'to which order the lead was delivered', example: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10' })
  orderId!: string;

  @Id({ description: 'the bad lead', example: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33' })
  leadId!: string;

  @Line({ description: 'one of the reasons that the policy lists (RPL-3, RPL-4)', example: 'telephone disconnected' })
  reason!: string;

  @Text({ description: 'what happened, for whoever verifies it', example: 'Dead line, tried twice.', optional: true })
  note?: string;
}

class DenyBody {
  @Text({ description: 'why, for the customer (RPL-7)', example: 'The number works: we reached the person today.' })
  explanation!: string;
}

@ApiTags('replacements')
@Controller('api/replacements')
export class ReplacementsController {
  readonly #requests: Requests;

  constructor(@Inject(Requests) requests: Requests) {
    this.#requests = requests;
  }

  @Post()
  @CommandRoute({
    summary: 'Return a bad lead (RPL-1); one with an invalid reason, or too late, is denied at once (RPL-8)',
    records: ['ReplacementRequested'],
    creates: '/api/replacements/:id',
  })
  request(@Body() body: RequestReplacementBody, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.requestReplacement(body, caller);
  }

  @Post(':replacementId/grant')
  @CommandRoute({ summary: 'Grant a return (RPL-6)', records: ['ChargebackGranted'], takesNothing: true })
  grant(@IdOf('replacement') replacementId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.grantChargeback(replacementId, caller);
  }

  @Post(':replacementId/deny')
  @CommandRoute({ summary: 'Deny a return (RPL-7)', records: ['ChargebackDenied'] })
  deny(
    @IdOf('replacement') replacementId: string,
    @Body() { explanation }: DenyBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.denyChargeback(replacementId, explanation, caller);
  }
}
