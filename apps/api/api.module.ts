import { Module } from '@nestjs/common';
import { ApiKeysController } from './api-keys.controller.ts';
import { AttentionController } from './attention.controller.ts';
import { BusinessMergesController } from './business-merges.controller.ts';
import { CatalogueController } from './catalogue.controller.ts';
import { CheckoutsController } from './checkouts.controller.ts';
import { CouponUsesController } from './coupon-uses.controller.ts';
import { CouponsController } from './coupons.controller.ts';
import { CustomersController } from './customers.controller.ts';
import { DamagedStreamsController } from './damaged-streams.controller.ts';
import { DeliveredLeadsController } from './delivered-leads.controller.ts';
import { FactorsController } from './factors.controller.ts';
import { FeedController, FeedTurns } from './feed.controller.ts';
import { LeadFormsController } from './lead-forms.controller.ts';
import { LeadsController } from './leads.controller.ts';
import { MailsController } from './mails.controller.ts';
import { MissedRenewalsController } from './missed-renewals.controller.ts';
import { OperationsController } from './operations.controller.ts';
import { OrderLinksController } from './order-links.controller.ts';
import { OrdersController } from './orders.controller.ts';
import { PasskeysController } from './passkeys.controller.ts';
import { PaymentNoticesController } from './payment-notices.controller.ts';
import { PersonsController } from './persons.controller.ts';
import { PolicyController } from './policy.controller.ts';
import { ProcessesController } from './processes.controller.ts';
import { ProgrammesController } from './programmes.controller.ts';
import { LargeReads } from './quotas.ts';
import { ReadModelsController } from './read-models.controller.ts';
import { ReceiptsController } from './receipts.controller.ts';
import { RefundsController } from './refunds.controller.ts';
import { ReplacementsController } from './replacements.controller.ts';
import { SessionsController } from './sessions.controller.ts';
import { SessionsOfAccountsController } from './sessions-of-accounts.controller.ts';
import { SignInController } from './sign-in.controller.ts';
import { StaffController } from './staff.controller.ts';
import { SupportMailsController } from './support-mails.controller.ts';
import { SuppressionsController } from './suppressions.controller.ts';
import { TicketsController } from './tickets.controller.ts';
import { UnsubscriptionsController } from './unsubscriptions.controller.ts';
import { WebhooksController } from './webhooks.controller.ts';
import { WholeHistoryController } from './whole-history.controller.ts';

/** Health and metrics of a program: the only routes of a worker. */
@Module({ controllers: [OperationsController] })
export class OperationsModule {}

@Module({
  imports: [OperationsModule],
  controllers: [
    CatalogueController,
    PolicyController,
    CheckoutsController,
    BusinessMergesController,
    CouponsController,
    CouponUsesController,
    CustomersController,
    DeliveredLeadsController,
    OrdersController,
    OrderLinksController,
    RefundsController,
    ReceiptsController,
    PaymentNoticesController,
    SupportMailsController,
    AttentionController,
    FeedController,
    ProgrammesController,
    MissedRenewalsController,
    LeadsController,
    LeadFormsController,
    ReplacementsController,
    MailsController,
    UnsubscriptionsController,
    WebhooksController,
    TicketsController,
    WholeHistoryController,
    PersonsController,
    SuppressionsController,
    ProcessesController,
    DamagedStreamsController,
    ReadModelsController,
    SignInController,
    SessionsController,
    SessionsOfAccountsController,
    FactorsController,
    PasskeysController,
    StaffController,
    ApiKeysController,
  ],
  providers: [FeedTurns, LargeReads],
})
export class ApiModule {}
