import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.stop());

test('DLV-1: an exclusive lead goes to one customer only, although two wait for it', async () => {
  const orders = [await shop.order(await shop.customer()), await shop.order(await shop.customer())];
  const leadId = await shop.lead();
  const deliveries = (await Promise.all(orders.map((orderId) => shop.history(`/api/orders/${orderId}`))))
    .flat()
    .filter(({ type }) => type === 'LeadDelivered');
  expect(deliveries).toMatchObject([{ data: { leadId } }]);
});
