/** What Nest hands out where there is no class to ask for. */
export const EVENT_STORE = Symbol('EventStore');
export const VAULT = Symbol('Vault');
export const READ_MODELS = Symbol('ReadModels');
export const CLOCK = Symbol('Clock');
export const PAYMENTS = Symbol('PaymentGateway');
export const MAILS = Symbol('MailGateway');
export const WORK = Symbol('Work');
export const OPERATIONS = Symbol('Operations');
