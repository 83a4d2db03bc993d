import type { Server } from './server.ts';

/** Orders of new customers, and leads of new persons, for tests of what others do to their streams. */
export function ordersAndLeads(server: () => Server) {
  let customers = 0;
  let leads = 0;
  return {
    async placeOrder(quantity: number): Promise<{ customerId: string; orderId: string }> {
      customers += 1;
      const business = { storeId: 'main', businessAssociation: `Business ${customers}`, timeZone: 'America/New_York' };
      const { customerId } = (await server().call('POST', '/api/customers', business)).body;
      const order = { customerId, leadTypeId: 'exclusive-real-time', quantity, dailyMaximum: { leads: quantity } };
      const { orderId } = (await server().call('POST', '/api/orders', { ...order, paymentToken: 'tok_ok' })).body;
      await server().settle();
      return { customerId, orderId };
    },
    async sendLead(): Promise<string> {
      leads += 1;
      const contact = { telephone: `+1 212 555 01${10 + leads}` };
      const lead = { leadTypeId: 'exclusive-real-time', source: 'page', contact };
      const { leadId } = (await server().call('POST', '/api/leads', lead)).body;
      await server().settle();
      return leadId;
    },
  };
}
