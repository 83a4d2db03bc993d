/** Names of Nest providers that have no class. */
export const EVENT_STORE = Symbol('EventStore');
export const VAULT = Symbol('Vault');
export const SESSIONS = Symbol('SessionStore');
export const REQUESTS = Symbol('Requests');
export const QUERIES = Symbol('Queries');
export const OPERATIONS = Symbol('Operations');
export const READ_MODELS = Symbol('ReadModels');
export const CLOCK = Symbol('Clock');
export const WEBHOOKS = Symbol('Webhooks');
export const MAILS = Symbol('MailGateway');
/** Undefined where this store takes no mails to support. */
export const SUPPORT_MAIL = Symbol('SupportMail');
/** Undefined where this program reads no mailbox. */
export const MAILBOX = Symbol('Mailbox');
export const NOTICES = Symbol('PaymentNotices');
/** What the payment provider cannot charge or show. */
export const PROVIDER_LIMITS = Symbol('ProviderLimits');
/** What the program tells of what it does. */
export const ACTIVITIES = Symbol('Activities');
/** After how many milliseconds a failure that lasts degrades the health. */
export const FAILING_LIMIT = Symbol('FailingLimit');
export const WORK = Symbol('Work');
export const RUNNING_PROCESSES = Symbol('RunningProcesses');
