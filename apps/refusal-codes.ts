import type { ErrorCode } from './error-codes.ts';

const refused = (status: number, meaning: string, whatToDo: string, field?: string): ErrorCode => ({
  status,
  meaning,
  whatToDo,
  ...(field !== undefined && { field }),
});

/**
 * Refusals: a rule of the store does not allow the request. Nothing was recorded. Where the path names the field, the
 * status is 404.
 */
export const refusalCodes: Readonly<Record<string, ErrorCode>> = {
  'no-policy': refused(409, 'No policy is in force.', 'Publish a policy that is in force now.'),
  'not-yours': refused(403, 'This belongs to another customer.', 'Use the ids of the customer who asks.'),
  'staff-only': refused(403, 'Only staff may do this.', 'Send it as staff (Leadger-Actor: staff:ID).'),
  'support-only': refused(403, 'Only support may do this.', 'Send it as staff (Leadger-Actor: staff:ID).'),
  'process-only': refused(
    403,
    'Only the store itself does this, by its processes.',
    'Nothing: the store does it when it is due.',
  ),
  'reason-missing': refused(
    400,
    'Support gives a reason for what it does.',
    'Send the reason in Leadger-Reason.',
    'leadger-reason',
  ),
  'address-missing': refused(
    409,
    'A password needs an e-mail address to sign in with.',
    'Register with an e-mail address, or set and confirm one first.',
    'email',
  ),
  'address-taken': refused(
    409,
    'Another account has this e-mail address.',
    'Use another address, or sign in to that account.',
    'email',
  ),
  'business-association-empty': refused(
    409,
    'The business association has no letter and no digit.',
    'Send the name of the company or programme.',
    'businessAssociation',
  ),
  'customer-registered': refused(
    409,
    'The customer is registered already, with other details.',
    'Change the details with the routes of the customer.',
  ),
  'customer-unknown': refused(
    409,
    'There is no such customer.',
    'Register the customer first, or check the id.',
    'customerId',
  ),
  'person-erased': refused(
    409,
    'The person was erased. Nothing is stored about them any more.',
    'Nothing for this record. The same person can register again as a customer, and is not received as a lead again.',
  ),
  'link-invalid': refused(409, 'The link was used, has expired, or never existed.', 'Ask for a new link.', 'token'),
  'mail-always-sent': refused(
    409,
    'One of these kinds of mails cannot be switched off.',
    'Leave that kind out.',
    'mailsOff',
  ),
  'password-wrong': refused(
    409,
    'The current password is another one, or was changed at the same moment.',
    'Send the current password, or ask for a link to set a new one.',
    'currentPassword',
  ),
  'ages-into-wrong-type': refused(
    409,
    'Unsold leads of this type cannot become that type.',
    'Name the next older type of the same exclusivity, or none.',
    'agesInto',
  ),
  'lead-type-exists': refused(
    409,
    'The lead type is defined already, with other details.',
    'Choose another id: a lead type is never changed.',
    'leadTypeId',
  ),
  'not-sold': refused(
    409,
    'The store does not sell this lead type at present.',
    'Set a price first, or order another type.',
    'leadTypeId',
  ),
  'order-limits-crossed': refused(
    409,
    'The smallest order is larger than the largest.',
    'Exchange the two, or correct one.',
    'smallestOrder',
  ),
  'price-in-the-past': refused(
    409,
    'A price cannot take effect in the past.',
    'Send a later effectiveFrom, or none for now.',
    'effectiveFrom',
  ),
  'store-exists': refused(
    409,
    'The store is open already, with another name or address.',
    'Choose another id.',
    'storeId',
  ),
  'unknown-lead-type': refused(409, 'There is no such lead type.', 'Define it first, or check the id.', 'leadTypeId'),
  'unknown-store': refused(409, 'There is no such store.', 'Open it first, or check the id.', 'storeId'),
  'policy-contradicts-itself': refused(
    409,
    'Two values of the policy contradict each other.',
    'Correct the field that `errors` names.',
  ),
  'policy-in-the-past': refused(
    409,
    'A policy cannot take effect in the past.',
    'Send a later effectiveFrom, or none for now.',
    'effectiveFrom',
  ),
  'checkout-unknown': refused(409, 'There is no such checkout.', 'Start a checkout, or check the id.', 'checkoutId'),
  'checkout-placed': refused(
    409,
    'The order of this checkout was placed already.',
    'Read the order; start a new checkout for another one.',
  ),
  'checkout-abandoned': refused(409, 'The checkout was given up: its time ran out.', 'Start a new checkout.'),
  'one-coupon-only': refused(
    409,
    'The checkout has another coupon already, or support gave another code for it.',
    'Place the order, use the code from support, or start a new checkout.',
  ),
  'coupon-exists': refused(
    409,
    'The code is defined already.',
    'Choose another code: a coupon is never changed.',
    'couponCode',
  ),
  'coupon-never-valid': refused(
    409,
    'The coupon would end before it begins.',
    'Send a validUntil after validFrom.',
    'validUntil',
  ),
  'coupon-discount-taken': refused(
    409,
    'An order has the discount of this code, or is about to have it.',
    'Give another code only if the payment of that order fails, or the order is cancelled before it is paid.',
    'insteadOf',
  ),
  'coupon-replaced': refused(
    409,
    'The customer has another code in place of this one.',
    'The customer can use that code. Once it is used up, give a new one in its place.',
    'insteadOf',
  ),
  'coupon-not-used': refused(
    409,
    'The customer has not used this code up.',
    'The customer can still use the first code.',
    'insteadOf',
  ),
  'invalid-coupon': refused(
    409,
    'The coupon cannot be used here; `details.reason` says why.',
    'Place the order without it, or ask support for another code.',
    'couponCode',
  ),
  'other-total': refused(
    409,
    'The order costs another total than the customer was shown; `details` has both.',
    'Show the new total to the customer, and send it as expectedTotalCents.',
    'expectedTotalCents',
  ),
  'daily-maximum-on-batch-type': refused(
    409,
    'Fresh and aged leads have no daily maximum.',
    'Leave dailyMaximum out.',
    'dailyMaximum',
  ),
  'quantity-outside-limits': refused(
    409,
    'The quantity is below the smallest or above the largest order of this type.',
    'Send a quantity within the limits of the price.',
    'quantity',
  ),
  'not-in-loyalty-rewards': refused(
    409,
    'The lead type, or the order, does not take part in Loyalty Rewards.',
    'Leave loyalty out, or order a type that qualifies.',
    'loyalty',
  ),
  'unknown-cadence': refused(
    409,
    'The policy has no such cadence.',
    "Use a name of the policy's renewalCadences.",
    'loyalty.cadence',
  ),
  'order-unknown': refused(409, 'There is no such order.', 'Place the order first, or check the id.', 'orderId'),
  'order-awaiting-payment': refused(
    409,
    'The payment of the order is not captured yet.',
    'Wait for the payment, and send the request again; or cancel the order.',
  ),
  'order-payment-failed': refused(
    409,
    'The payment of the order was refused.',
    'Place a new order; for a checkout, start a new one.',
  ),
  'order-open': refused(409, 'The order is open, which does not allow this.', 'Pause or cancel the order.'),
  'order-paused': refused(409, 'The order is paused.', 'Restart the order first.'),
  'order-filled': refused(
    409,
    'The order is filled: all its leads were delivered.',
    'Cancel or hold its programme in Loyalty Rewards, where it has one; else place a new order.',
  ),
  'order-cancelled': refused(409, 'The order is cancelled.', 'Place a new order; for a checkout, start a new one.'),
  'programme-unknown': refused(
    409,
    'The order does not take part in Loyalty Rewards.',
    'Check the order id.',
    'orderId',
  ),
  'programme-cancelled': refused(409, 'The programme is cancelled.', 'Place a new order with loyalty to join again.'),
  'lead-unknown': refused(409, 'There is no such lead.', 'Check the id.', 'leadId'),
  'lead-not-delivered': refused(
    409,
    'The lead was not delivered to this order.',
    "Check both ids with the customer's leads.",
    'leadId',
  ),
  'contact-unknown': refused(
    409,
    'The customer has no such contact.',
    'Rate only leads that were delivered to the customer.',
    'leadId',
  ),
  'replacement-unknown': refused(409, 'There is no such replacement.', 'Check the id.', 'replacementId'),
  'return-reason-unknown': refused(
    409,
    'The policy lists no such reason for a return.',
    'Use one of the reasons in `detail`.',
    'reason',
  ),
  'return-requested': refused(
    409,
    'The return of this lead was requested already, for another reason.',
    'Read the return: its reason stands.',
    'reason',
  ),
  'already-decided': refused(
    409,
    'The return was granted or denied already.',
    'Read the replacement: the decision is final.',
  ),
  'mail-unknown': refused(409, 'There is no such mail.', 'Check the id.', 'mailId'),
  'webhook-unknown': refused(409, 'There is no such webhook message.', 'Check the id.', 'webhookId'),
  'ticket-unknown': refused(409, 'There is no such ticket.', 'Check the id.', 'ticketId'),
  'ticket-answered': refused(
    409,
    'The ticket is answered, and the customer has not written since.',
    'Wait for the customer, or close the ticket.',
  ),
  'ticket-closed': refused(409, 'The ticket is closed.', 'Open a new ticket.'),
};

/** Refusals that only processes get: they choose again. No route answers them. */
export const processRefusals: Readonly<Record<string, string>> = {
  'business-has-lead': 'A customer of the same business was given this lead.',
  'customer-has-lead': 'The customer was given this lead.',
  'daily-maximum-reached': 'The order has received its daily maximum of leads.',
  'lead-aged': 'The lead has become another type.',
  'lead-taken': 'The lead was given to as many customers as its type allows.',
  'lead-withdrawn': 'The lead was withdrawn as bad.',
  'person-given-before': 'The customer was given this person in another lead.',
  'renewal-out-of-turn': 'An earlier renewal comes first.',
  'replacement-not-granted': 'The replacement was not granted.',
  'replacement-not-owed': 'The order is owed no such replacement.',
};
