/** What stands before the host: user and password. Passwords may contain an `@` themselves. */
const CREDENTIALS = /:\/\/[^\s"'<>]*@/g;
/** Options such as `password=…` and `sslpassword=…`. Names of users and of files stay. */
const SECRET_OPTIONS = /([?&][\w.-]*(?:pass|pwd|secret|token)[\w.-]*=)[^&\s"'<>]*/gi;

/**
 * A connection string as it may be printed, logged or answered: without credentials. Also every one in a text, such as the
 * message of an error, malformed ones included.
 */
export const withoutPasswords = (text: string): string =>
  text.replace(CREDENTIALS, '://***@').replace(SECRET_OPTIONS, '$1***');
