import { customerStream } from '#domain/accounts/customer';
import { catalogueStream } from '#domain/catalogue/catalogue';
import { decode, type FactOf } from '#domain/codec';
import type { Sealed } from '#domain/kernel/events';
import type { MailFacts } from '#domain/notifications/mail-facts';
import { receiptsStream } from '#domain/receipts/receipts';
import { buyerLines } from '#domain/receipts/sheet';
import type { EventStore } from '#event-store/port';
import type { Attachment } from '#gateways/mail';
import { receiptPdf } from '#gateways/receipt-pdf';
import { receiptFileName } from '#gateways/receipt-texts';
import { forReaders, type Vault } from '#vault/vault';
import { openedBuyer, receiptSheet } from '../receipts.ts';
import type { StreamCache } from '../stream-cache.ts';

interface ReceiptDependencies {
  readonly streams: StreamCache;
  readonly events: EventStore;
  readonly vault: Vault;
}

/** The receipt that a mail brings, as a PDF (CHK-8). */
export async function attachedReceipt(
  facts: MailFacts,
  { streams, events, vault }: ReceiptDependencies,
): Promise<Attachment> {
  const { storeId = '', receiptNumber = 1 } = facts;
  const {
    at: issuedAt,
    chargeNumber = null,
    refundNumber = null,
    ...issued
  } = await issuedReceipt(events, storeId, receiptNumber);
  const [{ state: catalogue }, { state: customer }] = await Promise.all([
    streams.read<'catalogue'>(catalogueStream),
    streams.read<'customer'>(customerStream(issued.customerId)),
  ]);
  const shown = forReaders(vault);
  const open = async <Value>(box: Sealed | undefined) => ((box && (await shown.open(box))) ?? null) as Value | null;
  const buyer = buyerLines(await openedBuyer(customer, open));
  const sheet = receiptSheet({ ...issued, storeId, issuedAt, chargeNumber, refundNumber }, catalogue, buyer);
  return { filename: receiptFileName(sheet), contentType: 'application/pdf', content: await receiptPdf(sheet) };
}

/** Each number is one event, so receipt n is not before event n of its stream. */
async function issuedReceipt(
  events: EventStore,
  storeId: string,
  number: number,
): Promise<FactOf<'ReceiptIssued'>['data']> {
  for await (const event of events.readStream(receiptsStream(storeId), { from: number - 1 })) {
    if (event.type !== 'ReceiptIssued') continue;
    const { data } = decode(event) as FactOf<'ReceiptIssued'>;
    if (data.number === number) return data;
  }
  throw new Error(`store ${storeId} has no receipt ${number}`);
}
