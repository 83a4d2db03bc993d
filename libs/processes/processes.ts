import { addressClaims } from './address-claims.ts';
import { autoRestart } from './auto-restart.ts';
import { businessKeys } from './business-keys.ts';
import { checkoutCoupons } from './checkout-coupons.ts';
import { checkoutEnd } from './checkout-end.ts';
import { erasureCompletion } from './erasure-completion.ts';
import { leadAgeing } from './lead-ageing.ts';
import { leadDistribution } from './lead-distribution.ts';
import { leadWebhooks } from './lead-webhooks.ts';
import { loyaltyMembership } from './loyalty-membership.ts';
import { loyaltyRenewals } from './loyalty-renewals.ts';
import { mailing } from './mailing.ts';
import { payerErasure } from './payer-erasure.ts';
import { paymentCapture } from './payment-capture.ts';
import { personErasure } from './person-erasure.ts';
import { receipts } from './receipts.ts';
import { refunds } from './refunds.ts';
import { replacementDelivery } from './replacement-delivery.ts';
import { retention } from './retention.ts';
import { suppressedBuyers } from './suppressed-buyers.ts';
import { ticketDeadline } from './ticket-deadline.ts';
import { verificationDeadline } from './verification-deadline.ts';

/** Every process, in the order in which they are asked. */
export const processes = [
  personErasure,
  erasureCompletion,
  payerErasure,
  paymentCapture,
  refunds,
  receipts,
  loyaltyMembership,
  loyaltyRenewals,
  autoRestart,
  replacementDelivery,
  verificationDeadline,
  ticketDeadline,
  leadAgeing,
  businessKeys,
  leadDistribution,
  suppressedBuyers,
  checkoutCoupons,
  checkoutEnd,
  addressClaims,
  mailing,
  leadWebhooks,
  retention,
];
