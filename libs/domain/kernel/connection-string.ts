/** What stands before the host: user and password. A password may contain an `@` itself, and an address may be malformed. */
const CREDENTIALS = /([a-z][a-z0-9+.-]*:?\/{1,2})[^\s"]*@/gi;
/** Options such as `password=…` and `sslpassword=…`. Names of users and of files stay. */
const SECRET_OPTIONS = /([?&][\w.-]*(?:pass|pwd|secret|token|api[-_]?key)[\w.-]*=)[^&\s"]*/gi;

const SCHEME = /^[a-z][a-z0-9+.-]+:(\/\/|.*@)/i;

/** Whether a text is an address of something, known or not, and so no path. */
export const isAddress = (text: string): boolean => SCHEME.test(text.trim());

/**
 * A connection string as it may be printed, logged or answered: without credentials. Also every one in a text, such as the
 * message of an error.
 */
export const withoutPasswords = (text: string): string =>
  text.replace(CREDENTIALS, '$1***@').replace(SECRET_OPTIONS, '$1***');
