/** Where credentials may begin: after the scheme, also of an address with a slash too few. */
const AFTER_SCHEME = /\/(?<=[a-z][a-z0-9+.-]*:?\/)\/?/i;
const WORD = /[^\s"]+/g;
const OPTION = /([?&][\w.-]*=)[^&\s"]*/g;
/** Options such as `password=…` and `sslpassword=…`. Names of users and of files stay. */
const SECRET = /pass|pwd|secret|token|api[-_]?key/i;

const SCHEME = /^[a-z][a-z0-9+.-]+:(\/\/|.*@)/i;

/** Whether a text is an address of something, known or not, and so no path. */
export const isAddress = (text: string): boolean => SCHEME.test(text.trim());

/**
 * A connection string as it may be printed, logged or answered: without credentials. Also every one in a text, such as the
 * message of an error.
 */
export const withoutPasswords = (text: string): string =>
  text
    .replace(WORD, withoutCredentials)
    .replace(OPTION, (option: string, name: string) => (SECRET.test(name) ? `${name}***` : option));

/** What stands before the host: user and password. A password may contain an `@` itself. */
function withoutCredentials(word: string): string {
  const end = word.lastIndexOf('@');
  const begin = AFTER_SCHEME.exec(word.slice(0, Math.max(end, 0)));
  return begin ? `${word.slice(0, begin.index + begin[0].length)}***${word.slice(end)}` : word;
}
