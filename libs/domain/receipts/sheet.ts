import type { Instant } from '../kernel/events.ts';
import type { ReceiptLine } from './lines.ts';
import type { receiptKinds } from './receipts.ts';
import type { TaxShare } from './taxes.ts';

/** What a printed receipt shows. The personal part is opened when it is shown, and is not in the log. */
export interface ReceiptSheet {
  readonly storeName: string;
  readonly webAddress: string;
  readonly leadTypeName: string;
  /** Who paid: name, business and postal address, in lines. Empty when nothing is known, or the person was erased. */
  readonly buyer: readonly string[];
  readonly number: number;
  readonly kind: (typeof receiptKinds)[number];
  /** Of a refund: the number of the receipt of the charge. */
  readonly chargeNumber: number | null;
  /** Of a refund that came back: the number of its receipt. */
  readonly refundNumber: number | null;
  readonly orderId: string;
  readonly renewalNumber: number;
  readonly paidAt: Instant;
  readonly issuedAt: Instant;
  readonly amountCents: number;
  readonly currency: string;
  readonly lines: readonly ReceiptLine[];
  readonly taxes: readonly TaxShare[];
}

interface Address {
  readonly address: string;
  readonly city: string;
  readonly state?: string | undefined;
  readonly postalCode?: string | undefined;
  readonly country: string;
}

interface Buyer {
  readonly name?:
    | { readonly firstName?: string | undefined; readonly lastName?: string | undefined }
    | null
    | undefined;
  readonly business?: string | null | undefined;
  readonly postalAddress?: Address | null | undefined;
}

const joined = (...parts: readonly (string | undefined)[]): string => parts.filter((part) => part).join(' ');

export function buyerLines({ name, business, postalAddress: place }: Buyer): readonly string[] {
  const town = place && [joined(place.city, place.state, place.postalCode), place.country];
  const lines = [joined(name?.firstName, name?.lastName), business ?? '', place?.address ?? '', ...(town ?? [])];
  return lines.filter((line) => line !== '');
}
