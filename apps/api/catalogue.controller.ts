import { Body, Controller, Get, Inject, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type CatalogueCommand, catalogueStream } from '#domain/catalogue/catalogue';
import type { Draft } from '#requests/plain-command';
import { setPriceExample } from '#requests/price-history';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import {
  anExample,
  ChangeLoyaltyQualificationBody,
  ChangeUsualDeliveryBody,
  ChangeWebAddressBody,
  DefineLeadTypeBody,
  leadType,
  leadTypes,
  OpenStoreBody,
  PriceHistoryQuery,
  PricesQuery,
  prices,
  RenameLeadTypeBody,
  RenameStoreBody,
  SetPriceBody,
  SetStatementDescriptorBody,
  setPrices,
  statementDescriptor,
  store,
  stores,
} from './catalogue-bodies.ts';
import { HistoryQuery, HistoryRoute } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';

@ApiTags('catalogue')
@Controller('api')
export class CatalogueController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get('catalogue/history')
  @HistoryRoute('All that was defined, set and corrected in the catalogue: by whom, when and why (CAT-5)')
  async getCatalogueHistory(@Query() { at }: HistoryQuery, @Reading() reader: Reader) {
    const found = await this.#queries.catalogue.history(reader, { at });
    if (!found) throw notFound('catalogue', 'main');
    return found;
  }

  @Get('stores')
  @ApiOperation({ summary: 'All stores' })
  @Responds(200, 'The stores.', stores, { items: [anExample.store] })
  async listStores(@Reading() reader: Reader) {
    return stores.parse({ items: await this.#queries.catalogue.listStores(reader) });
  }

  @Post('stores')
  @CommandRoute({ summary: 'Open a store', idName: 'storeId', records: ['StoreOpened'], creates: '/api/stores' })
  openStore(@Body() body: OpenStoreBody, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.catalogue.openStore(body, context);
  }

  @Get('stores/:storeId')
  @ApiOperation({ summary: 'A store; its ETag is what If-Match compares when it is corrected' })
  @Responds(200, 'The store.', store, anExample.store)
  @Problems(404)
  async getStore(@IdOf('store') storeId: string, @Reading() reader: Reader) {
    const found = await this.#queries.catalogue.getStore(reader, { storeId });
    if (!found) throw notFound('store', storeId);
    return store.parse(found);
  }

  @Put('stores/:storeId/name')
  @CommandRoute({
    summary: 'Rename a store, with a Leadger-Reason (CAT-5)',
    idName: 'storeId',
    records: ['StoreRenamed'],
  })
  renameStore(
    @IdOf('store') storeId: string,
    @Body() body: RenameStoreBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#correct(storeId, { type: 'RenameStore', storeId, ...body }, context);
  }

  @Put('stores/:storeId/web-address')
  @CommandRoute({
    summary: 'Change the web address of a store, with a Leadger-Reason (CAT-5)',
    idName: 'storeId',
    records: ['WebAddressChanged'],
  })
  changeWebAddress(
    @IdOf('store') storeId: string,
    @Body() body: ChangeWebAddressBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#correct(storeId, { type: 'ChangeWebAddress', storeId, ...body }, context);
  }

  @Get('statement-descriptor')
  @ApiOperation({
    summary:
      'The statement descriptor of all stores, as it was set (STO-2). New orders show what of it the payment provider shows',
  })
  @Responds(200, 'The statement descriptor.', statementDescriptor, { statementDescriptor: 'LEADGER', revision: 3 })
  getStatementDescriptor(@Reading() reader: Reader) {
    return this.#queries.catalogue.getStatementDescriptor(reader);
  }

  @Put('statement-descriptor')
  @CommandRoute({ summary: 'Set what card statements show', records: ['StatementDescriptorSet'] })
  setStatementDescriptor(
    @Body() { statementDescriptor }: SetStatementDescriptorBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.catalogue.setStatementDescriptor(statementDescriptor, context);
  }

  @Get('lead-types')
  @ApiOperation({ summary: 'All lead types' })
  @Responds(200, 'The lead types.', leadTypes, { items: [anExample.leadType] })
  async listLeadTypes(@Reading() reader: Reader) {
    return leadTypes.parse({ items: await this.#queries.catalogue.listLeadTypes(reader) });
  }

  @Post('lead-types')
  @CommandRoute({
    summary: 'Define a lead type',
    idName: 'leadTypeId',
    records: ['LeadTypeDefined'],
    creates: '/api/lead-types',
  })
  defineLeadType(@Body() body: DefineLeadTypeBody, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.catalogue.defineLeadType(body, context);
  }

  @Get('lead-types/:leadTypeId')
  @ApiOperation({ summary: 'A lead type; its ETag is what If-Match compares when it is corrected' })
  @Responds(200, 'The lead type.', leadType, anExample.leadType)
  @Problems(404)
  async getLeadType(@IdOf('leadType') leadTypeId: string, @Reading() reader: Reader) {
    const found = await this.#queries.catalogue.getLeadType(reader, { leadTypeId });
    if (!found) throw notFound('lead type', leadTypeId);
    return leadType.parse(found);
  }

  @Put('lead-types/:leadTypeId/name')
  @CommandRoute({
    summary: 'Rename a lead type, with a Leadger-Reason (CAT-5)',
    idName: 'leadTypeId',
    records: ['LeadTypeRenamed'],
  })
  renameLeadType(
    @IdOf('leadType') leadTypeId: string,
    @Body() body: RenameLeadTypeBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#correct(leadTypeId, { type: 'RenameLeadType', leadTypeId, ...body }, context);
  }

  @Put('lead-types/:leadTypeId/usual-delivery')
  @CommandRoute({
    summary: 'Change the usual delivery time of a lead type, for new orders, with a Leadger-Reason (CAT-2, CAT-5)',
    idName: 'leadTypeId',
    records: ['UsualDeliveryChanged'],
  })
  changeUsualDelivery(
    @IdOf('leadType') leadTypeId: string,
    @Body() body: ChangeUsualDeliveryBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#correct(leadTypeId, { type: 'ChangeUsualDelivery', leadTypeId, ...body }, context);
  }

  @Put('lead-types/:leadTypeId/loyalty-qualification')
  @CommandRoute({
    summary:
      'Say whether a shared lead type qualifies for Loyalty Rewards, for new orders, with a Leadger-Reason (CAT-4, CAT-5)',
    idName: 'leadTypeId',
    records: ['LoyaltyQualificationChanged'],
  })
  changeLoyaltyQualification(
    @IdOf('leadType') leadTypeId: string,
    @Body() body: ChangeLoyaltyQualificationBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#correct(leadTypeId, { type: 'ChangeLoyaltyQualification', leadTypeId, ...body }, context);
  }

  @Post('lead-types/:leadTypeId/retire')
  @CommandRoute({
    summary:
      'Retire a lead type: it is not sold any more, and its open orders are served. With a Leadger-Reason (CAT-5)',
    idName: 'leadTypeId',
    records: ['LeadTypeRetired'],
    takesNothing: true,
  })
  retireLeadType(@IdOf('leadType') leadTypeId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#correct(leadTypeId, { type: 'RetireLeadType', leadTypeId }, context);
  }

  @Post('lead-types/:leadTypeId/reopen')
  @CommandRoute({
    summary: 'Sell a lead type again that was retired, with a Leadger-Reason (CAT-5)',
    idName: 'leadTypeId',
    records: ['LeadTypeReopened'],
    takesNothing: true,
  })
  reopenLeadType(@IdOf('leadType') leadTypeId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#correct(leadTypeId, { type: 'ReopenLeadType', leadTypeId }, context);
  }

  @Get('prices')
  @ApiOperation({ summary: 'All prices, past, present and future, with the instants from which they are effective' })
  @Responds(200, 'The prices.', prices, { items: [anExample.price] })
  @Problems(400)
  async listPrices(@Query() query: PricesQuery, @Reading() reader: Reader) {
    return prices.parse({ items: await this.#queries.catalogue.listPrices(reader, query) });
  }

  @Get('prices/history')
  @ApiOperation({ summary: 'Every price that was set, oldest first: by whom, when and why (CAT-3)' })
  @Responds(200, 'The prices, also those that another one for the same instant replaced.', setPrices, {
    items: [setPriceExample],
  })
  @Problems(400, 403)
  async listPriceHistory(@Query() query: PriceHistoryQuery, @Reading() reader: Reader) {
    return { items: await this.#queries.catalogue.listPriceHistory(reader, query) };
  }

  @Post('prices')
  @CommandRoute({ summary: 'Set a price (CAT-3)', records: ['PriceSet'], creates: '/api/prices' })
  setPrice(@Body() body: SetPriceBody, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.catalogue.setPrice(body, context);
  }

  async #correct(id: string, draft: Draft<CatalogueCommand>, context: RequestContext): Promise<Receipt> {
    return { ...(await this.#requests.send(catalogueStream, draft, context)), id };
  }
}
