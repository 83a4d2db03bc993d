interface PageLink {
  /** Below the web address of the store. `{name}` is a fact of the mail. */
  readonly path: string;
  /** What the page there does. */
  readonly page: string;
}

/** The pages that mails link to. Each store has them at its own web address (NTF-5). */
export const mailLinks = {
  order: {
    path: '/orders/{orderId}',
    page: 'Shows the order with its progress (`GET /api/orders/{orderId}`), and cancels, pauses and restarts it. Of an order that was placed without sign-in, the link has `?link=` with a token: it shows the order (`GET /api/order-links/{token}`) and cancels it (`POST /api/order-links/{token}/cancel`) without a sign-in.',
  },
  receipt: {
    path: '/receipts/{receiptId}',
    page: 'Shows the receipt (`GET /api/receipts/{receiptId}/html`), and offers it as a file (`…/pdf`).',
  },
  programme: {
    path: '/loyalty/{orderId}',
    page: 'Shows the programme of the order (`GET /api/programmes/{orderId}`), and holds, activates and cancels it.',
  },
  leads: { path: '/leads', page: 'Lists the leads of the customer (`GET /api/customers/{customerId}/leads`).' },
  lead: {
    path: '/leads/{leadId}',
    page: 'Shows one lead with its return (`GET /api/customers/{customerId}/leads/{leadId}`).',
  },
  ticket: { path: '/tickets/{ticketId}', page: 'Shows the question and the answer (`GET /api/tickets/{ticketId}`).' },
  unsubscribe: {
    path: '/unsubscribe/{token}',
    page: 'Is not in the text of a mail, but in its header List-Unsubscribe. Passes a `POST` on to `POST /api/mail-links/{token}/unsubscribe`, without a sign-in and without a question: mail programs send it (RFC 8058). A `GET` changes nothing: it shows a button that sends the `POST`.',
  },
  passwordRecovery: {
    path: '/password-recovery?token={token}',
    page: 'Asks for a new password, and sends it with the token to `POST /api/password-recoveries/complete`.',
  },
  staffInvitation: {
    path: '/staff-invitation?token={token}',
    page: 'Asks a new member of staff for a password, and sends it with the token to `POST /api/staff-invitations/accept`.',
  },
  askForPassword: {
    path: '/password-recovery',
    page: 'The same page without a token: asks for an address, and sends it to `POST /api/password-recoveries`.',
  },
  addressConfirmation: {
    path: '/confirm-address?token={token}',
    page: 'Sends the token to `POST /api/customers/{customerId}/email/confirm`, of a new account and of a new address alike, when the customer presses a button: programs that look into mails open their links. The customer is the part of the token before its last dot.',
  },
} as const satisfies Readonly<Record<string, PageLink>>;

/** The link as a template of a mail. */
export const linkTo = (page: keyof typeof mailLinks): string =>
  `{{webAddress}}${mailLinks[page].path.replace(/\{(\w+)\}/g, '{{$1}}')}`;
