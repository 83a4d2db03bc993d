/** Ids and boxes of the examples of rows: the same customer, order and lead in each. */
export const exampleIds = {
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  leadId: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33',
  storeId: 'main',
} as const;

/** Personal data as rows hold it: sealed. */
export const exampleBox = { keyId: exampleIds.customerId, box: 'c2VhbGVk' };
