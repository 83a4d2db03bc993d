import { ValidateBy } from 'class-validator';
import { exampleIds } from '#read-models/models/examples';
import { AccountDetailsBody } from './account-body.ts';
import {
  Count,
  Currency,
  Email,
  ExactlyOneOf,
  Id,
  Line,
  MOST_CENTS,
  Nested,
  NewPassword,
  Percentage,
  TimeZone,
} from './fields.ts';

export class DailyMaximum {
  @Count({ description: 'Leads that are delivered in a local day at most.', example: 5, optional: true })
  leads?: number;

  @Percentage({ description: 'The same as a percentage of the quantity, rounded up.', optional: true })
  percent?: number;
}

class LoyaltyRewards {
  @Line({
    description: "How often the order is renewed: the name of one of the policy's renewalCadences.",
    example: 'weekly',
  })
  cadence!: string;
}

/** What of a checkout may change until it is placed. */
export class WishesBody {
  @Count({ description: 'The number of leads that are ordered.', example: 25 })
  quantity!: number;

  @Nested(() => DailyMaximum, {
    description: 'Either leads or percent. Only real-time types take it; without it there is no maximum (CHK-3).',
    example: { leads: 5 },
    optional: true,
  })
  @ExactlyOneOf('leads', 'percent')
  dailyMaximum?: { leads: number } | { percent: number };

  @TimeZone({
    description: "The IANA time zone in which the order's days begin; the customer's own when absent.",
    optional: true,
  })
  timeZone?: string;

  @Nested(() => LoyaltyRewards, {
    description: 'Joins Loyalty Rewards (LOY-1). Only for lead types that qualify (CAT-4).',
    example: { cadence: 'weekly' },
    optional: true,
  })
  loyalty?: LoyaltyRewards;
}

/** The first password of the customer who orders. */
export const FirstPassword = () =>
  NewPassword({
    description: 'The first password, where the account has none (ACC-1); an account that has one keeps it.',
    optional: true,
  });

/** What the customer saw before the order was placed. */
export const ExpectedTotal = () =>
  Count({
    description:
      'What the customer was shown, in minor units of the currency. An order with another total is refused (CHK-5).',
    example: 20_188,
    minimum: 0,
    maximum: MOST_CENTS,
    optional: true,
  });

/** Of the total that the customer saw. */
export const ExpectedCurrency = () =>
  Currency({
    description:
      'The currency of that total. An order in another one is refused; where the type was sold in several, a total without it is refused, too (CHK-5).',
    example: 'USD',
    optional: true,
  });

/** Who orders without sign-in (ACC-7). */
class AccountBody extends AccountDetailsBody {
  @Email({ description: 'The e-mail address, which is the user name (ACC-1).' })
  email!: string;
}

/** Of two optional fields of a body, only one may be there. */
const NotBeside = (other: string): PropertyDecorator =>
  ValidateBy({
    name: 'notBeside',
    validator: {
      validate: (_, checked) => Object(checked?.object)[other] === undefined,
      defaultMessage: () => `must not be sent together with ${other}`,
    },
  });

/** What the customer wants to order, before the payment (CHK-1). */
export class StartCheckoutBody extends WishesBody {
  @Id({
    description: 'The customer who orders. Absent: whoever has the address in `account` (ACC-7).',
    example: exampleIds.customerId,
    unless: 'account',
  })
  customerId?: string;

  @Nested(() => AccountBody, {
    description:
      'Without sign-in, in place of `customerId`: it belongs to the account of this address, which is made where there is none (ACC-7). Of an account that is there, its own details hold, and the order has its time zone. A password for the new account is in here, too.',
    optional: true,
  })
  @NotBeside('customerId')
  account?: AccountBody;

  @Id({ description: 'The lead type that is ordered.', example: exampleIds.leadTypeId })
  leadTypeId!: string;

  @FirstPassword()
  password?: string;
}

/** ACC-7: without sign-in, the time zone is that of the account, and its password comes with its details. */
export const withoutZone = <Wishes extends { timeZone?: string; password?: string }>({
  timeZone: _,
  password: __,
  ...wishes
}: Wishes) => wishes;
