import type { Consent } from '#domain/leads/consent';

/**
 * The ids in all examples of the documentation: one for each thing, so that the examples tell one story. A client that
 * replaces them by the ids that it was answered can send the examples as they are.
 */
export const exampleIds = {
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  checkoutId: '1c1f6a52-53c9-5b0e-8b8a-2f3d3b7a9c22',
  orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  leadId: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33',
  replacementId: '94c43410-7927-59a0-9dec-d32c5d2a8aeb',
  ticketId: '6d2a9b7e-3f41-5c88-b0d5-7e9c1a2f4d66',
  mailId: '1b0e5e0a-4f6d-5a57-8a0b-3a0e4f1c2d77',
  webhookId: '4e2a7c10-9f0e-5c55-b7a6-2a8f5f3f0d21',
  parkedItemId: 'a5c0d1e2-7b34-5f96-8e21-9d0c3b4a5f88',
  eventId: '5d1f3a52-8f6a-5f5e-9d0c-0c7a2b1e4f66',
  commandId: 'e3b7c1d4-2a68-5c0f-9b17-4f8d6e5a3c99',
  refundId: '7f3c9d1e-8a42-5b6d-9e0f-1c2d3e4f5a33',
  mergeId: '2c9d4e7b-5a18-5f3c-8d60-9b1e3f7a6c44',
  otherCustomerId: '45c48cce-2e2d-5fbd-aa1a-fc51c7c6ad26',
  receiptId: 'c2e8a4f6-5b17-5d39-8f0a-6e4d2c1b0a55',
  disputeId: 'du_1PZq7W2eZvKYlo2C',
  memberId: 'b9d1e7a3-4c25-5f68-9a7b-0d3e6c8f1b22',
  apiKeyId: '5a7c9e1b-3d4f-5b62-8c80-1f2e3d4c5b66',
  factorId: '9b7d5c3e-1f20-5a64-8e92-3c4d5e6f7a88',
  sessionId: 'e1f3a5b7-9c8d-4e6f-a0b1-2c3d4e5f6a77',
  approvalId: '3c5e7a9b-1d2f-5e64-8b7a-4d5e6f7a8b99',
  storeId: 'west',
  leadTypeId: 'exclusive-evening',
  couponId: '2f6d9a10-5c3e-5b7a-9d41-8e0f1a2b3c44',
  couponCode: 'SPRING 26',
} as const;

export type IdName = keyof typeof exampleIds;

/** Personal data as rows hold it: sealed. */
export const exampleBox = { keyId: exampleIds.customerId, box: 'c2VhbGVk' };

export const consentExample: Consent = {
  text: 'I agree that agents of West call me about life insurance.',
  at: '2026-03-01T09:29:58.000Z',
  page: 'https://west.example/quote',
  ip: '198.51.100.7',
  certificate: 'https://certificates.example/9f2c',
};
