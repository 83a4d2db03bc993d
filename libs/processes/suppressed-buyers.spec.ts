import { driveProcess } from '#test/process-driver';
import { suppressedBuyers } from './suppressed-buyers.ts';

const AT = '2026-03-02T15:00:00.000Z';
const buyers = [
  { orderId: 'o1', customerId: 'c1' },
  { orderId: 'o2', customerId: 'c2' },
];
const withdrawn = ['lead-l1', 'LeadWithdrawn', { leadTypeId: 'x', suppression: 'opt-out', buyers }] as const;

describe('the process that tells buyers of suppressed persons', () => {
  it('notes it in the contact book of each buyer, once', () => {
    const { fold, wishesAt } = driveProcess(suppressedBuyers, AT);
    fold(...withdrawn);
    expect(wishesAt()).toEqual(['SuppressContact', 'SuppressContact']);
    expect(wishesAt()).toEqual([]);
  });

  it('does after a restart what is not recorded yet', () => {
    const { fold, wishesAt } = driveProcess(suppressedBuyers, AT);
    fold(...withdrawn);
    fold('contacts-c1', 'ContactSuppressed', { leadId: 'l1', orderId: 'o1', isListed: true });
    expect(wishesAt()).toEqual(['SuppressContact']);
  });

  it('says nothing of leads that were withdrawn for another reason, or that nobody bought', () => {
    const { fold, wishesAt } = driveProcess(suppressedBuyers, AT);
    fold('lead-l1', 'LeadWithdrawn', { leadTypeId: 'x', reason: 'wrong number' });
    fold('lead-l2', 'LeadWithdrawn', { leadTypeId: 'x', suppression: 'opt-out' });
    expect(wishesAt()).toEqual([]);
  });
});
