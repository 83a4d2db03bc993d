import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the types of the SDK say which parameters a call takes. */
const declared = {
  'POST /v1/customers': ['Customers', 'CustomerCreateParams'],
  'GET /v1/customers/search': ['Customers', 'CustomerSearchParams'],
  'DELETE /v1/customers/:id': ['Customers', 'CustomerDeleteParams'],
  'GET /v1/payment_methods/:id': ['PaymentMethods', 'PaymentMethodRetrieveParams'],
  'POST /v1/payment_methods/:id/attach': ['PaymentMethods', 'PaymentMethodAttachParams'],
  'POST /v1/payment_intents': ['PaymentIntents', 'PaymentIntentCreateParams'],
  'GET /v1/payment_intents/search': ['PaymentIntents', 'PaymentIntentSearchParams'],
  'GET /v1/payment_intents/:id': ['PaymentIntents', 'PaymentIntentRetrieveParams'],
  'POST /v1/payment_intents/:id/confirm': ['PaymentIntents', 'PaymentIntentConfirmParams'],
  'POST /v1/payment_intents/:id/cancel': ['PaymentIntents', 'PaymentIntentCancelParams'],
  'POST /v1/refunds': ['Refunds', 'RefundCreateParams'],
  'GET /v1/refunds': ['Refunds', 'RefundListParams'],
} as const;
export type Call = keyof typeof declared;

const typesOf = (resource: string): string => {
  const main = fileURLToPath(import.meta.resolve('stripe'));
  return readFileSync(`${main.slice(0, main.lastIndexOf('/esm/'))}/esm/resources/${resource}.d.ts`, 'utf8');
};

/** The types of the SDK are long: what was read once is kept. */
const read = new Map<string, ReadonlySet<string>>();

/** The names of the parameters that the installed SDK knows for a call. Undefined: no such call is made here. */
export function parametersOf(call: string): ReadonlySet<string> | undefined {
  if (!Object.hasOwn(declared, call)) return undefined;
  const known = read.get(call) ?? readParametersOf(call as Call);
  read.set(call, known);
  return known;
}

function readParametersOf(call: Call): ReadonlySet<string> {
  const [resource, name] = declared[call];
  const [, pages, body] =
    new RegExp(`export interface ${name} (extends PaginationParams )?{(.*?)\n}`, 's').exec(typesOf(resource)) ?? [];
  if (body === undefined) throw new Error(`the stripe package has no ${name}`);
  const own = [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, one]) => one as string);
  return new Set([...own, ...(pages ? ['limit', 'starting_after', 'ending_before'] : [])]);
}
